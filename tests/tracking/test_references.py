"""Runs read together: as a population, and as the references that a further run is compared with."""

import numpy as np
import pytest
import torch
from scipy import stats
from training_loops import CLASSES, SAMPLES, half, network, rows, seeded, train

import vestige
from vestige.audits.scored import score_file
from vestige.core.errors import InputError
from vestige.data import membership
from vestige.motion import traces
from vestige.tracking.runs import Runs
from vestige.tracking.tracker import Tracker

MODELS, EPOCHS = 8, 12
STEPS = (0, 4, 8, 12)
COINS = membership.paired(MODELS, SAMPLES, 0).mask


def run(folder, members, seed, steps=STEPS, data=None, **options):
    tracker = Tracker(data or rows(), members=members, folder=folder, **options)
    model = network(seed, width=64)
    seeded(seed)

    def record(model, step):
        if step in steps:
            tracker.record(model, step)

    train(model, members, record, max(steps), data=data, augment=False)
    return tracker


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Eight runs on complementary halves, and later one more beside them."""
    found = tmp_path_factory.mktemp("runs")
    for model in range(MODELS):
        run(found / f"run-{model}", COINS[model], model)
    return found


@pytest.fixture(scope="module")
def compared(folder, tmp_path_factory):
    return run(tmp_path_factory.mktemp("own") / "mine", half(5), 50, references=folder)


def test_runs_are_one_population(folder):
    runs = Runs.open(folder)
    assert runs.shape == (MODELS, len(STEPS), SAMPLES, 1)
    assert runs.epochs.tolist() == list(STEPS)
    assert runs.membership.design == "paired"
    np.testing.assert_array_equal(runs.membership.mask, COINS)
    np.testing.assert_array_equal(runs.labels, rows()[1])
    on_disk = np.load(folder / "run-3" / "steps" / "step-00008" / "scaled_logit.npy")
    np.testing.assert_array_equal(runs.row("scaled_logit", 3, 2)[:, 0], on_disk)
    np.testing.assert_array_equal(runs.signal()[3, 2], on_disk)
    scores = vestige.score(runs.signal(), runs.membership)
    assert scores.shape == (MODELS, len(STEPS), SAMPLES)


def test_only_steps_that_all_runs_share_are_read(folder, tmp_path):
    (tmp_path / "run-0").symlink_to(folder / "run-0")
    run(tmp_path / "run-b", ~COINS[0], 1, steps=(0, 3, 8))
    runs = Runs.open(tmp_path)
    assert runs.steps == (0, 8)
    on_disk = np.load(tmp_path / "run-b" / "steps" / "step-00008" / "scaled_logit.npy")
    np.testing.assert_array_equal(runs.row("scaled_logit", 1, 1)[:, 0], on_disk)
    run(tmp_path / "run-c", COINS[1], 1, steps=(5,))
    with pytest.raises(InputError, match="share no step"):
        Runs.open(tmp_path)


def test_runs_of_different_data_are_refused_by_name(folder, tmp_path):
    (tmp_path / "run-0").symlink_to(folder / "run-0")
    inputs, labels = rows()
    run(tmp_path / "run-x", COINS[1], 1, data=(inputs * 2, labels))
    with pytest.raises(InputError, match=r"run-x is not of the data of .*run-0: sample 0 has another input"):
        Runs.open(tmp_path)


def test_a_folder_without_runs_is_refused(folder, tmp_path):
    with pytest.raises(InputError, match="no other tracked run"):
        Runs.open(tmp_path)
    with pytest.raises(InputError, match="itself one run; give the folder above"):
        Runs.open(folder / "run-0")


def test_scoring_a_folder_is_scoring_its_arrays(folder, tmp_path):
    runs = Runs.open(folder)
    np.savez(
        tmp_path / "same.npz",
        values=runs.signal(), membership=COINS, labels=runs.labels, epochs=runs.epochs,
    )  # fmt: skip
    ours, call = score_file(folder, out=tmp_path / "ours", attack=("lira-online-fixed",))
    theirs, _ = score_file(tmp_path / "same.npz", out=tmp_path / "theirs", attack=("lira-online-fixed",))
    assert ours.scores.equals(theirs.scores)
    assert ours.plane.equals(theirs.plane)
    assert ours.report.is_file()
    assert call.startswith("runs = vestige.tracking.runs.Runs.open(")
    assert call.endswith("vestige.score(runs.signal(), runs.membership, 'lira-online-fixed')")


def fixed_lira(values, mask, target, usable):
    """Online LiRA with one variance per side, sample by sample, from the references that are usable."""
    sides = []
    for side in (True, False):
        squares, freedom, means = 0.0, 0, []
        for sample in range(values.shape[1]):
            chosen = [m for m in range(len(values)) if usable[m, sample] and mask[m, sample] == side]
            column = values[chosen, sample]
            means.append(column.mean())
            squares += ((column - column.mean()) ** 2).sum()
            freedom += len(column) - 1
        sides.append((np.array(means), squares / freedom))
    (inside, var_in), (outside, var_out) = sides
    x = values[target]
    return stats.norm.logpdf(x, inside, var_in**0.5) - stats.norm.logpdf(x, outside, var_out**0.5)


def test_the_plane_counts_the_references_and_this_run(folder, compared):
    """A slow twin: every model in turn attacked by the references that may be used."""
    runs, own = Runs.open(folder), compared.run
    mask = np.vstack([COINS, own.members])
    plane = compared.plane()
    assert plane.epochs.tolist() == list(STEPS)
    for checkpoint in (0, 3):
        values = runs.signal()[:, checkpoint].astype(float)
        joined = np.vstack([values, own.row("scaled_logit", checkpoint)])
        hits = np.zeros((2, SAMPLES), int)
        alpha = plane.point.alpha
        for target in range(MODELS + 1):
            if target < MODELS:
                usable = np.ones((MODELS, SAMPLES), bool)
                usable[[target, target ^ 1]] = False  # the complement would tell the target's coin
                scores = fixed_lira(values, COINS, target, usable)
            else:
                usable = np.ones((MODELS + 1, SAMPLES), bool)
                usable[target] = False
                scores = fixed_lira(joined, mask, target, usable)
            others = scores[~mask[target]]
            threshold = np.sort(others)[-1 - int(alpha * len(others) + 1e-9)]
            for side in (0, 1):
                hits[side] += (scores > threshold) & (mask[target] == side)
        np.testing.assert_array_equal(plane.hits_out[checkpoint], hits[0])
        np.testing.assert_array_equal(plane.hits_in[checkpoint], hits[1])
        np.testing.assert_array_equal(plane.n_in[checkpoint], mask.sum(0))


def test_exposed_are_members_that_are_named_now_and_vulnerable(compared):
    plane, exposed = compared.plane(), compared.exposed()
    assert len(exposed)
    assert compared.members[exposed].all()
    assert plane.high[-1, exposed].all()
    assert len(exposed) <= (plane.high[-1] & compared.members).sum()
    wrong = np.arange(SAMPLES) % CLASSES != rows()[1]
    assert wrong[exposed].mean() > wrong.mean()


def test_the_run_does_not_change_what_references_say_of_each_other(folder, compared, tmp_path):
    """With another run beside them, the references' own decisions are the same."""
    other = run(tmp_path / "other", half(9), 60, references=folder)
    ours, theirs = compared.plane(), other.plane()
    same = compared.members == other.members
    difference = np.abs(ours.hits_in - theirs.hits_in) + np.abs(ours.hits_out - theirs.hits_out)
    assert difference[:, same].max() <= 1
    assert (ours.n_in + ours.n_out == MODELS + 1).all()


def test_the_nearest_step_of_the_references_is_used_and_named(folder, tmp_path):
    tracker = run(tmp_path / "mine", half(5), 50, steps=(1, 7, 20), references=folder)
    assert tracker.notes == (
        "step 1 is compared with step 0 of the references",
        "step 7 is compared with step 8 of the references",
        "step 20 is compared with step 12 of the references",
    )
    assert tracker.plane().epochs.tolist() == [1, 7, 20]
    assert "Step 7 is compared with step 8 of the references." in tracker.plane().warnings
    assert "step 20 is compared with step 12" in tracker.summary()


@pytest.mark.parametrize("signal", traces.INDICATORS)
def test_the_precision_of_a_warning_is_that_of_the_references(folder, compared, signal):
    found = compared.early_warning(share=0.1, signal=signal)
    runs = Runs.open(folder)
    kind = traces.INDICATORS[signal]
    recorded = runs.signal("correct" if kind.signal == "correct" else "scaled_logit")
    recorded = recorded if kind.signal == "correct" else np.logaddexp(0, -recorded.astype(float))
    values = vestige.score(runs.signal(), runs.membership, "lira-online-fixed").at(-1)
    names = np.stack([v > np.sort(v[~m])[-1 - int((~m).sum() / (~COINS).sum(1).min())]
                      for v, m in zip(values, COINS, strict=True)])  # fmt: skip
    tpr = (names & COINS).sum(0) / COINS.sum(0)
    fpr = (names & ~COINS).sum(0) / (~COINS).sum(0)
    exposed = (tpr >= 0.5) & (fpr <= 0.1)
    per_model, chance = traces.warning_precision(
        recorded, COINS, exposed, checkpoint=len(STEPS) - 1, share=0.1, measure=kind.measure
    )
    assert found.precision.value == pytest.approx(per_model.mean())
    assert found.chance == pytest.approx(chance)
    assert found.precision.low <= found.precision.value <= found.precision.high
    assert found.provenance == "measured on 8 reference runs of this data, at step 12 of 12"


def test_early_warnings_beat_chance(compared):
    found = compared.early_warning(share=0.1, signal="cumulative_loss")
    assert found.precision.value > 2 * found.chance


def test_a_summary_with_references_is_short(compared):
    lines = compared.summary().splitlines()
    assert 5 <= len(lines) <= 8
    assert any(line.startswith("Exposed now, under lira-online-fixed with 8 references: ") for line in lines)
    assert any("measured on 8 reference runs of this data" in line for line in lines)


def test_a_runs_own_folder_is_no_reference_of_its_own(folder, tmp_path):
    for model in range(4):
        (tmp_path / f"run-{model}").symlink_to(folder / f"run-{model}")
    run(tmp_path / "mine", half(5), 50)
    again = Tracker(rows(), members=half(5), folder=tmp_path / "mine", references=tmp_path)
    assert again.early_warning(share=0.1).provenance.startswith("measured on 4 reference runs")


def test_references_that_cannot_carry_the_attack_are_counted(folder, tmp_path):
    (tmp_path / "run-0").symlink_to(folder / "run-0")
    (tmp_path / "run-2").symlink_to(folder / "run-2")
    lacking = int((COINS[0] == COINS[2]).sum())
    with pytest.raises(InputError, match=rf"{lacking} of 90 samples lack references for lira-online-fixed"):
        Tracker(rows(), members=half(5), folder=tmp_path / "mine", references=tmp_path)
    (tmp_path / "run-1").symlink_to(folder / "run-1")
    with pytest.raises(InputError, match="lack references for lira-online;"):
        Tracker(rows(), members=half(5), folder=tmp_path / "mine", references=tmp_path, attack="lira-online")


def test_references_of_other_samples_are_refused(folder, tmp_path):
    with pytest.raises(InputError, match="hold 90 samples and the data set 60"):
        Tracker(rows(samples=60), members=half(5, 60), folder=tmp_path / "a", references=folder)
    other = rows()[0], np.roll(rows()[1], 1)
    tracker = Tracker(other, members=half(5), folder=tmp_path / "a", references=folder)
    with pytest.raises(InputError, match="of other samples: sample 0 has label"):
        tracker.record(network(), 0)
    other = rows()[0] + 1, rows()[1]
    tracker = Tracker(other, members=half(5), folder=tmp_path / "a", references=folder)
    with pytest.raises(InputError, match="of other samples: sample 0 has another input"):
        tracker.record(network(), 0)
    with pytest.raises(InputError, match="trains on every sample"):
        Tracker(rows(), folder=tmp_path / "b", references=folder)
    with pytest.raises(InputError, match="neither a folder of tracked runs nor"):
        Tracker(rows(), members=half(5), folder=tmp_path / "b", references=tmp_path)


def test_an_audits_run_folder_serves_as_references(tmp_path):
    inputs, labels = rows()
    found = vestige.audit(
        (inputs, labels), model="mlp-16", models=8, epochs=6, checkpoints=4, attack=("lira-online-fixed",),
        out=tmp_path / "audit", jobs=1,
    )  # fmt: skip
    epochs = found.assessment.subject.epochs
    tracker = Tracker(rows(), members=half(5), folder=tmp_path / "mine", references=tmp_path / "audit")
    model = torch.nn.Linear(12, CLASSES)
    tracker.record(model, 0)
    tracker.record(model, float(epochs[-1]))
    plane = tracker.plane()
    assert plane.n_in.max() + plane.n_out.max() >= 9
    theirs = found.assessment.plane
    inside = tracker.members
    # the run adds one model on one side of each sample; the references decide as they did in the audit
    assert (np.abs(plane.hits_in[-1] - theirs.hits_in[-1]) <= inside).all()
    assert (np.abs(plane.hits_out[-1] - theirs.hits_out[-1]) <= ~inside).all()
    assert "8 reference runs" in tracker.early_warning(share=0.1).provenance or not theirs.high[-1].any()
