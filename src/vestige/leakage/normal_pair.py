"""Leakage where each record's two laws are normal on a line, with means and variances of their own."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64
from scipy import special

from vestige.core.errors import InputError
from vestige.leakage.entropy import entropy_of_presence
from vestige.leakage.leakage import Leakage
from vestige.leakage.numbers import Numbers

Values = Float64[np.ndarray, "*records"]

REACH = 10.0  # standard deviations of the narrower law that are integrated; e^-50 is left out
NODES, WEIGHTS = np.polynomial.legendre.leggauss(240)  # errors below 1e-10 for every pair of laws
BLOCK = 32  # records integrated at once: their integrand stays in a core's cache
FLAT = 500.0  # log ratios beyond it are as good as infinite, and exp of them still a float


class Relative(NamedTuple):
    """The wider law seen from the narrower one, which is made standard normal.

    scale: narrower standard deviation over the wider, at most 1. offset: of the wider mean, in narrower
    standard deviations.
    """

    scale: Values
    offset: Values


def normal_pair(
    mean1: Numbers, variance1: Numbers, mean0: Numbers, variance0: Numbers, prior: float = 0.5
) -> Leakage:
    """The exact leakage of N(mean1, variance1), with the record, against N(mean0, variance0), without.

    All: [*records], shapes broadcast; NaN stays NaN. The mutual information is integrated numerically.

    Raises InputError for a variance that is not above 0 and finite, or a prior outside (0, 1).
    """
    entropy_of_presence(prior)
    m1, v1, m0, v0 = np.broadcast_arrays(
        *(np.asarray(each, np.float64) for each in (mean1, variance1, mean0, variance0))
    )
    for name, variance in (("variance1", v1), ("variance0", v0)):
        if np.any((variance <= 0) | np.isinf(variance)):
            raise InputError(f"{name} must be finite and above 0 for every record; a constant has no density")
    first_is_narrow = v1 <= v0
    narrow, wide = np.where(first_is_narrow, v1, v0), np.where(first_is_narrow, v0, v1)
    offset = np.where(first_is_narrow, m0 - m1, m1 - m0) / np.sqrt(narrow)
    relative = Relative(np.asarray(np.sqrt(narrow / wide)), np.asarray(offset))
    return Leakage(
        kl=normal_kl(m1, v1, m0, v0),
        kl_reverse=normal_kl(m0, v0, m1, v1),
        mutual_information=mutual_information(relative, np.where(first_is_narrow, prior, 1.0 - prior)),
        advantage=total_variation(relative),
        prior=prior,
    )


def normal_kl(mean1: Values, variance1: Values, mean0: Values, variance0: Values) -> Values:
    """KL(N(mean1, variance1) || N(mean0, variance0)) in nats."""
    excess = (variance1 - variance0) / variance0
    return np.asarray((excess - np.log1p(excess) + (mean1 - mean0) ** 2 / variance0) / 2)


def total_variation(relative: Relative) -> Values:
    """The total variation of the two laws: the narrower is the more likely between two points."""
    scale, offset = relative
    low, high = _crossings(relative)
    gained = special.ndtr(high) - special.ndtr(low)
    lost = special.ndtr(scale * (high - offset)) - special.ndtr(scale * (low - offset))
    alike = (scale == 1) & (offset == 0)
    return np.asarray(np.where(alike, 0.0, np.clip(gained - lost, 0.0, 1.0)))


def _crossings(relative: Relative) -> tuple[Values, Values]:
    """Where both densities are equal, by the form of the quadratic formula that subtracts nothing."""
    scale, offset = relative
    square = (1 - scale) * (1 + scale)
    slope = scale**2 * offset
    root = np.sqrt((scale * offset) ** 2 - 2 * square * np.log(scale))
    sum_of_both = slope + np.copysign(root, slope)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        far = -sum_of_both / square
        near = ((scale * offset) ** 2 - 2 * np.log(scale)) / sum_of_both
    return np.asarray(np.minimum(far, near)), np.asarray(np.maximum(far, near))


def mutual_information(relative: Relative, prior_of_narrow: Values) -> Values:
    """The Jensen-Shannon divergence in nats, weighted by the prior of the narrower law."""
    shape = relative.scale.shape
    rows = np.stack([relative.scale.ravel(), relative.offset.ravel(), prior_of_narrow.ravel()])
    told = [_integrated(*rows[:, start : start + BLOCK, None]) for start in range(0, rows.shape[1], BLOCK)]
    return np.concatenate([np.empty(0), *told]).reshape(shape)


def _integrated(
    scale: Float64[np.ndarray, "block 1"],
    offset: Float64[np.ndarray, "block 1"],
    share: Float64[np.ndarray, "block 1"],
) -> Float64[np.ndarray, "block"]:
    """The divergence of a few records; share: prior of the narrower law.

    Beyond `REACH` the narrower law is gone and the wider one tells that it was drawn, which is added in
    closed form; within, the integrand is smooth on the scale of the narrower law.
    """
    z, weights = REACH * NODES, REACH * WEIGHTS / np.sqrt(2 * np.pi)
    distance = scale * (z - offset)
    log_ratio = np.clip((distance**2 - z**2) / 2 - np.log(scale), -FLAT, FLAT)
    total = share * np.exp(-(z**2) / 2) * -np.log1p((1 - share) * np.expm1(-log_ratio))
    total -= (1 - share) * scale * np.exp(-(distance**2) / 2) * np.log1p(share * np.expm1(log_ratio))
    beyond = special.ndtr(scale * (-REACH - offset)) + special.ndtr(-scale * (REACH - offset))
    told = (total @ weights)[:, None] - (1 - share) * np.log1p(-share) * beyond
    return np.clip(told, 0.0, special.entr(share) + special.entr(1 - share))[:, 0]
