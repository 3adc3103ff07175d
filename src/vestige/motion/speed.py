"""How fast samples move on the plane: "membership encoding speed" of Chen et al. 2025, in our formulas."""

import numpy as np
from jaxtyping import Float, Float64

from vestige.motion.state import Changes, State


def path_speed(before: State, after: State, epochs: float) -> Float64[np.ndarray, "replicates samples"]:
    """The distance each sample moved on the plane, per epoch: ||s' - s|| / (t' - t).

    Binomial jitter of the counts is part of it: a sample whose true rates stand still moves all the same.
    """
    return np.hypot(after.fpr - before.fpr, after.tpr - before.tpr) / epochs


def signed_speed(before: State, after: State, epochs: float) -> Float64[np.ndarray, "replicates"]:
    """The mean change of the advantage per epoch, (a' - a) / (t' - t); jitter averages out."""
    return np.nanmean(after.advantage - before.advantage, 1) / epochs


def debiased_speed(changes: Changes, epochs: float) -> Float64[np.ndarray, "replicates"]:
    """The root mean square distance per epoch that the jitter of counts does not explain.

    The mean over samples of ||s' - s||^2 - Var_in(d) / n_in - Var_out(d) / n_out, where d is the change of
    one model's decision and Var its sample variance over models; 0 where the mean is below 0, and NaN where
    no sample has two models on a side.
    """
    squares = changes.squared_step - changes.jitter
    known = ~np.isnan(squares)
    total, count = np.where(known, squares, 0.0).sum(1), known.sum(1)
    mean = np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)
    return np.sqrt(np.maximum(mean, 0.0)) / epochs


def run_average(
    speeds: Float[np.ndarray, "... steps"], epochs: Float[np.ndarray, "steps"]
) -> Float[np.ndarray, "..."]:
    """The time average of speeds, each weighted with the epochs its step took."""
    return (speeds * epochs).sum(-1) / epochs.sum()
