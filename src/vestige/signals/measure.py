"""Which signals to record, and their values for one forward pass: the door from torch to numpy."""

from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Shaped
from torch import Tensor

from vestige.core.errors import InputError, unknown_name
from vestige.core.record import LATER
from vestige.data.transforms import Identity, View
from vestige.signals import confidence, gradient
from vestige.signals.source import UNITS

RECORDED_ALWAYS = ("scaled_logit", "correct")
_FROM_LOGITS = {
    "scaled_logit": confidence.scaled_logit,
    "correct": confidence.correct,
    "top_confidence": confidence.top_confidence,
    "entropy": confidence.entropy,
    "modified_entropy": confidence.modified_entropy,
}


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What is recorded of every model: plain data, drawn up before training.

    checkpoints: epochs at whose end every sample is measured; 0 is the initialization.
    signals: names from `vestige.signals.source.UNITS`; loss and confidence are derived, not stored.
    queries: deterministic views of each sample (`vestige.data.transforms`), one signal column each.
    weights_at: epochs at whose end the weights are kept, beside the final ones.
    """

    checkpoints: tuple[int, ...]
    signals: tuple[str, ...] = RECORDED_ALWAYS
    queries: tuple[View, ...] = (Identity(),)
    weights_at: tuple[int, ...] = field(default=(), metadata=LATER)

    def __post_init__(self) -> None:
        for name in self.signals:
            if name not in UNITS:
                raise unknown_name("signal", name, UNITS)
        if list(self.checkpoints) != sorted(set(self.checkpoints)) or self.checkpoints[0] < 0:
            raise InputError(f"checkpoints={self.checkpoints} must be increasing epochs from 0 up")

    @property
    def needs_features(self) -> bool:
        """Whether a signal needs the inputs of the last layer."""
        return "gradient_norm" in self.signals


def stored(signals: tuple[str, ...]) -> tuple[str, ...]:
    """The signals as stored: what always is, then what was asked for and cannot be derived exactly."""
    extra = [s for s in signals if s not in (*RECORDED_ALWAYS, "loss", "confidence")]
    return (*RECORDED_ALWAYS, *dict.fromkeys(extra))


@torch.no_grad()
def measure(
    logits: Tensor, targets: Tensor, features: Tensor | None, signals: tuple[str, ...]
) -> dict[str, Shaped[np.ndarray, "*models samples"]]:
    """The named signals of one forward pass, [... samples] float32 (`correct`: uint8).

    logits: [... samples classes] of a model in evaluation mode. bfloat16 logits are refused: they would
    tie exactly where false-positive rates are low.
    """
    if logits.dtype not in (torch.float32, torch.float64):
        raise TypeError(f"logits are {logits.dtype}; measure signals in float32")
    one_logit = logits.shape[-1] == 1
    prediction = confidence.Prediction(confidence.two_columns(logits), targets)
    values: dict[str, np.ndarray] = {}
    for name in signals:
        if name == "gradient_norm":
            if features is None:
                raise InputError("signal='gradient_norm' needs a model that ends in a linear layer")
            value = gradient.last_layer_gradient_norm(prediction.logits, targets, features)
            value = value / 2**0.5 if one_logit else value  # the pair (0, z) counts one residual twice
        else:
            value = _FROM_LOGITS[name](prediction)
        values[name] = value.to(torch.uint8 if name == "correct" else torch.float32).cpu().numpy()
    return values
