"""How hard each sample is, from the same models that measure its exposure."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from vestige.signals.source import SignalSource, read


@dataclass(frozen=True, eq=False)
class Difficulty:
    """Per sample, at the last checkpoint.

    out_loss: mean loss in nats over the models trained without it; higher = harder.
    memorization: Pr[correct | trained with it] - Pr[correct | trained without it] (Feldman and Zhang
      2020, eq. 1), from -1 to 1; NaN throughout where correctness is not on record.
    """

    out_loss: Float64[np.ndarray, "samples"]
    memorization: Float64[np.ndarray, "samples"]


@dataclass(frozen=True, eq=False)
class AccuracyOverTime:
    """The accuracy of each model at each checkpoint, as fractions of 1.

    train: on its members, [models checkpoints]; test: on its non-members.
    """

    train: Float64[np.ndarray, "models checkpoints"]
    test: Float64[np.ndarray, "models checkpoints"]


def difficulty(signals: SignalSource, mask: Bool[np.ndarray, "models samples"]) -> Difficulty:
    """The difficulty of each sample, read one model at a time."""
    num_samples = mask.shape[1]
    out_loss, right = np.zeros(num_samples), np.zeros((2, num_samples))
    inside = mask.sum(0)
    known = "correct" in signals.names
    for model, coin in enumerate(mask):
        out_loss += np.where(coin, 0.0, read(signals, "loss", model, -1).mean(1))
        if known:
            correct = read(signals, "correct", model, -1)[:, 0]
            right += np.where([~coin, coin], correct, 0.0)
    outside = len(mask) - inside
    memorization = right[1] / inside - right[0] / outside if known else np.full(num_samples, np.nan)
    return Difficulty(out_loss / outside, memorization)


def accuracy_over_time(
    signals: SignalSource, mask: Bool[np.ndarray, "models samples"]
) -> AccuracyOverTime | None:
    """The accuracy of each model at each checkpoint; None where correctness is not on record."""
    if "correct" not in signals.names:
        return None
    models, checkpoints = signals.shape[:2]
    train, test = np.zeros((models, checkpoints)), np.zeros((models, checkpoints))
    for model, coin in enumerate(mask):
        for checkpoint in range(checkpoints):
            correct = read(signals, "correct", model, checkpoint)[:, 0]
            train[model, checkpoint] = correct[coin].mean()
            test[model, checkpoint] = correct[~coin].mean()
    return AccuracyOverTime(train, test)
