"""The gates of the regularization study on noisy digits: 16 models per defense, three fresh seeds.

Set VESTIGE_STUDY_REGULARIZATION to a folder to keep the models between runs; without them it takes long.
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vestige.studies.part import Settings, comparison
from vestige.studies.regularization import parts
from vestige.studies.regularization_claims import ACCURACY, BOTH, DISTANCE, GAIN, NOISE, POWERFUL, value

pytestmark = pytest.mark.study


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    kept = os.environ.get("VESTIGE_STUDY_REGULARIZATION")
    folder = Path(kept) if kept else tmp_path_factory.mktemp("study")
    return Settings(out=folder, parts=("noisy digits", "paired distances"))


@pytest.fixture(scope="module")
def found(settings):
    return {name: comparison(settings, name, part) for name, part in parts(settings).items()}


@pytest.fixture(scope="module")
def digits(found):
    return found["noisy digits"]


def mean(comparison, defense, key=POWERFUL):
    return float(value(comparison, defense, key).values.mean())


def test_the_plain_network_leaks_as_much_as_it_should(digits):
    assert 0.20 < mean(digits, "none") < 0.33


def test_label_smoothing_helps_the_attack_and_not_at_the_cost_of_accuracy(digits):
    rungs = [value(digits, f"label_smoothing:{share}", POWERFUL).values for share in ("0.1", "0.5", "0.9")]
    assert (rungs[0] < rungs[1]).all()
    assert (rungs[1] < rungs[2]).all()
    assert (rungs[2] - value(digits, "none", POWERFUL).values > 0.10).all()
    assert mean(digits, "label_smoothing:0.5", ACCURACY) >= mean(digits, "none", ACCURACY) - 0.01


@pytest.mark.parametrize("defense", [NOISE, "dropout:0.8", "random_crop:1", "early_stopping:15"])
def test_what_lowers_the_advantage(digits, defense):
    assert mean(digits, defense) < 0.6 * mean(digits, "none")


def test_distance_and_loss_see_much_the_same_on_average(digits):
    assert mean(digits, "none", DISTANCE) > 0.62
    for defense in digits.defenses:
        assert abs(mean(digits, defense, GAIN)) < 0.02


@pytest.mark.parametrize("defense", [NOISE, "dropout:0.8"])
def test_the_distance_sees_more_where_regularization_is_strong(found, defense):
    gain = value(found["paired distances"], defense, GAIN).estimate
    assert gain.low > 0


def test_and_not_on_the_plain_network(found):
    gain = value(found["paired distances"], "none", GAIN).estimate
    assert gain.low < 0


def test_relative_levels_are_reached(digits):
    """A walk that is cut off would leave the distance without a figure."""
    for defense in digits.defenses:
        assert np.isfinite(mean(digits, defense, DISTANCE))


def test_smoothing_makes_wrong_classes_alike_for_members(digits):
    for share in ("0.1", "0.5", "0.9"):
        members, others = (
            value(digits, f"label_smoothing:{share}", ("wrong-classes", f"spread_{side}")).values
            for side in ("members", "non_members")
        )
        assert (members < others).all()


def test_losses_rank_alike_under_one_recipe_and_not_under_short_training(digits):
    ranks = pd.read_parquet(digits.folder / "loss_ranks.parquet").set_index(["defense", "other"]).correlation
    assert ranks["none", "none"] > ranks["none", "early_stopping:8"] + 0.2
    for one in digits.defenses:
        for other in digits.defenses:
            assert ranks[one, other] == pytest.approx(ranks[other, one])


def test_smoothing_beside_noise_keeps_accuracy_at_little_leakage(digits):
    assert mean(digits, BOTH, ACCURACY) >= mean(digits, NOISE, ACCURACY) - 0.01
    assert abs(mean(digits, BOTH) - mean(digits, NOISE)) < 0.03
