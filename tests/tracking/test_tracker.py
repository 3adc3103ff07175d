"""Recording, the files of a run, resumption, and the early warning of a single run."""

import json

import numpy as np
import pytest
import torch
from training_loops import SAMPLES, half, network, rows, seeded, train

from vestige.core import files
from vestige.core.errors import InputError, RunFolderError
from vestige.motion import traces
from vestige.tracking import measured, warning
from vestige.tracking.run import Run
from vestige.tracking.tracker import Tracker

MEMBERS = half(1)
BANNED = ("anonymous", "safe", "guarantee", "proves", "causes")


def tracked(folder, epochs=6, **options):
    tracker = Tracker(rows(), members=options.pop("members", MEMBERS), folder=folder, **options)
    model = network()
    seeded()
    train(model, tracker.members, tracker.record, epochs, augment=False)
    return tracker


def test_what_is_on_disk_is_what_the_model_said(tmp_path):
    tracker = tracked(tmp_path / "a")
    seeded()
    model = network()
    seeded()
    seen = []

    def look(model, step):
        model.eval()
        with torch.no_grad():
            seen.append(model(torch.as_tensor(rows()[0])))
        model.train()

    train(model, MEMBERS, look, 6, augment=False)
    labels = torch.as_tensor(rows()[1])
    losses = [torch.nn.functional.cross_entropy(logits, labels, reduction="none") for logits in seen]
    np.testing.assert_allclose(tracker.run.trace("loss"), torch.stack(losses), rtol=1e-4, atol=1e-5)
    correct = torch.stack([logits.argmax(1) == labels for logits in seen])
    np.testing.assert_array_equal(tracker.run.trace("correct"), correct)
    again = Run.open(tmp_path / "a")
    assert again.steps == tracker.steps == (0, 1, 2, 3, 4, 5, 6)
    np.testing.assert_array_equal(again.members, MEMBERS)
    np.testing.assert_array_equal(again.order.labels, labels)


def test_further_signals_are_recorded_on_request(tmp_path):
    tracker = Tracker(rows(), folder=tmp_path / "a", signals=("entropy", "loss"))
    tracker.record(network(), 1)
    assert tracker.run.signals == ("scaled_logit", "correct", "entropy")
    assert tracker.run.row("entropy", 0).max() <= np.log(3) + 1e-6
    with pytest.raises(InputError, match="gradient_norm"):
        Tracker(rows(), folder=tmp_path / "b", signals=("gradient_norm",))


@pytest.mark.parametrize(
    "members",
    [np.flatnonzero(MEMBERS), np.flatnonzero(MEMBERS).tolist(), torch.as_tensor(MEMBERS), MEMBERS.tolist()],
)
def test_members_are_positions_or_a_mask(tmp_path, members):
    np.testing.assert_array_equal(Tracker(rows(), members=members, folder=tmp_path / "a").members, MEMBERS)


def test_without_members_the_run_trains_on_everything(tmp_path):
    assert Tracker(rows(), folder=tmp_path / "a").members.all()


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([0, 90], "members holds 90; positions run from 0 to 89"),
        ([-1], "members holds -1"),
        (MEMBERS[:-1], "one entry for each of 90"),
        (MEMBERS.astype(int), "looks like a mask of 0 and 1"),
        ([], "names no sample"),
        (np.zeros(90, bool), "names no sample"),
        ([0.5], "positions or a mask"),
    ],
)
def test_members_that_are_no_samples_are_refused(tmp_path, members, message):
    with pytest.raises(InputError, match=message):
        Tracker(rows(), members=members, folder=tmp_path / "a")


def test_steps_increase(tmp_path):
    tracker, model = Tracker(rows(), folder=tmp_path / "a"), network()
    tracker.record(model, 2)
    tracker.record(model, 2.5)
    for step in (2.5, 1):
        with pytest.raises(InputError, match=f"step={step:g} does not follow step 2.5"):
            tracker.record(model, step)
    for step in (-1, float("nan"), float("inf")):
        with pytest.raises(InputError, match=f"step={step}"):
            tracker.record(model, step)
    assert Run.open(tmp_path / "a").steps == (2, 2.5)


def test_a_run_is_continued_where_it_was_left(tmp_path):
    whole = tracked(tmp_path / "whole")
    tracked(tmp_path / "a", epochs=3)
    again = Tracker(rows(), members=MEMBERS, folder=tmp_path / "a")
    assert again.steps == (0, 1, 2, 3)
    seeded()
    model = network()
    seeded()
    train(
        model, MEMBERS, lambda model, step: again.record(model, step) if step > 3 else None, 6, augment=False
    )
    np.testing.assert_array_equal(again.run.trace("scaled_logit"), whole.run.trace("scaled_logit"))


def test_a_run_that_was_rewound_drops_what_came_after(tmp_path):
    tracked(tmp_path / "a", epochs=5)
    again, model = Tracker(rows(), members=MEMBERS, folder=tmp_path / "a"), network(seed=3)
    again.record(model, 3)
    assert again.steps == Run.open(tmp_path / "a").steps == (0, 1, 2, 3)
    assert sorted(path.name for path in (tmp_path / "a" / "steps").iterdir()) == [
        f"step-{step:05d}" for step in range(4)
    ]
    with pytest.raises(InputError, match="step=2 does not follow step 3"):
        again.record(model, 2)
    again.record(model, 4)
    fresh = Tracker(rows(), members=MEMBERS, folder=tmp_path / "b")
    fresh.record(model, 3)
    np.testing.assert_array_equal(again.run.row("scaled_logit", 3), fresh.run.row("scaled_logit", 0))


@pytest.mark.parametrize("killed_at", range(1, 8))
def test_a_kill_loses_no_step_that_was_recorded(tmp_path, monkeypatch, killed_at):
    """Writing stops for good at the n-th file; what counted before still does."""
    tracked(tmp_path / "a", epochs=2)
    before = Run.open(tmp_path / "a").trace("scaled_logit")
    again, calls = Tracker(rows(), members=MEMBERS, folder=tmp_path / "a"), []
    replacing = files.replacing

    def dies(path):
        calls.append(path)
        if len(calls) >= killed_at:
            raise KeyboardInterrupt
        return replacing(path)

    monkeypatch.setattr(files, "replacing", dies)
    try:
        again.record(network(seed=5), 3)
    except KeyboardInterrupt:
        assert Run.open(tmp_path / "a").steps == (0, 1, 2)
    else:
        assert Run.open(tmp_path / "a").steps == (0, 1, 2, 3)
    np.testing.assert_array_equal(Run.open(tmp_path / "a").trace("scaled_logit")[:3], before)


def test_a_run_killed_at_its_first_step_begins_again(tmp_path, monkeypatch):
    def dies(path, value):
        raise KeyboardInterrupt

    killed = Tracker(rows(), folder=tmp_path / "a")
    with monkeypatch.context() as patched:
        patched.setattr(files, "write_json", dies)
        with pytest.raises(KeyboardInterrupt):
            killed.record(network(), 0)
    again = Tracker(rows(), folder=tmp_path / "a")
    again.record(network(), 0)
    assert Run.open(tmp_path / "a").steps == (0,)


def test_folders_of_other_runs_are_refused_and_left_alone(tmp_path):
    tracked(tmp_path / "a", epochs=1)
    before = {path: path.read_bytes() for path in (tmp_path / "a").rglob("*") if path.is_file()}
    other_labels = rows()[0], np.roll(rows()[1], 1)
    cases = {
        "other members": lambda: Tracker(rows(), members=~MEMBERS, folder=tmp_path / "a"),
        "other samples": lambda: Tracker(rows(samples=60), members=MEMBERS[:60], folder=tmp_path / "a"),
        "signals scaled_logit, correct": lambda: Tracker(
            rows(), members=MEMBERS, folder=tmp_path / "a", signals=("entropy",)
        ),
        "other data: sample 0 has label": lambda: Tracker(
            other_labels, members=MEMBERS, folder=tmp_path / "a"
        ).record(network(), 2),
        "other data: sample 0 has another input": lambda: Tracker(
            (rows()[0] + 1, rows()[1]), members=MEMBERS, folder=tmp_path / "a"
        ).record(network(), 2),
    }
    for message, case in cases.items():
        with pytest.raises(RunFolderError, match=message):
            case()
    assert before == {path: path.read_bytes() for path in (tmp_path / "a").rglob("*") if path.is_file()}


def test_foreign_and_damaged_folders_are_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RunFolderError, match=r"no tracker wrote \(notes.txt\)"):
        Tracker(rows(), folder=tmp_path)
    with pytest.raises(RunFolderError, match="is a file"):
        Tracker(rows(), folder=tmp_path / "notes.txt")
    tracked(tmp_path / "a", epochs=1)
    (tmp_path / "a" / "tracker.json").write_text("{")
    with pytest.raises(RunFolderError, match="damaged"):
        Tracker(rows(), members=MEMBERS, folder=tmp_path / "a")


def test_the_record_says_what_it_is_of(tmp_path):
    tracked(tmp_path / "a", epochs=1, name="first run")
    record = json.loads((tmp_path / "a" / "tracker.json").read_text())
    assert record["tool"] == "vestige"
    assert record["name"] == "first run"
    assert record["samples"] == SAMPLES
    assert record["steps"] == [0, 1]
    assert record["signals"] == ["scaled_logit", "correct"]
    assert len(record["dataset"]) == len(record["members"]) == 40


@pytest.mark.parametrize("signal", traces.INDICATORS)
def test_the_warning_lists_the_members_with_the_highest_values(tmp_path, signal):
    tracker = tracked(tmp_path / "a")
    found = tracker.early_warning(share=0.2, signal=signal)
    trace = tracker.run.trace("correct" if signal == "learning_time" else "loss")
    values = getattr(traces, signal)(trace)
    assert len(found) == round(0.2 * MEMBERS.sum())
    assert MEMBERS[found.samples].all()
    outside = MEMBERS.copy()
    outside[found.samples] = False
    assert values[outside].max() <= found.values.min()
    assert (np.diff(found.values) <= 0).all()
    assert found.step == 6


def test_the_warning_finds_members_whose_label_is_wrong(tmp_path):
    """A wrong label is fitted late or never, so its loss moves most: the reason why the list is of use."""
    wrong = np.arange(SAMPLES) % 3 != rows()[1]
    tracker = tracked(tmp_path / "a", epochs=25, members=np.ones(SAMPLES, bool))
    found = tracker.early_warning(share=float(wrong.mean()), signal="cumulative_loss")
    assert wrong[found.samples].mean() > 3 * wrong.mean()


def test_a_warning_needs_steps_a_known_signal_and_a_share(tmp_path):
    tracker = Tracker(rows(), folder=tmp_path / "a")
    with pytest.raises(InputError, match="has no recorded step"):
        tracker.early_warning()
    tracker.record(network(), 0)
    with pytest.raises(InputError, match="needs 2 recorded steps and there are 1"):
        tracker.early_warning()
    assert len(tracker.early_warning(signal="cumulative_loss")) == 1
    with pytest.raises(InputError, match="cumulative_loss"):
        tracker.early_warning(signal="cumulative")
    with pytest.raises(InputError, match="share=2"):
        tracker.early_warning(share=2.0, signal="cumulative_loss")


def row(**changes):
    values = {
        "data": "digits", "model": "mlp-128", "models": 64, "epochs": 60, "at_share_of_training": 0.3,
        "share": 0.01, "signal": "loss_trace_iqr", "precision": 0.8, "low": 0.7, "high": 0.9, "chance": 0.1,
    }  # fmt: skip
    return measured.MeasuredPrecision(**{**values, **changes})


def test_without_any_measurement_the_precision_is_unknown(tmp_path, monkeypatch):
    monkeypatch.setattr(warning, "shipped", lambda: ())
    found = tracked(tmp_path / "a").early_warning()
    assert found.precision is None
    assert found.chance is None
    assert "no precision is known" in found.provenance
    assert "references=" in found.provenance


def test_a_precision_from_elsewhere_says_so(tmp_path, monkeypatch):
    table = (row(), row(data="wine", precision=0.6), row(share=0.2, precision=0.1), row(signal="x"))
    monkeypatch.setattr(warning, "shipped", lambda: table)
    found = tracked(tmp_path / "a").early_warning(share=0.02)
    assert found.precision.value == 0.6
    assert found.provenance.startswith("measured on wine (64 models of mlp-128, 60 epochs, at 30 %")
    assert found.provenance.endswith("not on your data")
    assert tracked(tmp_path / "b").early_warning(signal="cumulative_loss").precision is None


def test_the_shipped_table_can_be_read():
    for one in measured.shipped():
        assert 0 <= one.low <= one.precision <= one.high <= 1
        assert one.signal in traces.INDICATORS


@pytest.mark.parametrize("epochs", [0, 1, 6])
@pytest.mark.parametrize("members", [MEMBERS, np.ones(SAMPLES, bool)], ids=["half", "all"])
def test_the_summary_is_short_and_promises_nothing(tmp_path, epochs, members):
    text = tracked(tmp_path / "a", epochs=epochs, members=members, name="mine").summary()
    assert 5 <= len(text.splitlines()) <= 8
    assert text.startswith("Run mine: ")
    assert [word for word in BANNED if word in text.lower()] == []
    assert "Accuracy at step" in text
    assert "Next: " in text


def test_the_summary_gives_the_accuracies(tmp_path):
    tracker = tracked(tmp_path / "a")
    correct = tracker.run.row("correct", -1)
    ours, others = 100 * correct[MEMBERS].mean(), 100 * correct[~MEMBERS].mean()
    assert f"{ours:.1f} % on records trained on, {others:.1f} % on the others" in tracker.summary()


def test_the_plane_needs_references(tmp_path):
    tracker = tracked(tmp_path / "a", epochs=1)
    for ask in (tracker.plane, tracker.exposed):
        with pytest.raises(InputError, match="references="):
            ask()
    assert tracker.notes == ()
