"""What one run's traces over training say of each sample, without any reference model.

Each function takes a trace [checkpoints samples] and gives one number per sample; higher = more exposed.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int, Shaped

from vestige.core import check
from vestige.core.errors import InputError, unknown_name

Trace = Shaped[np.ndarray, "checkpoints samples"]
Measure = Callable[[Trace], Float64[np.ndarray, "samples"]]


def loss_trace_iqr(losses: Float[np.ndarray, "checkpoints samples"]) -> Float64[np.ndarray, "samples"]:
    """The interquartile range Q75 - Q25 of each sample's loss over the checkpoints, in nats.

    Quartiles interpolate linearly between checkpoints. Pollock et al. 2024 (arXiv 2411.05743), "LT-IQR".
    """
    low, high = np.quantile(losses.astype(np.float64), [0.25, 0.75], axis=0)
    return high - low


def cumulative_loss(losses: Float[np.ndarray, "checkpoints samples"]) -> Float64[np.ndarray, "samples"]:
    """The mean of each sample's loss over the checkpoints, in nats."""
    return losses.mean(0, dtype=np.float64)


def learned_at(correct: Shaped[np.ndarray, "checkpoints samples"]) -> Int[np.ndarray, "samples"]:
    """The first checkpoint from which each prediction stays correct to the last; their number if never.

    correct: true, or nonzero, where the prediction is correct.
    """
    stayed = np.logical_and.accumulate(correct[::-1] != 0, axis=0).sum(0)
    return len(correct) - stayed


def learning_time(correct: Shaped[np.ndarray, "checkpoints samples"]) -> Float64[np.ndarray, "samples"]:
    """`learned_at` as a number to rank by: what is learned late is the more exposed."""
    return learned_at(correct).astype(np.float64)


def learning_epoch(
    correct: Shaped[np.ndarray, "checkpoints samples"], epochs: Float[np.ndarray, "checkpoints"]
) -> Float64[np.ndarray, "samples"]:
    """The epoch of `learned_at`; infinity if never."""
    return np.append(epochs.astype(np.float64), np.inf)[learned_at(correct)]


@dataclass(frozen=True)
class Indicator:
    """A measure of traces: of which signal, and from how many checkpoints on it tells samples apart."""

    measure: Measure
    signal: str
    fewest_checkpoints: int
    meaning: str


INDICATORS = {
    "loss_trace_iqr": Indicator(loss_trace_iqr, "loss", 2, "interquartile range of the loss over training"),
    "cumulative_loss": Indicator(cumulative_loss, "loss", 1, "mean loss over training"),
    "learning_time": Indicator(learning_time, "correct", 1, "when the prediction became correct for good"),
}


def indicator(name: str) -> Indicator:
    """The indicator of that name. Raises InputError that suggests neighbors."""
    if name not in INDICATORS:
        raise unknown_name("signal", name, INDICATORS)
    return INDICATORS[name]


def list_size(share: float, members: int) -> int:
    """How many of the members a list of this share names: at least one."""
    if not 0 < share <= 1:
        raise InputError(f"share={share} must lie above 0 and at most at 1, such as 0.01 for the top 1 %")
    return max(1, round(share * members))


def most_exposed(
    values: Float64[np.ndarray, "samples"], members: Bool[np.ndarray, "samples"], share: float
) -> Int[np.ndarray, "listed"]:
    """The members with the highest values, highest first; equal values in the order of the samples."""
    positions = np.flatnonzero(members)
    order = np.argsort(-values[positions], kind="stable")
    return positions[order[: list_size(share, len(positions))]]


def list_precision(
    values: Float64[np.ndarray, "samples"],
    members: Bool[np.ndarray, "samples"],
    exposed: Bool[np.ndarray, "samples"],
    share: float,
) -> float:
    """The share of the listed members that are exposed, on average over all orders of equal values."""
    own, hits = values[members], exposed[members]
    size = list_size(share, len(own))
    border = np.partition(own, len(own) - size)[len(own) - size]
    above, tied = own > border, own == border
    return float((hits[above].sum() + (size - above.sum()) * hits[tied].mean()) / size)


def warning_precision(
    traces: Shaped[np.ndarray, "models checkpoints samples"],
    members: Bool[np.ndarray, "models samples"],
    exposed: Bool[np.ndarray, "samples"],
    *,
    checkpoint: int,
    share: float,
    measure: Measure = loss_trace_iqr,
) -> tuple[Float64[np.ndarray, "models"], float]:
    """How many of the samples that each model's own trace lists turn out exposed, and what chance gives.

    Each model plays the one run under observation: from its trace up to and with `checkpoint` it lists
    the top share of its own members.

    traces: what the measure reads, losses in nats or correctness. exposed: the samples that are exposed in
      the end, as the whole population knows them.

    Returns the precision per model, and the share of exposed among the members, averaged over models.
    """
    check.within("checkpoint", checkpoint, 0, traces.shape[1] - 1)
    precision = [
        list_precision(measure(trace[: checkpoint + 1]), own, exposed, share)
        for trace, own in zip(traces, members, strict=True)
    ]
    return np.array(precision), float(np.mean([exposed[own].mean() for own in members]))
