"""Fisher information loss: finite differences, the link to divergences, and reweighting."""

import numpy as np
import pytest
from digits_pair import first

from vestige.core.errors import InputError
from vestige.leakage.expansion import principal_components
from vestige.leakage.fisher import (
    LOSSES,
    fisher_information,
    fisher_information_loss,
    influence_jacobians,
    reweight,
    sigma_for,
)
from vestige.leakage.logistic_regression import logistic_fit
from vestige.leakage.ridge_regression import ridge_fit
from vestige.leakage.shift import gaussian_shift

FITS = {"least squares": ridge_fit, "logistic": logistic_fit}
STEP = 1e-5


@pytest.fixture(scope="module")
def problem():
    return principal_components(first(120)[0], 6), first(120)[1]


def moved(X, y, loss, record, change, weights):
    inputs = X.copy()
    inputs[record] += change
    return FITS[loss](inputs, y, 0.01, record_weights=weights).parameters


def slow_jacobian(X, y, loss, record, weights):
    changes = STEP * np.eye(X.shape[1])
    columns = [
        moved(X, y, loss, record, change, weights) - moved(X, y, loss, record, -change, weights)
        for change in changes
    ]
    return np.stack(columns, axis=1) / (2 * STEP)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("record", [0, 17])
def test_derivatives_by_the_features(problem, loss, record):
    X, y = problem
    weights = np.random.default_rng(0).uniform(0.5, 2, len(y))
    fast = influence_jacobians(X, y, 0.01, loss, record_weights=weights, records=[record])[0][:, :-1]
    slow = slow_jacobian(X, y, loss, record, weights)
    assert np.abs(fast - slow).max() < 1e-4 * np.abs(slow).max()


def test_derivative_by_the_target_of_least_squares(problem):
    X, y = problem
    more, less = y.copy(), y.copy()
    more[3] += STEP
    less[3] -= STEP
    slow = (ridge_fit(X, more, 0.01).parameters - ridge_fit(X, less, 0.01).parameters) / (2 * STEP)
    fast = influence_jacobians(X, y, 0.01, "least squares", records=[3])[0][:, -1]
    np.testing.assert_allclose(fast, slow, rtol=1e-4, atol=1e-8)


def test_derivative_by_the_label_of_logistic_regression(problem):
    """The loss is linear in a label between 0 and 1: weight 1 - t for its label, t for the other."""
    X, y = problem
    doubled, labels = np.vstack([X, X[3:4]]), np.append(y, -y[3])

    def fitted(share):
        weights = np.append(np.ones(len(y)), share)
        weights[3] = 1 - share
        count = len(y)  # the mean and the ridge term over 121 rows, for 120 records
        return logistic_fit(doubled, labels, 0.01 * count / (count + 1), record_weights=weights).parameters

    direction = -y[3]  # the share grows towards the other label
    slow = direction * (fitted(STEP) - fitted(0.0)) / STEP
    fast = influence_jacobians(X, y, 0.01, records=[3])[0][:, -1]
    np.testing.assert_allclose(fast, slow, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_loss_is_a_spectral_norm(problem, loss):
    X, y = problem
    jacobians = influence_jacobians(X, y, 0.01, loss)
    slow = np.linalg.norm(jacobians, ord=2, axis=(1, 2)) / 0.3
    np.testing.assert_allclose(fisher_information_loss(X, y, 0.01, 0.3, loss), slow, rtol=1e-9)
    largest = np.linalg.eigvalsh(fisher_information(jacobians, 0.3))[:, -1]
    np.testing.assert_allclose(np.sqrt(largest), slow, rtol=1e-9)


@pytest.mark.parametrize("loss", LOSSES)
def test_it_is_the_curvature_of_the_divergence_of_a_changed_record(problem, loss):
    X, y = problem
    information = fisher_information(influence_jacobians(X, y, 0.01, loss, records=[5]), 0.1)[0]
    change = 1e-4 * np.random.default_rng(1).normal(size=X.shape[1])
    weights = np.ones(len(y))
    distance = np.linalg.norm(
        moved(X, y, loss, 5, change, weights) - moved(X, y, loss, 5, np.zeros_like(change), weights)
    )
    kl = gaussian_shift(distance / 0.1).kl
    quadratic = change @ information[:-1, :-1] @ change / 2
    assert kl == pytest.approx(quadratic, rel=2e-3)


@pytest.mark.parametrize("loss", LOSSES)
def test_reweighting_evens_the_loss_out(problem, loss):
    X, y = problem
    found = reweight(X, y, 0.01, loss, rounds=12)
    assert found.losses.shape == (13, len(y))
    assert found.record_weights.mean() == pytest.approx(1)
    assert found.spread[-1] < 0.01 < 0.2 < found.spread[0]
    assert found.losses[-1].max() < found.losses[0].max()
    again = fisher_information_loss(X, y, 0.01, 1.0, loss, record_weights=found.record_weights)
    np.testing.assert_allclose(again, found.losses[-1])


def test_noise_for_a_target(problem):
    X, y = problem
    sigma = sigma_for(fisher_information_loss(X, y, 0.01, 1.0), 0.25)
    assert fisher_information_loss(X, y, 0.01, sigma).max() == pytest.approx(0.25)


def test_what_fisher_refuses(problem):
    X, y = problem
    with pytest.raises(InputError, match="sigma=0"):
        fisher_information_loss(X, y, 0.01, 0)
    with pytest.raises(InputError, match="least squares, logistic"):
        fisher_information_loss(X, y, 0.01, 1.0, "hinge")
    with pytest.raises(InputError, match="rounds=0"):
        reweight(X, y, 0.01, rounds=0)
