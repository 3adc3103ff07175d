"""Shares, medians and rank correlations: statistics of order."""

import numpy as np
from jaxtyping import Bool, Float64
from scipy.stats import rankdata


def share_at_most(
    population: Float64[np.ndarray, "population"], values: Float64[np.ndarray, "values"]
) -> Float64[np.ndarray, "values"]:
    """For each value the share of the population that is at most as large (the empirical CDF)."""
    return np.searchsorted(np.sort(population), values, side="right") / len(population)


def masked_median(
    values: Float64[np.ndarray, "references samples augmentations"],
    chosen: Bool[np.ndarray, "references samples"],
) -> Float64[np.ndarray, "samples augmentations"]:
    """The median over the chosen references of each sample; NaN where none is chosen."""
    ordered = np.sort(np.where(chosen[:, :, None], values, np.inf), axis=0)
    count = chosen.sum(0)
    samples = np.arange(len(count))
    low = ordered[np.maximum(count - 1, 0) // 2, samples]
    high = ordered[np.minimum(count // 2, len(values) - 1), samples]
    return np.where(count[:, None] > 0, (low + high) / 2, np.nan)


def spearman(one: Float64[np.ndarray, "values"], other: Float64[np.ndarray, "values"]) -> float:
    """The correlation of the ranks of the entries that are finite in both, -1 to 1; ties at their mean rank.

    NaN with fewer than two such entries, or where one side has no order.
    """
    known = np.isfinite(one) & np.isfinite(other)
    if known.sum() < 2:
        return float("nan")
    first, second = (rankdata(values[known]) for values in (one, other))
    first, second = first - first.mean(), second - second.mean()
    scale = np.sqrt((first @ first) * (second @ second))
    return float(first @ second / scale) if scale > 0 else float("nan")
