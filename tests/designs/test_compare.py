"""A comparison of defenses on few digits: what it trains, measures, writes, survives and refuses."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from vestige.cli.main import app
from vestige.core.errors import InputError
from vestige.designs import compare as comparing
from vestige.designs import figures as keeping
from vestige.designs.compare import compare

SMALL = {
    "samples": 240,
    "models": 8,
    "epochs": 5,
    "jobs": 1,
    "attack": ("lira-online-fixed", "loss"),
    "model": "mlp-16",
}
DEFENSES = ("label_smoothing:0.5", "weight_decay:0.01+dropout:0.2")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    out = tmp_path_factory.mktemp("compare") / "run"
    return compare("digits", DEFENSES, seeds=2, canaries=30, out=out, **SMALL)


def test_none_is_always_among_the_defenses_and_first(found):
    assert found.defenses[:-1] == ("none", *DEFENSES)
    assert found.defenses[-1].startswith("dp_sgd:noise=")
    assert found.seeds == 2
    assert found.failures == {}


def test_every_defense_and_seed_has_the_promised_rows(found):
    wanted = {
        *(("lira-online-fixed", m) for m in ("auc", "advantage", "tpr@0.01", "tpr@0.001")),
        *(("loss", m) for m in ("auc", "advantage", "tpr@0.01", "tpr@0.001")),
        *(("lira-online-fixed@canaries", m) for m in ("auc", "tpr@0.01")),
        *(("utility", m) for m in ("train_accuracy", "test_accuracy", "ece", "time_ratio")),
        *(("distance", m) for m in ("auc", "advantage", "gain")),
        ("loss-average", "advantage"),
        ("loss-powerful", "advantage"),
        ("lira-online-fixed", "worst_tpr"),
    }
    table = pd.read_parquet(found.folder / "comparison.parquet")
    assert list(table.columns) == ["defense", "seed", "attack", "metric", "value", "low", "high"]
    for defense in found.defenses:
        for seed in (0, 1):
            rows = table[(table.defense == defense) & (table.seed == seed)]
            assert wanted <= set(zip(rows.attack, rows.metric, strict=True))
    ends = table.dropna()
    assert (ends.low <= ends.value + 1e-12).all()
    assert (ends.value <= ends.high + 1e-12).all()


def test_the_same_seed_means_the_same_coins(found):
    coins = {}
    for folder in (found.folder / "cells").iterdir():
        seed = folder.name[-1]
        coins.setdefault(seed, []).append(np.load(next(folder.glob("signals/*/membership.npy"))))
    assert all(np.array_equal(one, masks[0]) for masks in coins.values() for one in masks)
    assert not np.array_equal(coins["0"][0], coins["1"][0])


def test_mislabelled_canaries_are_more_exposed_than_the_average_record(found):
    none = found.over_seeds("none")
    assert none["lira-online-fixed@canaries", "auc"].value > none["lira-online-fixed", "auc"].value


def test_the_time_of_none_is_one(found):
    table = found.table
    none = table[(table.defense == "none") & (table.metric == "time_ratio")]
    assert none.value.tolist() == [1.0, 1.0]


def test_private_training_tuned_for_use_stands_beside_the_others_on_canaries(found):
    notes = found.notes[found.defenses[-1]]
    assert any("epsilon" in note.lower() for note in notes)
    assert notes[0].startswith("Noise chosen from 4, 2, 1, 0.5, 0.25, 0.1")
    assert "dp_sgd" in found.report.read_text(encoding="utf-8")


def test_a_private_row_of_ones_own_is_enough(tmp_path, monkeypatch):
    monkeypatch.setattr(comparing, "tuned_private", lambda *_: pytest.fail("nothing is to be tuned"))
    own = "dp_sgd:noise=1/delta=1e-4"
    with_own = comparing.design_of(comparing.Options(dataset="digits", canaries=3), [own], 1)
    without = comparing.design_of(comparing.Options(dataset="digits"), ["dropout:0.1"], 1)
    for design in (with_own, without):
        assert comparing._with_private(design, tmp_path, comparing.silent) == (design, {})


def test_page_and_json_hold_all_defenses(found):
    page = found.report.read_text(encoding="utf-8")
    document = json.loads((found.folder / "comparison.json").read_text())
    assert {row["defense"] for row in document["rows"]} == set(found.defenses)
    assert all(defense in page for defense in found.defenses)
    assert 'id="figure-front-loss-powerful-advantage"' in page
    assert 'id="figure-loss-ranks"' in page


def test_a_second_call_trains_nothing_and_says_the_same(found, monkeypatch):
    before = (found.folder / "comparison.parquet").read_bytes()
    monkeypatch.setattr("vestige.audits.audit.run", lambda *_: pytest.fail("a finished cell was run again"))
    again = compare("digits", DEFENSES, seeds=2, canaries=30, out=found.folder, **SMALL)
    assert (again.folder / "comparison.parquet").read_bytes() == before


def measured_cells(monkeypatch):
    """The cells that are measured from now on, not read; each entry is a defense."""
    cells, original = [], keeping.measured

    def noting(prepared, *rest):
        cells.append(prepared.options.defense)
        return original(prepared, *rest)

    monkeypatch.setattr(keeping, "measured", noting)
    return cells


def test_figures_are_read_again_and_measured_again_where_they_are_damaged_or_of_other_measures(
    found, monkeypatch
):
    quick = {**SMALL, "seeds": 1, "out": found.folder, "labels": False, "distance": False}
    cells = measured_cells(monkeypatch)
    first = compare("digits", DEFENSES, canaries=30, **quick)
    assert sorted(cells) == sorted(first.defenses)
    cells.clear()
    again = compare("digits", DEFENSES, canaries=30, **quick)
    assert cells == []
    pd.testing.assert_frame_equal(again.table, first.table)
    assert again.notes == first.notes
    for file in found.folder.glob("cells/*label_smoothing*/figures.json"):
        file.write_text(file.read_text()[:-20])
    assert compare("digits", DEFENSES, canaries=30, **quick).failures == {}
    assert cells == [DEFENSES[0]]


def test_a_single_pair_of_models_is_enough_for_the_loss_attacks(tmp_path):
    pair = {**SMALL, "models": 2, "attack": ("loss",)}
    found = compare(
        "digits", DEFENSES[:1], seeds=1, distance=False, labels=False, out=tmp_path / "pair", **pair
    )
    assert found.failures == {}
    assert not {"distance", "label-only", "wrong-classes"} & set(found.table.attack)
    assert found.over_seeds("label_smoothing:0.5")["loss-powerful", "advantage"].value is not None
    assert ("lira-adaptive", "auc") not in found.over_seeds("label_smoothing:0.5")
    assert not (found.folder / "loss_ranks.parquet").exists()
    assert found.report.is_file()


def test_a_failing_cell_leaves_the_others(found, monkeypatch, tmp_path):
    original = keeping.measured

    def failing(prepared, *rest):
        if "label" in prepared.options.defense:
            raise MemoryError("no room")
        return original(prepared, *rest)

    monkeypatch.setattr(keeping, "measured", failing)
    partly = compare("digits", DEFENSES[:1], seeds=1, distance=False, out=tmp_path / "run", **SMALL)
    assert partly.failures == {("label_smoothing:0.5", 0): "MemoryError: no room"}
    assert set(partly.table.defense) == {"none"}
    assert "label_smoothing:0.5 could not be measured" in partly.report.read_text(encoding="utf-8")


def test_training_that_fails_for_one_defense_is_not_the_end(monkeypatch, tmp_path):
    original = comparing.fit_all

    def failing(plans, folders, jobs, report):
        if any(plan.recipe.loss.label_smoothing for plan in plans):
            raise OSError("disk full")
        return original(plans, folders, jobs, report)

    monkeypatch.setattr(comparing, "fit_all", failing)
    partly = compare("digits", DEFENSES[:1], seeds=1, distance=False, out=tmp_path / "run", **SMALL)
    assert partly.failures == {("label_smoothing:0.5", 0): "OSError: disk full"}
    assert set(partly.table.defense) == {"none"}


@pytest.mark.parametrize(
    ("defenses", "changes", "message"),
    [
        ((), {}, "name at least one"),
        (("none",), {}, "name at least one"),
        (("label_smothing:0.1",), {}, "label_smoothing"),
        (("label_smoothing:2",), {}, "label_smoothing"),
        (("dp_sgd:1",), {}, "delta"),
        (("random_crop:1",), {}, "image"),
        (("dropout:0.1",), {"seeds": 0}, "seeds=0"),
        (("dropout:0.1",), {"canaries": 121}, "half of the 240"),
        (("dropout:0.1",), {"defense": "mixup:1"}, "defense"),
    ],
)
def test_bad_input_stops_before_training(defenses, changes, message, tmp_path):
    with pytest.raises(InputError, match=message):
        compare("digits", defenses, out=tmp_path / "never", **{**SMALL, **changes})
    assert not (tmp_path / "never").exists()


def test_the_command_gives_the_same_rows(found, tmp_path):
    words = ["compare", "digits", "--quiet", "--seeds", "1", "--no-distance", "--out", str(tmp_path / "run")]
    words += ["--defense", DEFENSES[0], "--canaries", "30", "--attack", "lira-online-fixed,loss"]
    words += [f"--{name}={value}" for name, value in SMALL.items() if name != "attack"]
    ran = CliRunner().invoke(app, words)
    assert ran.exit_code == 0, ran.output
    mine = found.table[(found.table.seed == 0) & (found.table.metric == "auc")]
    theirs = pd.read_parquet(tmp_path / "run/comparison.parquet")
    theirs = theirs[theirs.metric == "auc"]
    merged = theirs.merge(mine, on=["defense", "attack"], suffixes=("", "_mine"))
    assert len(merged) == len(theirs)
    assert np.array_equal(merged.value, merged.value_mine)
