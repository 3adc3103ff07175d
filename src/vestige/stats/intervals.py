"""Confidence intervals for proportions and for means over dependent units."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike
from scipy import special

from vestige.core import check, seeds
from vestige.core.errors import InputError

Statistic = Callable[[np.ndarray], float]


def proportion_interval(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """The Clopper-Pearson interval of a proportion: it covers at least as often as it says.

    Raises InputError unless 0 <= successes <= trials and trials >= 1.
    """
    check.at_least("trials", trials, 1)
    check.within("successes", successes, 0, trials)
    tail = _tail(confidence)
    failures = trials - successes
    low = special.betaincinv(successes, failures + 1, tail) if successes else 0.0
    high = special.betaincinv(successes + 1, failures, 1 - tail) if failures else 1.0
    return float(low), float(high)


def bootstrap_interval(
    values: ArrayLike,
    clusters: ArrayLike | None = None,
    seed: int = 0,
    *,
    statistic: Statistic = np.mean,
    confidence: float = 0.95,
    resamples: int = 2000,
) -> tuple[float, float]:
    """The percentile bootstrap interval of a statistic of units, whole clusters drawn together.

    values: [units ...], one row per unit (for example one figure per target model).
    clusters: [units], units with the same number depend on each other; None means that none do.
    statistic: what is estimated; it receives the drawn rows and must depend on them alone.

    With few clusters (below about 10) a percentile interval is too short; `t_interval` is safer then.
    Raises InputError for fewer than 2 clusters.
    """
    rows = np.asarray(values)
    tail = _tail(confidence)
    check.at_least("resamples", resamples, 1)
    groups = _groups(len(rows), clusters)
    random = seeds.generator(seed, "bootstrap")
    drawn = random.integers(len(groups), size=(resamples, len(groups)))
    estimates = [statistic(rows[np.concatenate([groups[int(i)] for i in draw])]) for draw in drawn]
    low, high = np.quantile(np.asarray(estimates, np.float64), [tail, 1 - tail])
    return float(low), float(high)


def t_interval(
    values: ArrayLike, clusters: ArrayLike | None = None, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Student's t interval for the mean of the cluster means.

    values: [units], one figure per unit. clusters: [units] as for `bootstrap_interval`.

    Raises InputError for fewer than 2 clusters.
    """
    units = np.asarray(values, np.float64)
    tail = _tail(confidence)
    groups = _groups(len(units), clusters)
    means: Float64[np.ndarray, "clusters"] = np.array([units[group].mean() for group in groups])
    half = special.stdtrit(len(means) - 1, 1 - tail) * means.std(ddof=1) / np.sqrt(len(means))
    return float(means.mean() - half), float(means.mean() + half)


def _tail(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise InputError(f"confidence={confidence} must lie strictly between 0 and 1, such as 0.95")
    return (1 - confidence) / 2


def _groups(units: int, clusters: ArrayLike | None) -> list[np.ndarray]:
    """The positions of the units of each cluster."""
    labels = np.arange(units) if clusters is None else np.asarray(clusters)
    if labels.shape != (units,):
        raise InputError(f"clusters has shape {labels.shape}; give one number for each of the {units} units")
    _, inverse = np.unique(labels, return_inverse=True)
    groups = [np.flatnonzero(inverse == cluster) for cluster in range(int(inverse.max(initial=-1)) + 1)]
    if len(groups) < 2:
        raise InputError(
            f"clusters: {len(groups)} independent units cannot carry an interval; give at least 2"
        )
    return groups
