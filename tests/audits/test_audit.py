"""The main job from end to end, on small data."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

import vestige
from vestige.core.errors import InputError, RunFolderError

SMALL = {"models": 8, "epochs": 24, "checkpoints": 4, "jobs": 1, "samples": 300, "batch_size": 16}


RECIPE = vestige.Recipe(model=vestige.ModelSpec("mlp-8"), epochs=1)


def toy(samples=80, classes=3, features=6):
    inputs = np.random.default_rng(0).normal(size=(samples, features)).astype(np.float32)
    return inputs, np.arange(samples) % classes


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return vestige.audit("digits", out=tmp_path_factory.mktemp("runs") / "digits", **SMALL)


def test_the_run_folder_holds_what_it_should(digits):
    names = {p.name for p in digits.folder.iterdir()}
    wanted = {
        "manifest.json",
        "signals",
        "scores.parquet",
        "plane.parquet",
        "samples.parquet",
        "summary.json",
    }
    assert wanted | {"report.html"} <= names
    manifest = json.loads((digits.folder / "manifest.json").read_text())
    assert manifest["state"] == "done"
    assert manifest["options"]["models"] == 8
    assert json.loads((digits.folder / "summary.json").read_text())["claim"]["attack"] == "lira-online-fixed"


def test_scores_are_one_row_per_attack_target_and_sample(digits):
    scores = pd.read_parquet(digits.folder / "scores.parquet")
    assert list(scores.columns) == ["target", "sample", "attack", "member", "score"]
    assert len(scores) == 6 * 8 * 300
    assert scores.groupby(["attack", "target"]).member.sum().eq(150).all()
    pd.testing.assert_frame_equal(scores, digits.scores)


def test_scores_on_disk_are_those_of_the_signals_on_disk(digits):
    folder = next((digits.folder / "signals").iterdir())
    values = np.stack([np.load(folder / "scaled_logit" / f"model-{k:05d}.npy")[-1, :, 0] for k in range(8)])
    mask = np.load(folder / "membership.npy")
    for attack in ("lira-online-fixed", "rmia-online", "loss"):
        ours = digits.scores.query("attack == @attack").score.to_numpy().reshape(8, 300)
        np.testing.assert_array_equal(ours, vestige.score(values, mask, attack).values)


def test_the_plane_covers_every_sample_and_checkpoint(digits):
    plane = pd.read_parquet(digits.folder / "plane.parquet")
    assert len(plane) == 4 * 300
    assert sorted(plane.epoch.unique()) == [0, 3, 11, 24]
    assert plane.tpr.between(0, 1).all()
    # each target names at most alpha of its non-members, so the mean over samples cannot exceed it
    assert plane.groupby("checkpoint").fpr.mean().le(0.01 + 1e-9).all()
    start = plane[plane.checkpoint == 0]
    assert abs(start.tpr.mean() - start.fpr.mean()) < 0.02


def test_samples_join_exposure_and_difficulty(digits):
    samples = pd.read_parquet(digits.folder / "samples.parquet")
    assert len(samples) == 300
    assert samples["sample"].is_unique
    assert samples.difficulty.corr(samples.vulnerability, method="spearman") > 0.1
    assert samples.memorization.between(-1, 1).all()


def test_controls_pass_and_the_models_learn(digits):
    assert {c.name: c.passed for c in digits.result.controls} == {
        "positive control": True,
        "negative control": True,
        "foreign coins": True,
        "blind baseline": True,
    }
    train, test = digits.result.accuracies
    assert train.mean > test.mean > 0.7


def test_the_five_lines_are_plain(digits):
    lines = str(digits).splitlines()
    assert len(lines) == 5
    assert lines[-1] == f"Report: {digits.report}"


def test_equal_seeds_repeat_and_others_differ(digits, tmp_path):
    again = vestige.audit("digits", out=tmp_path / "again", **SMALL)
    other = vestige.audit("digits", out=tmp_path / "other", seed=1, **SMALL)
    for name in ("scores", "plane", "samples"):
        file = f"{name}.parquet"
        assert (again.folder / file).read_bytes() == (digits.folder / file).read_bytes()
    assert not other.scores.score.equals(digits.scores.score)


def test_noise_labels_leak_and_their_records_are_found(tmp_path):
    inputs, labels = toy(200, features=40)
    found = vestige.audit(
        (inputs, labels), models=8, epochs=30, batch_size=16, jobs=1, out=tmp_path / "run", model="mlp-64"
    )
    assert found.result.headline.auc.low > 0.8


def test_models_of_every_kind_run(tmp_path):
    inputs, labels = toy(60, classes=2)
    images = np.random.default_rng(0).integers(0, 255, (40, 1, 8, 8)).astype(np.uint8)
    cases = [
        ((inputs, labels), dropout_and_batch_norm, {}),
        ((inputs, labels), one_logit, {}),
        ((images, labels[:40]), "convnet", {"augmentation": "flip", "queries": "flip"}),
        (TensorDataset(torch.from_numpy(inputs), torch.from_numpy(labels)), "linear", {"optimizer": "adamw"}),
        ((inputs, labels), "mlp-8", {"design": "independent", "models": 14, "precision": "bf16"}),
    ]
    for number, (data, model, options) in enumerate(cases):
        options = {"models": 4, "epochs": 2, "jobs": 1, "attack": ("lira-online-fixed", "loss"), **options}
        found = vestige.audit(data, model=model, out=tmp_path / str(number), **options)
        assert np.isfinite(found.scores.score).all()


def dropout_and_batch_norm(shape, num_classes):
    return nn.Sequential(
        nn.Linear(shape[0], 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, num_classes)
    )


def one_logit(shape, num_classes):
    return nn.Sequential(nn.Linear(shape[0], 8), nn.Tanh(), nn.Linear(8, 1))


def test_the_engine_says_why_it_fell_back(tmp_path):
    found = vestige.audit(
        toy(), model=dropout_and_batch_norm, models=4, epochs=1, jobs=1, out=tmp_path / "a", attack="loss"
    )
    engine = next(fact.value for fact in found.result.recipe if fact.name == "Engine")
    assert "sequential" in engine
    assert "BatchNorm1d" in engine


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: vestige.audit("digitz"), "did you mean digit"),
        (lambda: vestige.audit("nowhere.npz"), "nowhere.npz is not a file"),
        (lambda: vestige.audit("digits", models=1), "models=1 must be at least 2"),
        (lambda: vestige.audit("digits", recipe=RECIPE, epochs=3), "epochs= is given beside recipe="),
        (lambda: vestige.audit("digits", recipe=RECIPE, model="mlp"), "model= is given beside recipe="),
        (lambda: vestige.audit("digits", batch_size=0), "batch_size=0 must be at least 1"),
        (lambda: vestige.audit("digits", modles=4), "did you mean models"),
        (lambda: vestige.audit("digits", attack="lira-onlin"), "did you mean lira-online"),
        (lambda: vestige.audit("digits", model="mpl"), "did you mean mlp"),
        (lambda: vestige.audit("digits", models=2), "needs at least"),
        (lambda: vestige.audit("digits", models=6, design="independent"), "use more models"),
        (lambda: vestige.audit("digits", augmentation="flip"), "works on images"),
        (lambda: vestige.audit("digits", policy="tpr@0.001<0.1"), "must read METRIC<=LIMIT"),
        (lambda: vestige.audit("digits", samples=5000), "samples=5000"),
        (lambda: vestige.audit("digits", precision="fp8"), "precision='fp8'"),
        (lambda: vestige.audit((np.full((9, 2), np.nan), np.arange(9) % 2)), "holds NaN"),
        (lambda: vestige.audit((np.zeros((9, 2)), np.zeros(9, int))), "2 classes"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(call, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message):
        call()
    assert list(tmp_path.iterdir()) == []


def test_a_foreign_folder_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(RunFolderError, match=r"thesis\.tex"):
        vestige.audit(toy(), models=4, epochs=1, out=tmp_path)
    (file := tmp_path / "file").write_text("x")
    with pytest.raises(RunFolderError, match="is a file"):
        vestige.audit(toy(), models=4, epochs=1, out=file)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "thesis.tex"]


def test_data_sorted_by_label_is_no_problem(tmp_path):
    inputs, labels = toy()
    vestige.audit((inputs, np.sort(labels)), models=4, epochs=1, jobs=1, out=tmp_path / "a", attack="loss")


def test_fewer_checkpoints_than_asked_for_are_said_so(tmp_path):
    options = {"models": 4, "epochs": 2, "jobs": 1, "attack": "loss", "checkpoints": 9}
    found = vestige.audit(toy(), out=tmp_path / "a", **options)
    assert found.plane.epoch.unique().tolist() == [0, 1, 2]
    assert "9 checkpoints were asked for; 2 epochs offer 3." in found.result.warnings


def test_a_changed_recipe_in_the_same_folder_is_trained_anew(tmp_path):
    def scores(epochs):
        options = {"models": 4, "jobs": 1, "attack": "loss", "out": tmp_path / "a"}
        return vestige.audit(toy(), epochs=epochs, **options).scores.score

    first, second, again = scores(1), scores(2), scores(1)
    assert not first.equals(second)
    assert first.equals(again)
    assert len(list((tmp_path / "a" / "signals").iterdir())) == 2


def test_a_policy_is_judged_on_the_interval(tmp_path):
    def code(policy):
        options = {
            "policy_by": "the board",
            "release_context": "staff only",
            "models": 8,
            "epochs": 30,
            "jobs": 1,
            "model": "mlp-64",
            "batch_size": 16,
        }
        return vestige.audit(toy(200, features=40), out=tmp_path / "a", policy=policy, **options).exit_code

    assert code("auc<=0.6") == 1
    assert code("auc<=1.0") == 0
    page = (tmp_path / "a" / "report.html").read_text()
    assert "Chosen by: the board" in page
    assert "staff only" in page


def test_ready_made_signals_get_the_same_audit(digits, tmp_path):
    from vestige.audits.scored import score_file

    folder = next((digits.folder / "signals").iterdir())
    values = np.stack([np.load(folder / "scaled_logit" / f"model-{k:05d}.npy")[..., 0] for k in range(8)])
    file = tmp_path / "ready.npz"
    np.savez(file, values=values, membership=np.load(folder / "membership.npy"), epochs=[0, 3, 11, 24])
    scored, call = score_file(file, out=tmp_path / "scored")
    assert call == "vestige.score(values, membership, 'lira-online-fixed')"
    for ours, theirs in zip(scored.result.attacks, digits.result.attacks, strict=True):
        assert ours.auc == theirs.auc
    assert scored.plane.tpr.equals(digits.plane.tpr)


def test_a_single_pair_of_models_is_audited_without_a_warning(tmp_path):
    """Every warning is an error here: two models leave no variance over models, and say so instead."""
    found = vestige.audit(
        "digits", models=2, samples=120, epochs=2, checkpoints=2, attack="loss", jobs=1, out=tmp_path / "pair"
    )
    assert found.result.attacks[0].auc.value is not None
