"""Shares and medians: statistics of order."""

import numpy as np
from jaxtyping import Bool, Float64


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
