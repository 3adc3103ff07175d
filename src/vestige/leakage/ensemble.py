"""Leakage from a statistic of many retrained models, taken for normal with and without each record.

The divergences are unbiased if the statistic is normal: what the plug-in has too much, of order 1 / models,
is known and taken away, so that they are 0 in the mean where nothing leaks, and negative for many records
then. The mutual information is the plug-in less its bias to first order, the advantage the plug-in times
the square root of the share of the divergences that chance does not explain.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float64
from scipy import special

from vestige.core import check
from vestige.core.errors import InputError
from vestige.leakage.leakage import Leakage
from vestige.leakage.normal_pair import normal_pair
from vestige.leakage.numbers import Numbers
from vestige.leakage.randomness import SeedEnsemble, require
from vestige.leakage.shift import gaussian_shift

Table = Float64[np.ndarray, "models records"]
Mask = Bool[np.ndarray, "models records"]
Values = Float64[np.ndarray, "records"]

POPULATION = (
    "in population a lower bound, by data processing, where the statistic is normal; here an estimate, not a "
    "certificate"
)
UNBIASED = (
    "divergences are unbiased for normal laws and so may fall below 0; the advantage is biased upward near 0"
)


@dataclass(frozen=True, eq=False)
class Side:
    """Count, mean and unbiased variance of the models on one side of each record."""

    count: Values
    mean: Values
    variance: Values

    @property
    def freedom(self) -> Values:
        """Degrees of freedom of the variance."""
        return self.count - 1


def gaussian_ensemble(
    values: Numbers,
    membership: Numbers,
    randomness: SeedEnsemble,
    prior: float = 0.5,
    *,
    variance: Literal["separate", "pooled"] = "separate",
) -> Leakage:
    """The leakage of each record through a statistic that is normal over models, with it and without it.

    values: [models records], such as the scaled logit of each record; NaN where a model does not count.
    membership: [models records], whether the model was trained with the record.
    variance: "separate" fits one to each side; "pooled" fits one to both, within the record, for few models.

    Records with fewer than `randomness.fewest` models on a side, or with a constant side, are NaN and noted.
    Raises InputError for other shapes, infinite values, or when no record has enough models.
    """
    require(randomness, SeedEnsemble)
    check.one_of("variance", variance, ("separate", "pooled"))
    table, inside, outside = sides(values, membership)
    enough = enough_models(inside, outside, randomness)
    with_record, without = _side(table, inside, enough), _side(table, outside, enough)
    if variance == "pooled":
        with_record, without = _pooled(with_record, without)
        forward = backward = _pooled_kl(with_record, without)
    else:
        forward, backward = _separate_kl(with_record, without), _separate_kl(without, with_record)
    fitted = normal_pair(with_record.mean, with_record.variance, without.mean, without.variance, prior)
    by_chance = _by_chance(with_record, without, one_variance=variance == "pooled")
    return Leakage(
        kl=forward,
        kl_reverse=backward,
        mutual_information=_less_biased(fitted, by_chance),
        advantage=_shrunk(fitted, by_chance),
        prior=prior,
        kind="lower bound",
        notes=(POPULATION, UNBIASED, *shortages(enough, np.isnan(with_record.variance), randomness)),
    )


def sides(values: Numbers, membership: Numbers) -> tuple[Table, Mask, Mask]:
    """The statistic, and which models count on the side with each record and on the side without.

    Raises InputError for other shapes or infinite values.
    """
    table, member = np.asarray(values, np.float64), np.asarray(membership, bool)
    if table.ndim != 2 or table.shape != member.shape:
        raise InputError(f"values {table.shape} and membership {member.shape} must both be [models records]")
    if np.isinf(table).any():
        raise InputError("values must be finite; clip them, or mark what does not count with NaN")
    counts = ~np.isnan(table)
    return table, member & counts, ~member & counts


def enough_models(inside: Mask, outside: Mask, randomness: SeedEnsemble) -> Bool[np.ndarray, "records"]:
    """Which records have enough models on either side.

    Raises InputError when none has.
    """
    fewer = np.minimum(inside.sum(0), outside.sum(0))
    enough = fewer >= randomness.fewest
    if not enough.any():
        raise InputError(
            f"all {len(fewer)} records have fewer than {randomness.fewest} models with them or without them "
            f"(at most {fewer.max(initial=0)} on the shorter side): train more models, or lower "
            "SeedEnsemble(fewest=...)"
        )
    return enough


def shortages(
    enough: Bool[np.ndarray, "records"], missing: Bool[np.ndarray, "records"], randomness: SeedEnsemble
) -> tuple[str, ...]:
    """What to say of records that are NaN: too few models, or a constant side."""
    short, constant = int((~enough).sum()), int((enough & missing).sum())
    notes: list[str] = []
    if short:
        notes.append(f"{short} records have fewer than {randomness.fewest} models on a side and are NaN")
    if constant:
        notes.append(f"{constant} records have a side on which all models agree, so no density: they are NaN")
    return tuple(notes)


def _side(table: Table, chosen: Mask, enough: Bool[np.ndarray, "records"]) -> Side:
    """Moments of the chosen models; NaN where there are too few or they all agree."""
    count = np.where(enough, chosen.sum(0), np.nan)
    kept = np.where(chosen, table, 0.0)
    mean = kept.sum(0) / count
    kept -= mean
    kept *= chosen
    variance = np.einsum("mr,mr->r", kept, kept) / (count - 1)
    return Side(count, mean, np.where(variance > 0, variance, np.nan))


def _pooled(first: Side, second: Side) -> tuple[Side, Side]:
    """Both sides with the variance that they have in common."""
    freedom = first.freedom + second.freedom
    squares = first.variance * first.freedom + second.variance * second.freedom
    return (
        Side(first.count, first.mean, squares / freedom),
        Side(second.count, second.mean, squares / freedom),
    )


def _pooled_kl(first: Side, second: Side) -> Values:
    """Half the squared shift: E[1 / s^2] is nu / (nu - 2) / sigma^2, and the means differ by chance too."""
    freedom = first.freedom + second.freedom
    squared = (freedom - 2) / freedom * (first.mean - second.mean) ** 2 / first.variance
    return (squared - 1 / first.count - 1 / second.count) / 2


def _separate_kl(first: Side, second: Side) -> Values:
    """KL(first || second), each term of it replaced by its unbiased estimate under normal laws.

    With nu degrees of freedom E[1 / s^2] = nu / (nu - 2) / sigma^2 and E[ln s^2] = ln sigma^2 + psi(nu / 2) -
    ln(nu / 2); mean and variance of a normal sample are independent.
    """
    precision = (second.freedom - 2) / second.freedom / second.variance
    spread = precision * first.variance * (1 - 1 / first.count)
    moved = precision * (first.mean - second.mean) ** 2 - 1 / second.count
    return (spread - 1 + moved - (_log_variance(first) - _log_variance(second))) / 2


def _log_variance(side: Side) -> Values:
    half = side.freedom / 2
    return np.log(side.variance) - special.digamma(half) + np.log(half)


def _by_chance(first: Side, second: Side, one_variance: bool) -> Values:
    """The sum of both divergences that the noise of means and of log variances alone shows in close laws."""
    noise = first.variance / first.count + second.variance / second.count
    means = noise * (1 / first.variance + 1 / second.variance)
    if one_variance:
        return means / 2
    return (means + special.polygamma(1, first.freedom / 2) + special.polygamma(1, second.freedom / 2)) / 2


def _less_biased(fitted: Leakage, by_chance: Values) -> Values:
    """The plug-in mutual information less its slope over the divergences' sum times what chance adds to it.

    The slope is that of equal variances; for close laws it is the same for all, prior * (1 - prior) / 2.
    """
    shifts = np.linspace(0.0, 12.0, 481)
    curve = gaussian_shift(shifts, fitted.prior).mutual_information
    slopes = np.diff(curve) / np.diff(shifts**2)
    slope = np.interp(fitted.jeffreys, (shifts[1:] ** 2 + shifts[:-1] ** 2) / 2, slopes, right=0.0)
    return fitted.mutual_information - slope * by_chance


def _shrunk(fitted: Leakage, by_chance: Values) -> Values:
    """The plug-in advantage, linear in small shifts, times the root of what chance leaves of divergence."""
    kept = np.maximum(fitted.jeffreys - by_chance, 0.0)
    share = np.divide(kept, fitted.jeffreys, out=np.zeros_like(kept), where=fitted.jeffreys > 0)
    return fitted.advantage * np.sqrt(share) + 0 * kept
