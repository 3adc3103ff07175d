"""Noisy gradient descent: accumulation, its caps, the Poisson bound, and the seeded trainer."""

import numpy as np
import pytest
from digits_pair import first
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from vestige.core.errors import InputError
from vestige.leakage.descent import divergence_curve, linear_descent, noisy_descent, worst_case
from vestige.leakage.fisher import LOSSES
from vestige.leakage.randomness import NoisyGradientDescent


def kind(**changes):
    options = {"noise": 2.0, "clip": 0.5, "steps": 20, "rate": 0.05, "sampling": 1.0}
    return NoisyGradientDescent(**{**options, **changes})


def test_the_curve_accumulates_clipped_squares():
    norms = np.array([[0.1, 3.0], [0.4, 0.5], [0.0, 0.2]])
    slow = np.cumsum(np.minimum(norms, 0.5) ** 2 / (2 * 2.0**2 * 0.5**2), axis=0)
    np.testing.assert_allclose(divergence_curve(norms, kind(steps=3)), slow, rtol=1e-14)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("sampling", [1.0, 0.1])
def test_no_record_exceeds_the_worst_case(loss, sampling):
    X, y = first(80)
    randomness = kind(sampling=sampling)
    run = linear_descent(X, y, 0.01, randomness, loss)
    leakage = noisy_descent(run.gradient_norms, randomness)
    assert np.all(leakage.kl <= worst_case(randomness) + 1e-12)
    assert np.all(leakage.kl > 0)
    assert np.all(np.diff(divergence_curve(run.gradient_norms, randomness), axis=0) >= 0)
    assert leakage.kind == "upper bound"
    assert np.all(leakage.mutual_information <= np.log(2))
    np.testing.assert_allclose(leakage.mutual_information, leakage.mutual_information_bound)


def test_the_cap_is_reached_where_every_gradient_is_clipped():
    leakage = noisy_descent(np.full((20, 3), 9.0), kind())
    np.testing.assert_allclose(leakage.kl, 20 / (2 * 2.0**2))
    np.testing.assert_allclose(leakage.kl, leakage.kl_reverse)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.05, 4.0), st.floats(0.01, 0.99))
def test_the_poisson_step_bounds_the_mixture(shift, sampling):
    one = kind(noise=1 / shift, clip=1.0, steps=1, sampling=sampling)
    bound = divergence_curve([[1.0]], one)[0, 0]

    def integrand(x):
        mixture = sampling * stats.norm.pdf(x - shift) + (1 - sampling) * stats.norm.pdf(x)
        return mixture * np.log(mixture / stats.norm.pdf(x))

    grid = np.linspace(-10, 10 + shift, 4001)
    exact = integrate.simpson(integrand(grid), x=grid)
    assert 0 < exact <= bound * (1 + 1e-6)
    assert bound <= sampling * shift**2 / 2 * (1 + 1e-12)


def test_the_poisson_step_for_a_rare_and_for_a_loud_record():
    rare = divergence_curve([[1.0]], kind(noise=1.0, clip=1.0, steps=1, sampling=1e-4))[0, 0]
    assert rare == pytest.approx(1e-8 * np.expm1(1), rel=1e-6)
    loud = divergence_curve([[1.0]], kind(noise=0.01, clip=1.0, steps=1, sampling=0.5))[0, 0]
    assert loud == pytest.approx(0.5 * 100**2 / 2)


def test_the_trainer_without_much_noise_finds_the_minimum():
    X, y = first(80)
    quiet = kind(noise=1e-9, clip=10.0, steps=3000, rate=0.02)
    run = linear_descent(X, y, 0.05, quiet, "least squares")
    exact = np.linalg.solve(X.T @ X + 80 * 0.05 * np.eye(64), X.T @ y)
    np.testing.assert_allclose(run.parameters, exact, atol=1e-6)
    np.testing.assert_allclose(
        run.gradient_norms[-1], np.abs(X @ exact - y) * np.linalg.norm(X, axis=1), atol=1e-6
    )


def test_seeds_repeat_and_differ():
    X, y = first(40)
    runs = [linear_descent(X, y, 0.01, kind(sampling=0.5), seed=seed) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(runs[0].parameters, runs[1].parameters)
    assert not np.allclose(runs[0].parameters, runs[2].parameters)


def test_what_descent_refuses():
    X, y = first(40)
    with pytest.raises(InputError, match="with 20 steps"):
        noisy_descent(np.ones((3, 5)), kind())
    with pytest.raises(InputError, match="not NaN"):
        noisy_descent(np.full((20, 2), np.nan), kind())
    with pytest.raises(InputError, match="labels -1 and"):
        linear_descent(X, y + 1, 0.01, kind())
