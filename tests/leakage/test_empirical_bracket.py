"""The best attack on noisy parameters, played out: it gains what the closed form says, and proves no more."""

import numpy as np
import pytest
from digits_pair import SIGMA, first

from vestige.leakage import GaussianOutput, certified, ridge
from vestige.leakage.ridge_regression import ridge_fit

WEIGHT, DRAWS = 0.01, 100_000


@pytest.mark.parametrize("record", [0, 57, 140])
def test_the_likelihood_ratio_attack_gains_the_advantage_and_proves_less_than_the_divergence(record):
    X, y = first(160)
    random = np.random.default_rng(record)
    with_it = ridge_fit(X, y, WEIGHT).parameters
    without = ridge_fit(np.delete(X, record, 0), np.delete(y, record), WEIGHT).parameters
    member = random.random(DRAWS) < 0.5
    released = np.where(member[:, None], with_it, without) + SIGMA * random.standard_normal(
        (DRAWS, X.shape[1])
    )
    ratio = (np.sum((released - without) ** 2, 1) - np.sum((released - with_it) ** 2, 1)) / (2 * SIGMA**2)

    found = ridge(X, y, WEIGHT, GaussianOutput(SIGMA), records=[record])
    tpr, fpr = (ratio[member] > 0).mean(), (ratio[~member] > 0).mean()
    error = np.sqrt(tpr * (1 - tpr) / member.sum() + fpr * (1 - fpr) / (~member).sum())
    assert tpr - fpr == pytest.approx(found.advantage[0], abs=3 * error)
    proven = certified(ratio[None], member[None])
    assert 0 < proven.kl.bound <= found.kl[0]
    assert 0 < proven.kl_reverse.bound <= found.kl_reverse[0]
    assert 0 < proven.mutual_information.bound <= found.mutual_information[0]
