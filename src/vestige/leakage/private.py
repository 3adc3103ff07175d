"""From differential privacy to nats: what a guarantee leaves to leak, and what DP-SGD's steps add up to."""

import math
from dataclasses import replace
from typing import Literal

import numpy as np
from jaxtyping import Float64
from scipy import special

from vestige.core import check
from vestige.core.errors import InputError
from vestige.leakage.entropy import entropy_of_presence
from vestige.leakage.leakage import Leakage
from vestige.leakage.limits import advantage_limit
from vestige.leakage.numbers import Numbers
from vestige.leakage.shift import gaussian_shift

Values = Float64[np.ndarray, "..."]
Calibration = Literal["classical", "analytic"]

REACH, STEP = 10.0, 0.04  # standard deviations and spacing of the trapezoids over one step's noise
HALVINGS = 200  # of a range of logarithms


def classical_shift(epsilon: int | float, delta: float) -> float:
    """The shift mu = sensitivity / sigma of the classical Gaussian mechanism.

    epsilon / sqrt(2 ln(1.25 / delta)): Dwork and Roth 2014, theorem A.1, proved for epsilon <= 1 only.
    Raises InputError for epsilon outside (0, 1] or delta outside (0, 1).
    """
    _check(epsilon, delta)
    if epsilon > 1:
        raise InputError(
            f"epsilon={epsilon} must be at most 1 for the classical calibration, which is not proven beyond; "
            'use calibration="analytic" (analytic_shift)'
        )
    return epsilon / math.sqrt(2 * math.log(1.25 / delta))


def analytic_shift(epsilon: int | float, delta: float) -> float:
    """The largest shift mu = sensitivity / sigma that is (epsilon, delta)-private, for any epsilon.

    Balle and Wang 2018, theorem 8: Phi(mu/2 - epsilon/mu) - e^epsilon Phi(-mu/2 - epsilon/mu) <= delta.
    Raises InputError for epsilon below 0 or delta outside (0, 1).
    """
    _check(epsilon, delta, least=True)
    low, high = math.log(1e-12), math.log(1e6)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if gaussian_delta(math.exp(middle), epsilon) <= delta else (low, middle)
    return math.exp(low)


def gaussian_delta(mu: int | float, epsilon: int | float) -> float:
    """The delta at which a Gaussian moved by mu standard deviations is (epsilon, delta)-private."""
    above = special.ndtr(mu / 2 - epsilon / mu)
    return float(above - math.exp(min(epsilon + float(special.log_ndtr(-mu / 2 - epsilon / mu)), 0.0)))


def private_shift(epsilon: int | float, delta: float, calibration: Calibration = "analytic") -> float:
    """The shift mu of the least noise that this calibration calls (epsilon, delta)-private.

    The Gaussian mechanism has sigma = sensitivity / mu, and `gaussian_shift(mu)` is the leakage of its worst
    record. Raises InputError as `classical_shift` and `analytic_shift` do.
    """
    check.one_of("calibration", calibration, ("classical", "analytic"))
    return (classical_shift if calibration == "classical" else analytic_shift)(epsilon, delta)


def private_noise(
    sensitivity: int | float, epsilon: int | float, delta: float, calibration: Calibration = "analytic"
) -> float:
    """The standard deviation that makes a release of this L2 sensitivity (epsilon, delta)-private."""
    check.positive("sensitivity", sensitivity)
    return sensitivity / private_shift(epsilon, delta, calibration)


def private_advantage(epsilon: int | float, delta: float = 0.0) -> float:
    """The largest advantage against any (epsilon, delta)-private release.

    (e^epsilon - 1 + 2 delta) / (e^epsilon + 1): Kairouz, Oh and Viswanath 2015.
    Raises InputError for epsilon below 0 or delta outside [0, 1].
    """
    check.at_least("epsilon", epsilon, 0)
    check.within("delta", float(delta), 0.0, 1.0)
    return float(math.tanh(epsilon / 2) + delta * (1 - math.tanh(epsilon / 2)))


def private_kl(epsilon: int | float) -> float:
    """The largest divergence of any epsilon-private release, either way: epsilon tanh(epsilon / 2), in nats.

    Reached by randomized response. With delta > 0 there is no limit: the delta may tell all.
    Raises InputError for epsilon below 0.
    """
    check.at_least("epsilon", epsilon, 0)
    return float(epsilon * math.tanh(epsilon / 2))


def dp_sgd_leakage(
    noise: int | float, steps: int, sampling: int | float = 1.0, prior: float = 0.5
) -> Leakage:
    """Upper bounds on the leakage of any record through all steps of DP-SGD, add or remove one record.

    noise: multiplier s, in units of the clipping norm. sampling: chance q that a record is in a step's batch.

    Chain rule: KL of the whole trajectory is at most `steps` times that of one step at the full clipping
    norm, that is of (1 - q) N(0, 1) + q N(1/s, 1) against N(0, 1). For full batches the steps together are no
    worse than a Gaussian moved by sqrt(steps) / s (Dong, Roth and Su 2022), which is tighter for mutual
    information and advantage. Arrays are 0-d.

    Raises InputError for values out of range.
    """
    check.positive("noise", noise)
    check.at_least("steps", steps, 1)
    check.positive("sampling", sampling)
    check.within("sampling", float(sampling), 0.0, 1.0)
    entropy_of_presence(prior)
    if sampling == 1:
        return replace(gaussian_shift(math.sqrt(steps) / noise, prior), shift=None, kind="upper bound")
    forward, backward = sampled_step_kl(1 / noise, sampling)
    kl, kl_reverse = np.asarray(steps * forward), np.asarray(steps * backward)
    advantage = advantage_limit(kl, kl_reverse)
    unset = np.full_like(kl, np.nan)
    bounds = Leakage(
        kl=kl,
        kl_reverse=kl_reverse,
        mutual_information=unset,
        advantage=advantage,
        prior=prior,
        kind="upper bound",
    )
    return replace(bounds, mutual_information=bounds.mutual_information_bound)


def sampled_step_kl(mu: Numbers, sampling: int | float) -> tuple[Values, Values]:
    """KL both ways, in nats, of a step in which a record moves the noise by mu with probability `sampling`.

    mu: [...], the record's clipped gradient in standard deviations of the noise. The first is
    KL((1 - q) N(0, 1) + q N(mu, 1) || N(0, 1)), integrated by trapezoids and never above its closed bounds
    ln(1 + q^2 (e^(mu^2) - 1)) and q mu^2 / 2; the second has q mu^2 / 2 only.
    """
    shift = np.asarray(mu, np.float64)
    q = float(sampling)
    z = np.arange(-REACH, REACH + STEP / 2, STEP)
    weights = np.exp(-(z**2) / 2) * (STEP / np.sqrt(2 * np.pi))
    moved, half = shift[..., None] * z, shift[..., None] ** 2 / 2
    at_rest = _log_mixture(moved - half, q) @ weights
    forward = (1 - q) * at_rest + q * (_log_mixture(moved + half, q) @ weights)
    convex = q * shift**2 / 2
    exponent = np.minimum(shift**2, 700.0)  # where exp would overflow the convex bound is the smaller
    chi_square = np.log1p(q**2 * np.expm1(exponent))
    return (
        np.asarray(np.clip(forward, 0.0, np.minimum(convex, chi_square))),
        np.asarray(np.clip(-at_rest, 0.0, convex)),
    )


def _log_mixture(log_ratio: Values, q: float) -> Values:
    """ln(1 - q + q e^log_ratio), exact for small ratios and free of overflow for large ones."""
    if q == 1:
        return log_ratio
    return np.asarray(
        np.where(
            log_ratio < 1,
            np.log1p(q * np.expm1(np.minimum(log_ratio, 1.0))),
            np.logaddexp(math.log(q) + log_ratio, math.log1p(-q)),
        )
    )


def _check(epsilon: int | float, delta: float, least: bool = False) -> None:
    if least:
        check.at_least("epsilon", epsilon, 0)
    else:
        check.positive("epsilon", epsilon)
    if not 0 < delta < 1:
        raise InputError(f"delta={delta} must lie strictly between 0 and 1, such as 1e-5")
