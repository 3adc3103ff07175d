"""The gates of the study of vulnerable samples on digits: 64 models for the sets, paired seeds for defenses.

Set VESTIGE_STUDY_VULNERABLE_SAMPLES to a folder to keep the models between runs.
"""

import os
from pathlib import Path

import numpy as np
import pytest

from vestige.studies.part import Settings, comparison
from vestige.studies.regularization_claims import value
from vestige.studies.vulnerable_claims import ADVANTAGE, AUC, LOW_TPR, REWEIGHTED, TEST, gap
from vestige.studies.vulnerable_samples import explanation, parts

pytestmark = pytest.mark.study


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    kept = os.environ.get("VESTIGE_STUDY_VULNERABLE_SAMPLES")
    return Settings(out=Path(kept) if kept else tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module", params=["digits sets", "wrong label sets"])
def page(settings, request):
    return explanation(settings, request.param, parts(settings)[request.param]).page


@pytest.fixture(scope="module")
def digits(settings):
    return comparison(settings, "digits", parts(settings)["digits"])


def places(page, rule):
    title = next(found.title for found in page.rules if found.key == rule)
    found = next(difference for difference in page.differences if difference.rule == title)
    return {measure: estimate.value for measure, estimate in found.percentiles}


def test_calibrated_sets_lie_far_out_and_those_of_one_threshold_do_not(page):
    for measure in ("Distance to its class", "Out-of-fold loss"):
        assert places(page, "lira")[measure] > 0.75
        assert places(page, "global")[measure] < 0.5


def test_one_threshold_names_about_as_many_as_chance(page):
    sizes = {rule.key: rule.sets.times_chance().value for rule in page.rules}
    assert 0.5 < sizes["global"] < 2
    assert sizes["lira"] > 3


def test_wrong_labels_are_given_away(page):
    shares = {rule.key: rule.mislabelled for rule in page.rules}
    if shares["lira"] is not None:
        assert shares["lira"].value >= 0.4
        assert shares["global"].value < 0.05


def test_the_range_of_losses_finds_whom_lira_names(page):
    assert page.rankings[0].top[0].precision.value > 0.7


def test_what_raises_and_what_lowers_the_attack(digits):
    none = value(digits, "none", AUC).values
    assert (value(digits, "label_smoothing:0.1", AUC).values - none).mean() >= 0.015
    lowered = value(digits, "weight_decay:0.005", ADVANTAGE).values - value(digits, "none", ADVANTAGE).values
    assert lowered.mean() <= -0.02
    assert value(digits, "none", LOW_TPR).values.mean() <= 0.03


def test_reweighting_leaves_what_the_gap_gives(digits):
    left = value(digits, REWEIGHTED, AUC).values - (0.5 + gap(digits, REWEIGHTED).values / 2)
    assert abs(left.mean()) <= 0.025
    assert (value(digits, REWEIGHTED, ADVANTAGE).values >= gap(digits, REWEIGHTED).values - 0.01).all()
    np.testing.assert_array_equal(value(digits, REWEIGHTED, TEST).values, value(digits, "none", TEST).values)
