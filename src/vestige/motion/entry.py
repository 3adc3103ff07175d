"""When samples enter the vulnerable regions, and when the mean advantage is half of what it becomes."""

import numpy as np
from jaxtyping import Bool, Float64


def first_entry(
    high: Bool[np.ndarray, "checkpoints samples"], epochs: Float64[np.ndarray, "checkpoints"]
) -> Float64[np.ndarray, "samples"]:
    """The epoch at which each sample was first vulnerable; NaN if never."""
    return np.where(high.any(0), epochs[high.argmax(0)], np.nan)


def last_entry(
    high: Bool[np.ndarray, "checkpoints samples"], epochs: Float64[np.ndarray, "checkpoints"]
) -> Float64[np.ndarray, "samples"]:
    """The epoch at which each sample last became vulnerable; NaN if never.

    For a sample that ends vulnerable it is the epoch from which it stays so.
    """
    entered = high & ~np.vstack([np.zeros((1, high.shape[1]), bool), high[:-1]])
    last = len(high) - 1 - entered[::-1].argmax(0)
    return np.where(entered.any(0), epochs[last], np.nan)


def half_time(
    advantage: Float64[np.ndarray, "replicates checkpoints"], epochs: Float64[np.ndarray, "checkpoints"]
) -> Float64[np.ndarray, "replicates"]:
    """The epoch at which the mean advantage first reaches half of its last value, on straight lines
    between checkpoints; NaN where the last value is not above 0.
    """
    goal = advantage[:, -1:] / 2
    reached = advantage >= goal
    index = reached.argmax(1)
    before = np.maximum(index - 1, 0)
    rows = np.arange(len(advantage))
    low, high = advantage[rows, before], advantage[rows, index]
    rise = high - low
    part = np.divide(goal[:, 0] - low, rise, out=np.zeros(len(rise)), where=rise > 0)
    found = epochs[before] + np.clip(part, 0, 1) * (epochs[index] - epochs[before])
    return np.where(goal[:, 0] > 0, found, np.nan)


def first_reaching(
    values: Float64[np.ndarray, "replicates checkpoints"],
    epochs: Float64[np.ndarray, "checkpoints"],
    goal: float,
) -> Float64[np.ndarray, "replicates"]:
    """The epoch of the first checkpoint at which each row is at least the goal; NaN if none is."""
    reached = np.nan_to_num(values, nan=-np.inf) >= goal
    return np.where(reached.any(1), epochs[reached.argmax(1)], np.nan)
