"""Attacks on predictions of ridge regression: fast products against plain fits, and chance."""

import numpy as np
import pytest

from vestige.core import seeds
from vestige.studies.information_prediction import (
    FEATURES,
    NOISE,
    RECORDS,
    RELEASE,
    advantage,
    attacks_on_predictions,
    predictions,
)

ALL_AT_ONCE = 1000


@pytest.mark.parametrize("weight", [0.01, 1.0])
def test_predictions_are_those_of_models_fitted_plainly(weight):
    found = predictions(weight, 5, trials=4)
    generator = seeds.generator(5, "predictions", 0)
    x = generator.standard_normal((ALL_AT_ONCE, RECORDS + 1, FEATURES))
    beta = generator.standard_normal((ALL_AT_ONCE, FEATURES)) / np.sqrt(FEATURES)
    noise = NOISE * generator.standard_normal((ALL_AT_ONCE, RECORDS + 1))
    for trial in range(4):
        inputs = x[trial]
        targets = inputs @ beta[trial] + noise[trial]

        def fitted(rows, inputs=inputs, targets=targets):
            gram = inputs[rows].T @ inputs[rows] + RECORDS * weight * np.eye(FEATURES)
            return np.linalg.solve(gram, inputs[rows].T @ targets[rows])

        common = list(range(2, RECORDS + 1))
        asked, norm = inputs[0], np.linalg.norm(inputs[0])
        assert found.within[trial] * norm == pytest.approx(asked @ fitted([0, *common]), rel=1e-8)
        assert found.without[trial] * norm == pytest.approx(asked @ fitted([1, *common]), rel=1e-8)
        assert found.target[trial] * norm == pytest.approx(targets[0])
        moved = np.sum((fitted([0, *common]) - fitted(common)) ** 2)
        assert found.kl[trial] == pytest.approx(moved / (2 * RELEASE**2), rel=1e-7)


def test_equal_laws_give_no_advantage_and_a_shift_its_own():
    generator = np.random.default_rng(0)
    within, without = generator.standard_normal((2, 40_000))
    assert advantage(within, without) == pytest.approx(0, abs=0.02)
    assert advantage(within + 1, without) == pytest.approx(0.382925, abs=0.02)
    assert advantage(within - 1, without) < 0.02


def test_ridge_helps_one_attack_and_hinders_another():
    table = attacks_on_predictions(1, trials=3000).set_index(["quantity", "x"]).value
    assert table["advantage, prediction alone", 100.0] > table["advantage, prediction alone", 0.001] + 0.03
    assert table["advantage, residual", 100.0] < 0.1 < 0.9 < table["advantage, residual", 0.001]
