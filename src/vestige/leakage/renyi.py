"""Renyi divergence and Arimoto-Renyi information of any order (Farokhi 2021, by its abstract), in nats."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int
from scipy import special

from vestige.core import check, seeds
from vestige.core.errors import InputError
from vestige.leakage.entropy import NATS_PER_BIT
from vestige.leakage.numbers import Numbers
from vestige.leakage.shift import SEEN, gaussian_shift

Values = Float64[np.ndarray, "*records"]
Law = Float64[np.ndarray, "bins"]

LEAST_ORDER = 0.01  # below, 2^(1 / order) leaves the range of a float
NEAR_ONE = 1e-6  # closer to order 1, Shannon's limit is nearer than the rounding of (...) / (order - 1)
NODES = 200
REACH = 10.0  # standard deviations beyond the nearer law
FADED = 40.0  # e^-40 is nothing


def renyi_shift(mu: Numbers, order: int | float) -> Values:
    """D_a(N(mu, 1) || N(0, 1)) = a mu^2 / 2 in nats; order 1 is KL, order infinity is infinite for mu > 0.

    Raises InputError for an order or a mu that is not above, or below, 0.
    """
    kl = gaussian_shift(mu).kl
    if _order(order) == np.inf:
        return np.asarray(np.where(kl > 0, np.inf, kl))
    return np.asarray(order * kl)


def arimoto_shift(mu: Numbers, order: int | float) -> Values:
    """The Arimoto-Renyi information between presence, a fair coin, and a Gaussian moved by mu, in nats.

    I_a = H_a(Z) - H_a(Z | Y), where H_a(Z | Y) = a / (1 - a) ln integral (p1^a + p0^a)^(1/a) / 2. Order 1 is
    the mutual information; order infinity is ln(2 success) of the best attack. Between 0 and ln 2.

    Raises InputError for an order below 0.01 or a negative mu.
    """
    shift = gaussian_shift(mu)
    if abs(_order(order) - 1) < NEAR_ONE:
        return shift.mutual_information
    seen = np.asarray(np.minimum(np.asarray(mu, np.float64), SEEN))
    sure = (1 + shift.advantage) / 2
    if order == np.inf:
        return np.asarray(np.log(2 * sure))
    log_integral = np.log(sure + _softening(seen, float(order)))
    return np.asarray(np.clip(NATS_PER_BIT + order / (order - 1) * log_integral, 0.0, NATS_PER_BIT))


def _softening(mu: Values, order: float) -> Values:
    """The integral of p1 ((1 + (p0 / p1)^a)^(1/a) - 1) where p1 is larger: what max(p1, p0) leaves out."""
    decay = order * mu
    with np.errstate(divide="ignore"):
        length = np.minimum(mu / 2 + REACH, FADED / decay)[..., None]
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    t = length * (nodes + 1) / 2
    excess = np.expm1(np.log1p(np.exp(-decay[..., None] * t)) / order)
    density = np.exp(-((t - mu[..., None] / 2) ** 2) / 2) / np.sqrt(2 * np.pi)
    return np.asarray((density * excess * length / 2) @ weights)


def renyi_private(epsilon: int | float, order: int | float) -> float:
    """The largest D_a of any epsilon-private release, min(epsilon, a epsilon^2 / 2), in nats.

    Bun and Steinke 2016. Raises InputError for epsilon below 0 or a bad order.
    """
    check.at_least("epsilon", epsilon, 0)
    return float(min(epsilon, np.inf if _order(order) == np.inf else order * epsilon**2 / 2))


@dataclass(frozen=True, kw_only=True)
class FromScores:
    """A leakage that scores show, in nats.

    value: plug-in minus bias, so about 0 in the mean where scores tell nothing; it may fall below 0.
    plug_in: as the smoothed histogram gives it. bias: the mean plug-in with membership permuted.
    deviation: standard deviation of the plug-in under permutation: its noise where nothing leaks.
    bins: of the histogram; fewer than asked where scores tie.
    """

    value: float
    plug_in: float
    bias: float
    deviation: float
    bins: int


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """How scores become two laws.

    bins: of equal mass over members and non-members together; None for 2 n^(1/3) of the smaller side, 4 to
      64.
    smoothing: added to every count. permutations: of membership, within a target, for the bias.

    Raises InputError for fewer than 2 bins, a smoothing that is not above 0, or fewer than 2 permutations.
    """

    bins: int | None = None
    smoothing: int | float = 0.5
    permutations: int = 200

    def __post_init__(self) -> None:
        check.positive("smoothing", self.smoothing)
        check.at_least("permutations", self.permutations, 2)
        if self.bins is not None:
            check.at_least("bins", self.bins, 2)


def renyi_of_scores(
    scores: Numbers,
    membership: Numbers,
    order: int | float,
    histogram: Histogram | None = None,
    seed: int = 0,
) -> FromScores:
    """D_a between the laws of an attack's scores for members and for non-members, in nats.

    scores: [records] or [targets records], any orientation; NaN is left out. membership: bool, same shape.
    By data processing D_a of the release, on the average record, is at least this in population.

    Raises InputError for other shapes, a bad order, or when members or non-members are missing.
    """
    power = _order(order)

    def divergence(first: Law, second: Law) -> float:
        log_ratio = np.log(first) - np.log(second)
        if power == np.inf:
            return float(log_ratio.max())
        if abs(power - 1) < NEAR_ONE:
            return float(first @ log_ratio)
        return float(special.logsumexp((power - 1) * log_ratio, b=first) / (power - 1))

    return _of_scores(scores, membership, divergence, histogram or Histogram(), seed)


def arimoto_of_scores(
    scores: Numbers,
    membership: Numbers,
    order: int | float,
    histogram: Histogram | None = None,
    seed: int = 0,
) -> FromScores:
    """The Arimoto-Renyi information between membership, a fair coin, and an attack's scores, in nats.

    Arguments, meaning and errors as of `renyi_of_scores`.
    """
    power = _order(order)

    def information(first: Law, second: Law) -> float:
        return arimoto(first, second, power)

    return _of_scores(scores, membership, information, histogram or Histogram(), seed)


def arimoto(first: Law, second: Law, order: int | float) -> float:
    """The Arimoto-Renyi information between a fair coin and what is drawn from the law that it picks."""
    if abs(order - 1) < NEAR_ONE:
        mean = (first + second) / 2
        return float((special.rel_entr(first, mean) + special.rel_entr(second, mean)).sum() / 2)
    larger, smaller = np.maximum(first, second), np.minimum(first, second)
    if order == np.inf:
        return float(np.log(larger.sum()))
    ratio = np.divide(smaller, larger, out=np.zeros_like(larger), where=larger > 0)
    total = float(larger @ np.exp(np.log1p(ratio**order) / order)) / 2
    return float(NATS_PER_BIT + order / (order - 1) * np.log(total))


def _of_scores(
    scores: Numbers,
    membership: Numbers,
    measure: Callable[[Law, Law], float],
    histogram: Histogram,
    seed: int,
) -> FromScores:
    bin_of, member, bins = _binned(scores, membership, histogram.bins)

    def measured(inside: Bool[np.ndarray, "targets records"]) -> float:
        return measure(
            _law(bin_of, inside, bins, histogram.smoothing), _law(bin_of, ~inside, bins, histogram.smoothing)
        )

    random = seeds.generator(seed, "permuted membership")
    permuted = [measured(_permuted(member, bin_of, random)) for _ in range(histogram.permutations)]
    plug_in, bias = measured(member), float(np.mean(permuted))
    return FromScores(
        value=plug_in - bias,
        plug_in=plug_in,
        bias=bias,
        deviation=float(np.std(permuted, ddof=1)),
        bins=bins,
    )


def _binned(
    scores: Numbers, membership: Numbers, bins: int | None
) -> tuple[Int[np.ndarray, "targets records"], Bool[np.ndarray, "targets records"], int]:
    """The bin of every score, -1 where there is none; who is a member; how many bins there are."""
    values, member = (
        np.atleast_2d(np.asarray(scores, np.float64)),
        np.atleast_2d(np.asarray(membership, bool)),
    )
    if values.shape != member.shape or values.ndim != 2:
        raise InputError(
            f"scores {values.shape} and membership {member.shape} must have one shape, up to 2-d"
        )
    scored = ~np.isnan(values)
    fewer = int(min((scored & member).sum(), (scored & ~member).sum()))
    if fewer == 0:
        raise InputError("scores: members and non-members are both needed; one of them has no score")
    wanted = bins or int(np.clip(round(2 * fewer ** (1 / 3)), 4, 64))
    edges = np.unique(np.quantile(values[scored], np.arange(1, wanted) / wanted, method="higher"))
    found = np.searchsorted(edges, values, side="right")
    return np.where(scored, found, -1), member, len(edges) + 1


def _law(
    bin_of: Int[np.ndarray, "targets records"],
    chosen: Bool[np.ndarray, "targets records"],
    bins: int,
    smoothing: int | float,
) -> Law:
    counts = np.bincount(bin_of[chosen] + 1, minlength=bins + 1)[1:] + float(smoothing)
    return counts / counts.sum()


def _permuted(
    member: Bool[np.ndarray, "targets records"],
    bin_of: Int[np.ndarray, "targets records"],
    random: np.random.Generator,
) -> Bool[np.ndarray, "targets records"]:
    """Membership shuffled within every target, among the records that have a score."""
    keys = np.where(bin_of >= 0, random.random(bin_of.shape), 2.0)
    scored_first = np.argsort(keys, axis=1)
    drawn = np.zeros_like(member)
    packed = np.sort(np.where(bin_of >= 0, member, 2), axis=1) == 1
    np.put_along_axis(drawn, scored_first, packed, axis=1)
    return drawn


def _order(order: int | float) -> float:
    if not order >= LEAST_ORDER:
        raise InputError(f"order={order} must be at least {LEAST_ORDER}; infinity is allowed")
    return float(order)
