"""What a comparison of defenses makes of its rows: tables, means over seeds, and the page."""

from pathlib import Path

import numpy as np
import pytest

from vestige.designs.protection import MeasuredRow, Protection, mean_of, mechanism
from vestige.report.protection import render_protection
from vestige.report.protection_figures import LossRanks
from vestige.risk.estimate import Estimate

DEFENSES = {"none": (0.9, 0.3), "crop:4": (0.88, 0.1), "crop:8": (0.6, 0.05), "dropout:0.5": (0.85, 0.2)}
KEYS = {
    ("utility", "test_accuracy"): 0,
    ("loss-powerful", "advantage"): 1,
    ("loss-average", "advantage"): 1,
    ("lira-online-fixed", "tpr@0.01"): 1,
    ("lira-online-fixed", "worst_tpr"): 1,
    ("distance", "auc"): 1,
    ("loss-same-records", "auc"): 1,
}


def estimate(value):
    return Estimate(value=value, low=value - 0.01, high=value + 0.01)


def rows(gain=0.02):
    found = [
        MeasuredRow(
            defense=name, seed=seed, attack=a, metric=m, estimate=estimate(point[side] + 0.001 * seed)
        )
        for name, point in DEFENSES.items()
        for seed in range(3)
        for (a, m), side in KEYS.items()
    ]
    gains = [
        MeasuredRow(
            defense=name, seed=s, attack="distance", metric="gain", estimate=estimate(gain + 1e-4 * s)
        )
        for name in ("none", "crop:4")
        for s in range(3)
    ]
    return tuple(found + gains)


@pytest.fixture
def protection(tmp_path):
    return Protection(
        rows(), tmp_path, {("relax_loss:1", 0): "OSError: no space"}, {"crop:4": ("epsilon 8 at delta 1e-5",)}
    )


def page(protection):
    ranks = LossRanks(names=("none", "crop:4"), values=np.array([[0.9, 0.5], [0.5, np.nan]]))
    path = protection.folder / "page.html"
    summary, links = protection.summary, {"none": "cells/none/report.html"}
    return render_protection(summary, "lira-online-fixed", 3, ranks, path, links).read_text(encoding="utf-8")


def test_the_table_has_a_row_per_defense_seed_attack_and_metric(protection):
    table = protection.table
    assert list(table.columns) == ["defense", "seed", "attack", "metric", "value", "low", "high"]
    assert len(table) == 4 * 3 * len(KEYS) + 6
    assert not table.duplicated(["defense", "seed", "attack", "metric"]).any()


def test_means_over_seeds_take_the_wider_of_what_models_and_seeds_scatter():
    apart = mean_of([estimate(v) for v in (1.0, 2.0, 3.0)])
    assert apart.value == 2
    assert apart.high - 2 == pytest.approx(1.959964 / np.sqrt(3), rel=1e-3)  # the seeds' own spread, 1
    alike = mean_of([estimate(v) for v in (1.0, 1.0, 1.0)])
    assert alike.high - 1 == pytest.approx(0.01 / np.sqrt(3))
    bare = mean_of([Estimate(value=v) for v in (1.0, 2.0, 3.0)])
    assert bare.high - 2 == pytest.approx(4.302653 / np.sqrt(3))
    many = mean_of([estimate(float(v)) for v in range(1, 8)])  # the intervals within are not needed
    assert many.high == pytest.approx(4 + 2.4469 * np.std(range(1, 8), ddof=1) / np.sqrt(7), abs=1e-3)
    assert mean_of([estimate(1.0)]) == estimate(1.0)
    assert mean_of([Estimate(value=None)]).value is None
    assert mean_of([Estimate(value=None), estimate(4.0)]).value == 4


def test_a_failed_defense_is_named_and_the_others_stand(protection):
    assert protection.defenses == ("none", *list(DEFENSES)[1:], "relax_loss:1")
    text = page(protection)
    assert "relax_loss:1 could not be measured: OSError: no space" in text
    assert "crop:4" in text


def test_the_page_names_front_and_winners(protection):
    text = page(protection)
    assert "Not beaten in both accuracy and leakage by any other: none, crop:4, crop:8." in text
    assert "crop:4: 88.1" in text
    assert "at most 25 % lower" in text.replace("\u00a0", " ")
    assert "epsilon 8 at delta 1e-5" in text
    assert 'id="figure-loss-ranks"' in text


def test_a_false_sense_of_privacy_needs_the_whole_interval(tmp_path):
    assert "A false sense of privacy: with none, crop:4" in page(Protection(rows(0.02), tmp_path))
    assert "Nowhere does the distance" in page(Protection(rows(-0.02), tmp_path))


def test_the_mechanism_is_the_defense_without_parameters():
    assert mechanism("label_smoothing:0.1+random_crop:4") == "label_smoothing+random_crop"
    assert mechanism("none") == "none"


def test_a_comparison_of_one_seed_keeps_its_own_intervals():
    one = Protection(tuple(r for r in rows() if r.seed == 0), Path())
    assert one.over_seeds("none")["distance", "auc"] == estimate(0.3)
