"""`vestige.localize` from data to page."""

import json

import numpy as np
import pandas as pd
import pytest

from vestige.core.errors import InputError
from vestige.localization.localize import localize
from vestige.localization.request import Request

SMALL = {
    "samples": 240, "model": "mlp-24-24", "label_noise": 0.3, "models": 4, "epochs": 8, "jobs": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return localize("digits", out=tmp_path_factory.mktemp("runs") / "a", **SMALL)


def test_every_probe_speaks_of_every_region(found):
    assert found.names == ("layer1", "layer2", "head")
    assert found.probes == (
        "rewinding to epoch 0", "rewinding to epoch 1", "retraining", "weight scores", "routing",
    )  # fmt: skip
    for probe in found.probes:
        for metric in ("privacy", "generalization"):
            assert np.isfinite(found.values(probe, metric)).all()


def test_shares_of_weights_add_up(found):
    parameters = np.array([region.parameters for region in found.regions])
    for metric in ("privacy", "generalization"):
        shares = found.values("weight scores", f"{metric}_share")
        assert shares.sum() == pytest.approx(1)
        each = found.values("weight scores", metric)  # per parameter, over the network's mean
        np.testing.assert_allclose(each, shares / (parameters / parameters.sum()))


def test_nothing_lies_in_no_protection_and_differences_are_paired(found):
    assert found.estimate("routing", "none", "privacy").value == 0
    for words in found.candidates:
        gained = found.estimate("routing", words, "privacy").value
        aucs = [found.estimate("routing", one, "auc").value for one in ("none", words)]
        assert gained == pytest.approx(aucs[0] - aucs[1])


def test_files_hold_what_was_found(found):
    document = json.loads((found.folder / "localization.json").read_text())
    assert len(document["rows"]) == len(found.rows)
    assert document["best"] == found.best
    assert document["ranks"]["routing"].keys() == set(found.names)
    pd.testing.assert_frame_equal(pd.read_parquet(found.folder / "regions.parquet"), found.table)
    page = found.report.read_text()
    assert "protect=auto in vestige compare" in page
    assert json.loads((found.folder / "manifest.json").read_text())["state"] == "done"


def test_a_second_call_trains_and_probes_nothing_and_finds_the_same(found):
    stages = []
    again = localize("digits", out=found.folder, listener=lambda step: stages.append(step.stage), **SMALL)
    assert set(stages) == {"train", "reuse"}
    assert again.rows == found.rows
    assert again.seconds == found.seconds


def test_regions_of_ones_own_are_localized_in_the_order_in_which_they_run(tmp_path):
    path = tmp_path / "regions.toml"
    path.write_text('rest = ["3", "5"]\nfirst = ["1"]\n')
    found = localize("digits", regions=path, out=tmp_path / "run", **SMALL)
    assert found.names == ("first", "rest")
    assert set(found.candidates) == {"none", "all", "first", "rest"}
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["localize"]["regions"] == {"rest": ["3", "5"], "first": ["1"]}
    (trained,) = (tmp_path / "run" / "populations" / "routed-rest" / "signals").iterdir()
    path.write_text('rest = ["5"]\nfirst = ["1", "3"]\n')
    localize("digits", regions=str(path), out=tmp_path / "run", **SMALL)
    assert len(list(trained.parent.iterdir())) == 2  # of other regions, so trained apart


def test_figures_of_something_else_are_not_read_again(found):
    record = found.folder / "probes.json"
    written = record.read_text()
    stages = []
    try:
        for text in (written.replace('"key": "', '"key": "0'), "[]", "{"):
            record.write_text(text)
            again = localize("digits", out=found.folder, listener=lambda s: stages.append(s.stage), **SMALL)
            assert "rewind" in stages
            stages.clear()
            pd.testing.assert_frame_equal(again.table, found.table)
    finally:
        record.write_text(written)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"dataset": ""}, "dataset='' is missing"),
        ({"model": "linear"}, "one region only"),
        ({"models": 3}, "models=3 must be at least 4"),
        ({"defense": "label_smothing:0.3"}, "label_smoothing"),
        ({"defense": "none"}, "must be one defense"),
        ({"defense": "label_smoothing:0.3+weight_decay:0.01"}, "must be one defense"),
        ({"defense": "pptp:label_smoothing:0.3/protect=head"}, "must be one defense"),
        ({"defense": "dropout:0.3"}, "cannot limit dropout to regions"),
        ({"grain": "layer"}, "grain='layer' must be one of stage, block"),
        ({"rewind": (1.0,)}, "rewind=1.0 must lie between"),
        ({"attack": "loss"}, "leave it out"),
        ({"regions": "nowhere.toml"}, r"regions=nowhere\.toml cannot be read"),
        ({"regions": "regions.json"}, r"must be a \.toml file"),
    ],
)
def test_bad_input_is_one_line_before_training(tmp_path, given, message):
    options = {"dataset": "digits", **SMALL, "out": tmp_path / "never", **given}
    with pytest.raises(InputError, match=message):
        localize(options.pop("dataset"), options.pop("defense", "label_smoothing:0.3"), **options)
    assert not (tmp_path / "never").exists()


def test_regions_of_the_plane_are_refused_and_a_path_must_be_writable(tmp_path):
    from vestige.audits.options import Options

    with pytest.raises(InputError, match=r"regions='grid:10' is of the plane, which is not drawn here"):
        Request(base=Options(regions="grid:10"))
    path = tmp_path / "a+b.toml"
    path.write_text('a = ["1"]\n')
    with pytest.raises(InputError, match="a path with a plus"):
        Request(base=Options(), regions=path)
    with pytest.raises(InputError, match="grain=block is of inferred regions"):
        localize("digits", regions=path.rename(tmp_path / "a.toml"), grain="block", **SMALL)


def test_protections_are_written_as_defenses_are():
    from vestige.audits.options import Options

    asked = Request(base=Options(), defense="dp_sgd:noise=1,delta=1e-5", grain="block")
    assert asked.protecting("none") == "none"
    assert asked.protecting("all") == "dp_sgd:noise=1,delta=1e-5"
    assert asked.protecting("head") == "pptp:dp_sgd:noise=1;delta=1e-5/protect=head/grain=block"
    smoothing = Request(base=Options())
    assert smoothing.protecting("head", "two_phase").endswith("protect=head/phase=two_phase")
    assert smoothing.epochs(60) == (0, 3, 9)
    assert smoothing.epochs(5) == (0, 1)
