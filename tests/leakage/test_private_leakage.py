import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from vestige.core.errors import InputError
from vestige.leakage.entropy import binary_kl
from vestige.leakage.private import (
    analytic_shift,
    classical_shift,
    dp_sgd_leakage,
    gaussian_delta,
    private_advantage,
    private_kl,
    private_noise,
    private_shift,
    sampled_step_kl,
)
from vestige.leakage.shift import gaussian_shift


@pytest.mark.parametrize(
    ("epsilon", "delta", "kl", "advantage"),
    [
        (1, 1e-5, 0.0213019, 0.0821984),
        (0.5, 1e-5, 0.00532546, 0.0411539),
        (0.1, 1e-5, 0.000213019, 0.00823429),
        (1, 1e-3, 0.0350587, 0.1053309),
        (1, 1e-9, 0.0119352, 0.0615756),
    ],
)
def test_the_worst_record_under_the_classical_calibration(epsilon, delta, kl, advantage):
    found = gaussian_shift(classical_shift(epsilon, delta))
    assert found.kl == pytest.approx(kl, rel=1e-5)
    assert found.kl == pytest.approx(epsilon**2 / (4 * np.log(1.25 / delta)))
    assert found.advantage == pytest.approx(advantage, rel=1e-5)


def test_reference_figures_at_epsilon_one():
    mu = classical_shift(1, 1e-5)
    assert mu == pytest.approx(0.206407, abs=1e-6)
    assert np.sqrt(np.log(1.25 / 1e-5)) == pytest.approx(3.425795, abs=1e-6)
    assert gaussian_shift(mu).mutual_information == pytest.approx(0.00529730, abs=1e-8)


def test_divergence_falls_with_slope_two_and_its_root_and_the_advantage_with_slope_one():
    """In s = sqrt(ln(1.25 / delta)) / epsilon, for shifts below .25."""
    epsilon = np.geomspace(0.05, 1, 9)
    s = np.sqrt(np.log(1.25 / 1e-5)) / epsilon
    found = gaussian_shift([classical_shift(float(e), 1e-5) for e in epsilon])
    assert found.shift is not None
    assert found.shift.max() < 0.25
    for values, slope in ((found.kl, -2), (np.sqrt(found.kl), -1), (found.advantage, -1)):
        measured = np.diff(np.log(values)) / np.diff(np.log(s))
        np.testing.assert_allclose(measured, slope, atol=0.02)
    np.testing.assert_allclose(np.sqrt(found.kl), 1 / (2 * s))


@pytest.mark.parametrize(("epsilon", "delta"), [(0.0, 0.1), (0.1, 1e-9), (1, 1e-5), (8, 1e-5), (50.0, 1e-3)])
def test_the_analytic_calibration_spends_the_delta(epsilon, delta):
    mu = analytic_shift(epsilon, delta)
    assert gaussian_delta(mu, epsilon) == pytest.approx(delta, rel=1e-6)
    # the privacy profile by its definition
    assert quad(
        lambda z: max(norm.pdf(z, mu) - np.exp(epsilon) * norm.pdf(z), 0.0), -10, mu + 10, limit=500,
        points=[epsilon / mu + mu / 2],
    )[0] == pytest.approx(delta, rel=1e-4)  # fmt: skip


def test_the_analytic_noise_is_smaller():
    for epsilon in (0.1, 0.5, 1.0):
        assert private_noise(2, epsilon, 1e-5) < private_noise(2, epsilon, 1e-5, "classical")
    assert private_noise(2, 1, 1e-5, "classical") == pytest.approx(2 / private_shift(1, 1e-5, "classical"))


def test_the_classical_calibration_ends_at_one_and_names_the_other():
    with pytest.raises(InputError, match="analytic"):
        classical_shift(1.01, 1e-5)


@pytest.mark.parametrize("epsilon", [0.0, 0.1, 1, 5.0])
def test_randomized_response_reaches_the_limits_of_pure_privacy(epsilon):
    truth = 1 / (1 + np.exp(-epsilon))
    assert private_kl(epsilon) == pytest.approx(float(binary_kl(truth, 1 - truth)), abs=1e-12)
    assert private_advantage(epsilon) == pytest.approx(2 * truth - 1)
    assert private_advantage(epsilon, 1.0) == 1


def test_no_calibrated_gaussian_beats_the_advantage_limit():
    for epsilon in (0.1, 1.0, 4.0):
        shift = analytic_shift(epsilon, 1e-5)
        assert gaussian_shift(shift).advantage <= private_advantage(epsilon, 1e-5)


@pytest.mark.parametrize(("mu", "q"), [(0.5, 0.1), (1.0, 0.01), (2.0, 0.3), (10.0, 0.05), (1.0, 0.999)])
def test_a_sampled_step_agrees_with_its_integral(mu, q):
    def log_ratio(z):
        return np.logaddexp(np.log1p(-q), np.log(q) + mu * z - mu**2 / 2)

    def integral(f):
        return quad(f, -12, mu + 12, points=[0, mu / 2, mu], limit=500, epsabs=1e-14)[0]

    forward = integral(lambda z: norm.pdf(z) * np.exp(log_ratio(z)) * log_ratio(z))
    backward = integral(lambda z: -norm.pdf(z) * log_ratio(z))
    found = sampled_step_kl(mu, q)
    np.testing.assert_allclose(found, [forward, backward], rtol=1e-7, atol=1e-12)
    assert found[0] <= np.log1p(q**2 * np.expm1(mu**2))
    assert max(found) <= q * mu**2 / 2


def test_a_rare_small_step_leaks_in_its_square():
    mu, q = 0.3, 1e-3
    assert sampled_step_kl([mu], q)[0][0] == pytest.approx(q**2 * np.expm1(mu**2) / 2, rel=1e-2)


def test_steps_add_up():
    one, many = dp_sgd_leakage(1.1, 1, 0.02), dp_sgd_leakage(1.1, 500, 0.02)
    np.testing.assert_allclose([many.kl, many.kl_reverse], [500 * one.kl, 500 * one.kl_reverse])
    assert many.kind == "upper bound"
    assert many.mutual_information == many.mutual_information_bound
    assert many.advantage <= np.sqrt(many.kl / 2)


def test_full_batches_are_one_gaussian():
    found = dp_sgd_leakage(4, 16)
    assert found.kl == pytest.approx(16 / (2 * 4**2))
    assert found.advantage == gaussian_shift(1.0).advantage
    # just below full batches the chain rule is all there is: the same divergence, a looser advantage
    nearly = dp_sgd_leakage(4, 16, 1 - 1e-9)
    assert nearly.kl == pytest.approx(float(found.kl), rel=1e-6)
    assert nearly.advantage > found.advantage


@pytest.mark.parametrize(
    "call",
    [
        lambda: classical_shift(0.5, 0.0),
        lambda: analytic_shift(-1.0, 1e-5),
        lambda: analytic_shift(1.0, 1.0),
        lambda: private_shift(1.0, 1e-5, "exact"),
        lambda: private_noise(0, 1.0, 1e-5),
        lambda: dp_sgd_leakage(0, 10),
        lambda: dp_sgd_leakage(1, 10, 1.5),
        lambda: dp_sgd_leakage(1, 0),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises((InputError, TypeError)):  # a name that is not in the signature: typed in tests
        call()
