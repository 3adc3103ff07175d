"""What defenses lose and gain: paired by target, and no division by nothing."""

import numpy as np
import pytest

import vestige
from vestige.data.membership import paired
from vestige.designs.target_figures import figures
from vestige.population.recorded import recorded
from vestige.report.disparity import GAINED, LOST, disparity, rate
from vestige.report.protection_figures import ProtectionRow
from vestige.risk.estimate import Estimate
from vestige.signals.source import read

SAME = "label_smoothing:0"


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return vestige.compare(
        "digits", [SAME, "early_stopping:2"], seeds=1, distance=False, samples=400, model="mlp-32", epochs=30,
        models=4, jobs=1, out=tmp_path_factory.mktemp("disparity"),
    )  # fmt: skip


def of(found, defense, key):
    return next(r.estimate for r in found.rows if r.defense == defense and (r.attack, r.metric) == key)


def test_a_defense_that_does_nothing_loses_and_gains_nothing(found):
    for key in (LOST, GAINED, ("loss", "gained")):
        estimate = of(found, SAME, key)
        assert (estimate.value, estimate.low, estimate.high) == (0, 0, 0)
    assert not [r for r in found.rows if r.defense == "none" and r.metric in ("lost", "gained")]


def test_losses_are_means_over_members_and_others(found):
    one = recorded(next((found.folder / "cells").glob("defense=none*")))
    expected = {"train_loss": [], "test_loss": []}
    for model, coins in enumerate(one.membership.mask):
        losses = read(one.signals, "loss", model, -1).mean(1)
        expected["train_loss"].append(np.mean([x for x, coin in zip(losses, coins, strict=True) if coin]))
        expected["test_loss"].append(np.mean([x for x, coin in zip(losses, coins, strict=True) if not coin]))
    for name, values in expected.items():
        estimate = of(found, "none", ("utility", name))
        assert estimate.value == pytest.approx(np.mean(values))
        assert estimate.low <= estimate.value <= estimate.high


def test_stopping_early_loses_accuracy_and_gains_privacy(found):
    lost, gained = (of(found, "early_stopping:2", key) for key in (LOST, ("loss", "gained")))
    assert lost.low > 0
    assert gained.value > 0
    difference = of(found, "none", ("utility", "test_accuracy")).value
    difference -= of(found, "early_stopping:2", ("utility", "test_accuracy")).value
    assert lost.value == pytest.approx(difference, abs=1e-6)


def row(lost, gained):
    ends = {LOST: lost, GAINED: gained}
    return ProtectionRow(
        name="x",
        mechanism="x",
        estimates={key: Estimate(value=v, low=low, high=high) for key, (v, low, high) in ends.items()},
        notes=(),
        failure="",
    )


@pytest.mark.parametrize(
    ("lost", "gained", "expected"),
    [
        ((0.02, 0.01, 0.04), (0.1, 0.08, 0.12), "5.00 (2.00 to 12.00)"),
        ((0.02, 0.01, 0.04), (-0.1, -0.12, -0.08), "-5.00 (-12.00 to -2.00)"),
        ((0.0, -0.01, 0.01), (0.1, 0.08, 0.12), "protects, no clear loss"),
        ((-0.02, -0.03, -0.01), (0.1, 0.08, 0.12), "protects, gains accuracy"),
        ((-0.02, -0.03, -0.01), (-0.1, -0.12, -0.08), "leaks more, gains accuracy"),
        ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), "no clear loss"),
        ((0.02, None, None), (0.1, 0.08, 0.12), "no interval"),
    ],
)
def test_what_is_gained_for_what_is_lost(lost, gained, expected):
    assert rate(row(lost, gained)) == expected


def test_without_a_base_there_is_no_table():
    assert disparity([ProtectionRow(name="x", mechanism="x", estimates={}, notes=(), failure="")]) == []


def test_without_references_there_is_no_figure_of_theirs():
    coins = paired(2, 300, 0)
    generator = np.random.default_rng(0)
    found = figures("pair", generator.normal(size=(2, 300)), generator.random((2, 300)) > 0.5, coins)
    assert np.isnan(found.auc).all()
    assert np.isfinite(found.loss_auc).all()
