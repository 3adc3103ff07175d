"""What attacks read: a signal by name, or a function of one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Shaped

from vestige.core import check
from vestige.core.errors import InputError
from vestige.signals.source import ArraySignals, is_derivable, read

Values = Float64[np.ndarray, "samples augmentations"]

# The smallest log probability that is told from 0; e^700 is near the largest float64.
FLOOR = -700.0


@dataclass(frozen=True)
class Tempered:
    """The probability of the label at a softmax temperature: sigmoid(scaled logit / temperature).

    Exact for two classes. With more classes it tempers the odds of the label against all other classes
    together, which needs no logits but the recorded scaled logit.
    """

    temperature: float

    def __post_init__(self) -> None:
        check.positive("temperature", self.temperature)

    def __call__(self, scaled_logit: Values) -> Values:
        """The probability, accurate in relative terms down to e^-700."""
        return 1.0 / (1.0 + self.odds_against(scaled_logit))

    def log(self, scaled_logit: Values) -> Values:
        """The log probability, without loss of digits at either end."""
        return -np.log1p(self.odds_against(scaled_logit))

    def odds_against(self, scaled_logit: Values) -> Values:
        """(1 - p) / p."""
        return np.exp(-np.maximum(scaled_logit / self.temperature, FLOOR))


Quantity = str | Tempered


def recorded_name(quantity: Quantity, names: Sequence[str]) -> str:
    """The recorded signal that the quantity is computed from.

    Raises InputError when it is not on record.
    """
    wanted = "scaled_logit" if isinstance(quantity, Tempered) else quantity
    if wanted in names:
        return wanted
    if is_derivable(wanted) and "scaled_logit" in names:
        return "scaled_logit"
    raise InputError(f"signal={wanted!r} is not on record; recorded: {', '.join(names)}")


def value(quantity: Quantity, recorded: str, row: Shaped[np.ndarray, "samples augmentations"]) -> Values:
    """The quantity in float64 from values of the recorded signal."""
    exact = row.astype(np.float64)
    if isinstance(quantity, Tempered):
        return quantity(exact)
    if quantity == recorded:
        return exact
    return read(ArraySignals({recorded: exact[None, None]}), quantity, 0, 0)
