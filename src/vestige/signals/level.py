"""How confident is confident: a level of the loss, absolute or relative to known members."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from vestige.core.errors import InputError

KnownLosses = Float64[np.ndarray, "known"]


@dataclass(frozen=True, kw_only=True)
class Absolute:
    """Confident where the label's probability is at least `confidence`.

    A model that was taught soft labels may never be so confident anywhere; `Relative` suits it.
    """

    confidence: float = 0.9

    def __post_init__(self) -> None:
        _strictly_inside("confidence", self.confidence)

    def loss(self, known_losses: KnownLosses | None = None) -> float:
        """The loss in nats at which confidence begins, -log(confidence)."""
        return -math.log(self.confidence)


@dataclass(frozen=True, kw_only=True)
class Relative:
    """Confident where the loss is at most that quantile of the losses of members an attacker knows."""

    quantile: float = 0.9

    def __post_init__(self) -> None:
        _strictly_inside("quantile", self.quantile)

    def loss(self, known_losses: KnownLosses | None = None) -> float:
        """The loss in nats at which confidence begins. Raises InputError without known members."""
        if known_losses is None or not len(known_losses):
            raise InputError(
                "known_losses is missing; a relative level needs the losses of known members, or use "
                "level=Absolute(confidence=0.9)"
            )
        return float(np.quantile(known_losses, self.quantile))


Level = Absolute | Relative


def as_scaled_logit(loss: float) -> float:
    """The scaled logit at which the loss has this value, -log(exp(loss) - 1); infinity for a loss of 0."""
    if loss <= 0:
        return math.inf
    return -(loss + math.log(-math.expm1(-loss)))  # log(exp(a) - 1) without overflow


def _strictly_inside(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise InputError(f"{name}={value} must lie strictly between 0 and 1, such as 0.9")
