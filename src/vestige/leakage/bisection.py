"""The last point at which a condition holds, for many conditions at once."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float64

Values = Float64[np.ndarray, "*records"]

HALVINGS = 60  # of a range near 1: to 1e-18


def largest(
    holds: Callable[[Values], Bool[np.ndarray, "..."]], low: Values, high: Values, halvings: int = HALVINGS
) -> Values:
    """The largest x in [low, high] at which `holds`, entry by entry; low where it holds nowhere.

    holds: array of points in, array of truths out; true below some point and false above. A condition on NaN
    must be false.
    """
    top = high
    everywhere = np.asarray(holds(top))
    for _ in range(halvings):
        middle = np.asarray(low + (high - low) / 2)
        kept = np.asarray(holds(middle))
        low, high = np.where(kept, middle, low), np.where(kept, high, middle)
    return np.where(everywhere, top, low)
