"""Rankings of a run's members from its own loss traces, with no other model trained."""

import numpy as np
from jaxtyping import Float64

from vestige.core.errors import InputError
from vestige.explain.given import matrix, vector
from vestige.leakage.numbers import Numbers
from vestige.motion.hardness import epoch_learned

AXES = "checkpoints, samples"


def trace_iqr(losses: Numbers) -> Float64[np.ndarray, "samples"]:
    """The interquartile range of each sample's loss over checkpoints, in nats; higher = more vulnerable.

    LT-IQR of Pollock et al. 2024 (arXiv 2411.05743). losses: [checkpoints samples], nats, best at the end of
    every epoch and without augmentation. It ranks members only and tests nobody's membership.

    Raises InputError for another shape or fewer than 2 checkpoints.
    """
    traces = matrix("losses", losses, AXES)
    if len(traces) < 2:
        raise InputError("losses hold 1 checkpoint; a range over time takes at least 2")
    low, high = np.quantile(traces, (0.25, 0.75), axis=0)
    return high - low


def cumulative_loss(losses: Numbers) -> Float64[np.ndarray, "samples"]:
    """The sum of each sample's loss over checkpoints, in nats; higher = harder (Ravikumar et al. 2025).

    losses: [checkpoints samples], nats. Checkpoints count alike, however far apart they are.
    """
    return matrix("losses", losses, AXES).sum(0)


def learning_time(correct: Numbers, epochs: Numbers | None = None) -> Float64[np.ndarray, "samples"]:
    """The epoch from which each prediction stays correct to the end, the last plus one if never;
    higher = learned later.

    correct: [checkpoints samples], 0 or 1. epochs: [checkpoints], increasing; 0, 1, ... if not given.

    Raises InputError for values other than 0 and 1, or epochs that do not fit.
    """
    right = matrix("correct", correct, AXES)
    if not ((right == 0) | (right == 1)).all():
        raise InputError("correct holds values other than 0 and 1; give whether each prediction was right")
    times = np.arange(len(right), dtype=np.float64)
    if epochs is not None:
        times = vector("epochs", epochs)
        if len(times) != len(right) or not (np.diff(times) > 0).all():
            raise InputError(
                f"epochs={times.tolist()} must increase, one for each of {len(right)} checkpoints"
            )
    return epoch_learned(right > 0, times)
