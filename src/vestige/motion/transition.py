"""How samples pass from region to region."""

import numpy as np
from jaxtyping import Float64, Int, Int8

from vestige.motion.state import State


def transition_counts(
    before: Int8[np.ndarray, "samples"], after: Int8[np.ndarray, "samples"], num_regions: int
) -> Int[np.ndarray, "regions regions"]:
    """How many samples went from each region (row) to each region (column)."""
    code = before.astype(np.int64) * num_regions + after
    return np.bincount(code, minlength=num_regions**2).reshape(num_regions, num_regions)


def transition_matrix(counts: Int[np.ndarray, "regions regions"]) -> Float64[np.ndarray, "regions regions"]:
    """The share of each row's samples that went to each column; rows sum to 1, or are NaN where empty."""
    totals = counts.sum(1, keepdims=True)
    return np.divide(counts, totals, out=np.full(counts.shape, np.nan), where=totals > 0)


def hazard(before: State, after: State) -> Float64[np.ndarray, "replicates"]:
    """The share of samples not yet vulnerable that are so at the next checkpoint; NaN if all were."""
    outside = ~before.high
    entered = (outside & after.high).sum(1)
    left = outside.sum(1)
    return np.divide(entered, left, out=np.full(len(left), np.nan), where=left > 0)


def per_epoch(hazard: Float64[np.ndarray, "replicates"], epochs: float) -> Float64[np.ndarray, "replicates"]:
    """The constant hazard per epoch that adds up to this one over the step: 1 - (1 - h)^(1 / epochs)."""
    return 1 - (1 - hazard) ** (1 / epochs)
