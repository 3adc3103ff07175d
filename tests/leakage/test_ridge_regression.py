"""Ridge leave-one-out: against refits, against measured figures, and what it refuses."""

import numpy as np
import pytest
from digits_pair import SIGMA, first
from hypothesis import given, settings
from hypothesis import strategies as st

from vestige.core.errors import InputError
from vestige.leakage.expansion import principal_components, relu_features
from vestige.leakage.linear_shift import one_step_shift
from vestige.leakage.randomness import GaussianOutput, Gibbs, NoisyGradientDescent
from vestige.leakage.ridge_regression import RidgeFits, ridge, ridge_fit
from vestige.leakage.sensitivity import linear_sensitivity
from vestige.leakage.slope import log_log_slope

NOISE = GaussianOutput(sigma=SIGMA)
LADDER = (0.001, 0.01, 0.1, 1.0, 10.0, 100.0)


def solved(X, y, total):
    return np.linalg.solve(X.T @ X + total * np.eye(X.shape[1]), X.T @ y)


def refitted(X, y, weight, renormalize):
    """The slow twin: a linear system per record."""
    n, whole = len(X), solved(X, y, len(X) * weight)
    kept = (n - 1 if renormalize else n) * weight
    return np.stack([whole - solved(np.delete(X, i, 0), np.delete(y, i), kept) for i in range(n)])


@pytest.mark.parametrize("renormalize", [True, False])
@pytest.mark.parametrize(("records", "features"), [(40, 7), (12, 30)])
def test_the_shift_is_that_of_a_refit(renormalize, records, features):
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(records, features)), rng.normal(size=records)
    slow = refitted(X, y, 0.03, renormalize)
    fast = one_step_shift(ridge_fit(X, y, 0.03), renormalize=renormalize)
    np.testing.assert_allclose(fast, slow, atol=1e-10)
    leakage = ridge(X, y, 0.03, NOISE, renormalize=renormalize)
    np.testing.assert_allclose(leakage.kl, np.sum(slow**2, axis=1) / (2 * SIGMA**2), rtol=1e-9)
    assert leakage.kind == "exact"


def test_no_regularization_is_possible_with_independent_features():
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(30, 4)), rng.normal(size=30)
    np.testing.assert_allclose(one_step_shift(ridge_fit(X, y, 0)), refitted(X, y, 0, True), atol=1e-11)


def test_figures_over_training_size():
    means = [ridge(*first(n), 0.01, NOISE).kl.mean() for n in (40, 80, 160, 320)]
    np.testing.assert_allclose(means, [17.24, 4.129, 0.9679, 0.2501], rtol=0.001)
    np.testing.assert_allclose(np.diff(np.log2(means)), [-2.06, -2.09, -1.95], atol=0.01)
    slope = log_log_slope((40, 80, 160, 320), means)
    assert slope.low < -2 < slope.high


def test_figures_over_the_weight():
    means = np.array([ridge(*first(160), weight, NOISE).kl.mean() for weight in LADDER])
    slopes = np.diff(np.log10(means))
    np.testing.assert_allclose(slopes, [-0.93, -1.11, -1.50, -1.91, -1.99], atol=0.005)
    assert means[0] / means[-1] > 1e7


@pytest.mark.parametrize(
    ("weight", "correlation"), [(0.001, 0.98), (0.01, 0.977), (0.1, 0.996), (1.0, 0.999)]
)
def test_sensitive_records_leak_more(weight, correlation):
    X, y = first(160)
    gradient = linear_sensitivity(ridge_fit(X, y, weight), SIGMA).gradient
    kl = ridge(X, y, weight, NOISE).kl
    assert np.corrcoef(np.log(kl), np.log(gradient))[0, 1] == pytest.approx(correlation, abs=0.001)


def test_figures_over_principal_components():
    found, freedom = [], []
    for number in (2, 5, 10, 20, 40, 60):
        X, y = principal_components(first(357)[0], number)[:160], first(160)[1]
        found.append(ridge(X, y, 0.001, NOISE, renormalize=False).kl.mean())
        freedom.append(linear_sensitivity(ridge_fit(X, y, 0.001), SIGMA).freedom)
    np.testing.assert_allclose(found, [0.0510, 0.1854, 0.5608, 2.200, 7.189, 8.223], rtol=0.001)
    np.testing.assert_allclose([freedom[0], freedom[-1]], [1.97, 31.8], rtol=0.005)
    assert np.all(np.diff(freedom) > 0)


def test_more_random_features_end_above_few():
    X, y = first(160)
    means = [ridge(relu_features(X, k, 1), y, 0.001, NOISE).kl.mean() for k in (10, 40, 160, 640, 2560)]
    assert means[-1] > means[0]


def test_figures_of_the_gibbs_posterior():
    warm = Gibbs(temperature=1.0)
    means = [ridge(*first(160), weight, warm).jeffreys.mean() for weight in (0.001, 0.01, 0.1)]
    np.testing.assert_allclose(means, [0.05622, 0.01998, 0.008073], rtol=0.001)
    assert ridge(*first(320), 0.01, warm).jeffreys.mean() == pytest.approx(0.009166, rel=0.001)


@settings(max_examples=15, deadline=None)
@given(st.floats(0.2, 5.0), st.integers(0, 2**31))
def test_rotations_and_units_of_the_noise(factor, seed):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(12, 3)), rng.normal(size=12)
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    kl = ridge(X, y, 0.1, GaussianOutput(sigma=1.0)).kl
    np.testing.assert_allclose(ridge(X @ rotation, y, 0.1, GaussianOutput(sigma=1.0)).kl, kl, rtol=1e-8)
    np.testing.assert_allclose(ridge(X, y, 0.1, GaussianOutput(sigma=factor)).kl * factor**2, kl, rtol=1e-9)
    np.testing.assert_allclose(
        ridge(X, factor * y, 0.1, GaussianOutput(sigma=1.0)).kl, factor**2 * kl, rtol=1e-8
    )


def test_a_record_that_is_fitted_anyway_leaks_little_and_an_outlier_much():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(50, 2))
    y = X @ [1.0, -1.0]
    y[7] += 10
    assert np.argmax(ridge(X, y, 1e-6, NOISE).kl) == 7


def test_chosen_records_and_what_a_numpy_user_passes():
    X, y = first(40)
    some = ridge(X.astype(np.float32).tolist(), y.astype(int).tolist(), 1, NOISE, records=[3, 1])
    np.testing.assert_allclose(some.kl, ridge(X, y, 1.0, NOISE).kl[[3, 1]], rtol=1e-4)


def test_many_fits_are_single_fits():
    X, y = first(60)
    rows = np.array([[0, 3, 5, 9], [7, 8, 50, 2]])
    for subset, found in zip(rows, RidgeFits(X, y, 0.1)(rows), strict=True):
        np.testing.assert_allclose(found, ridge_fit(X[subset], y[subset], 0.1).parameters, atol=1e-12)


def test_what_it_refuses():
    X, y = first(40)
    with pytest.raises(InputError, match="infinite"):
        ridge(X, y, 0.1, None)
    with pytest.raises(InputError, match="weight > 0"):
        ridge(X, y, 0.0, NOISE)  # 64 features, some of them constant
    with pytest.raises(InputError, match="weight > 0"):
        ridge(np.eye(5)[:, :3] + 0.0, np.ones(5), 0.0, NOISE)  # each record alone in its direction
    with pytest.raises(InputError, match="weight=-1"):
        ridge(X, y, -1, NOISE)
    with pytest.raises(InputError, match="not possible here"):
        ridge(X, y, 0.1, NoisyGradientDescent(noise=1.0, clip=1.0, steps=1, rate=0.1))
    with pytest.raises(InputError, match="finite"):
        ridge(np.full((4, 2), np.nan), np.ones(4), 0.1, NOISE)
    with pytest.raises(InputError, match=r"\[records features\]"):
        ridge(X[0], y, 0.1, NOISE)
    with pytest.raises(InputError, match="lie between 0 and 39"):
        ridge(X, y, 0.1, NOISE, records=[40])
