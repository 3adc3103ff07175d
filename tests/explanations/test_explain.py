"""A finished audit explained, of images, of flat images and of tables."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

import vestige
from vestige.core.errors import InputError

pytest.importorskip("captum")


def images(samples=160):
    random = np.random.default_rng(0)
    labels = np.arange(samples) % 2
    inputs = random.normal(0, 0.6, (samples, 1, 8, 8)).astype(np.float32)
    inputs[labels == 1, :, 2:6, 2:6] += 0.7
    return vestige.Dataset(inputs, labels, 2, "blobs", class_names=("dark", "light"))


@pytest.fixture(scope="module")
def table_run(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "wine"
    vestige.audit("wine", models=8, epochs=12, checkpoints=4, label_noise=0.1, out=out, jobs=1)
    return out


@pytest.fixture(scope="module")
def image_run(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "blobs"
    options = {"models": 8, "epochs": 8, "checkpoints": 3, "jobs": 1, "batch_size": 16}
    vestige.audit(images(), model="convnet-1", out=out, **options)
    return out


@pytest.fixture(scope="module")
def explained_table(table_run):
    return vestige.explain(table_run, fpr=0.05, records=40)


def test_every_file_is_there(explained_table):
    names = {path.name for path in explained_table.folder.iterdir()}
    assert names >= {"report.html", "explanation.json", "members.parquet", "samples.parquet"}
    for stem in ("by-class", "scaled-logits", "plane-of-features", "plane-by-class"):
        for suffix in (".png", ".svg", ".parquet"):
            assert (explained_table.figures / f"{stem}{suffix}").stat().st_size > 500, stem + suffix


def test_the_tables_agree_with_the_run(explained_table, table_run):
    members = pd.read_parquet(explained_table.folder / "members.parquet")
    scores = pd.read_parquet(table_run / "scores.parquet")
    own = scores[(scores.target == 0) & scores.member & (scores.attack == "lira-online-fixed")]
    assert list(members["sample"]) == list(own["sample"])
    np.testing.assert_array_equal(members.score_lira, own.score)
    told = json.loads((explained_table.folder / "explanation.json").read_text())
    given_away = {row["rule"]: row["given_away"] for row in told["rules"]}
    assert given_away["lira"] == members.named_lira.sum()


def test_what_a_model_answers_is_what_was_recorded(explained_table, table_run):
    """The reopened model, the labels with their noise and the rows belong together."""
    store = next((table_run / "signals").iterdir())
    correct = np.load(store / "correct" / "model-00000.npy")[-1, :, 0]
    member = np.load(store / "membership.npy")[0]
    answers = explained_table.members
    np.testing.assert_array_equal((answers.predicted == answers.label).to_numpy(), correct[member] == 1)


def test_the_known_wrong_labels_are_used(explained_table):
    check = explained_table.page.label_check
    assert check is not None
    assert check.auc > 0.7
    assert all(rule.mislabelled is not None for rule in explained_table.page.rules)


def test_a_table_gets_features_in_place_of_pictures(explained_table):
    records = explained_table.page.records
    assert records.pictures is None
    assert records.maps is None
    assert records.features is not None
    assert all(len(features) == 8 for features in records.features)


def test_neighbors_are_rows_of_what_is_pictured(explained_table):
    records = explained_table.page.records
    np.testing.assert_array_equal(records.pictured_ids[: len(records.ids)], records.ids)
    assert (records.pictured_ids[records.neighbors] != records.ids[:, None]).all()
    assert (np.diff(records.neighbor_distances, axis=1) >= 0).all()


def test_a_convolution_is_looked_at_by_grad_cam(image_run):
    found = vestige.explain(image_run, dataset=images(), model="convnet-1", fpr=0.05)
    assert found.page.attributions.method.startswith("Grad-CAM of layer ")
    maps = found.page.records.maps
    assert maps.min() == 0
    assert maps.max() == 1
    assert (found.figures / "gallery.png").is_file()


def test_the_same_call_gives_the_same_figures(table_run):
    first, second = (vestige.explain(table_run, attribution="none", records=20) for _ in range(2))
    np.testing.assert_array_equal(first.page.plot.points, second.page.plot.points)
    pd.testing.assert_frame_equal(first.members, second.members)


def test_groups_are_compared(table_run):
    groups = np.where(np.arange(178) < 60, "first", "rest")
    found = vestige.explain(table_run, groups=groups, attribution="none", fpr=0.05)
    assert {group.name for group in found.page.by_group.groups} == {"first", "rest"}
    assert set(pd.read_parquet(found.folder / "groups.parquet").kind) == {"class", "groups"}


def test_grad_cam_of_a_model_without_convolutions_is_refused(table_run):
    with pytest.raises(InputError, match="no convolution: use integrated"):
        vestige.explain(table_run, attribution="grad-cam")


def test_an_unknown_layer_names_near_misses(image_run):
    with pytest.raises(InputError, match="layer='9' is not known"):
        vestige.explain(image_run, dataset=images(), model="convnet-1", layer="9")


def test_a_perplexity_too_large_names_one_that_works(table_run):
    with pytest.raises(InputError, match=r"perplexity=60 must be .* perplexity=\d+ works"):
        vestige.explain(table_run, perplexity=60)


def test_groups_of_another_length_are_refused(table_run):
    with pytest.raises(InputError, match="groups holds 3 entries for 178 records"):
        vestige.explain(table_run, groups=["a", "b", "c"])


def test_a_target_that_there_is_not(table_run):
    with pytest.raises(InputError, match="target=8 is none of the run's models, 0 to 7"):
        vestige.explain(table_run, target=8)


def test_an_unknown_option_and_an_unknown_rule(table_run):
    with pytest.raises(InputError, match="did you mean perplexity"):
        vestige.explain(table_run, perplexty=3)
    with pytest.raises(InputError, match="rule='best'"):
        vestige.explain(table_run, rule="best")


def test_missing_weights_are_named_with_the_remedy(table_run, tmp_path):
    run = tmp_path / "bare"
    shutil.copytree(table_run, run)
    shutil.rmtree(next((run / "signals").iterdir()) / "weights")
    with pytest.raises(InputError, match=r"no saved weights of model 0.* give the audit's command again"):
        vestige.explain(run)


def test_a_run_of_arrays_asks_for_them(image_run):
    with pytest.raises(InputError, match=r"its data set was given from Python; give the same"):
        vestige.explain(image_run)


def test_other_data_and_another_model_are_refused(image_run):
    other = images()
    changed = vestige.Dataset(other.inputs + 1, other.targets, 2, "blobs", class_names=other.class_names)
    with pytest.raises(InputError, match="is not the one that was audited"):
        vestige.explain(image_run, dataset=changed, model="convnet-1")
    with pytest.raises(InputError, match="the recipe is not the one that was audited"):
        vestige.explain(image_run, dataset=other, model="convnet-2")


def test_a_folder_without_a_run(tmp_path):
    with pytest.raises(InputError, match="is not the folder of a run that trained models"):
        vestige.explain(tmp_path)
