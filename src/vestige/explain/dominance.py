"""Cliff's delta: how often the values of one set lie above those of another."""

import numpy as np
from jaxtyping import Float64
from scipy.optimize import root_scalar
from scipy.special import stdtrit

from vestige.risk.estimate import Z_95, Estimate

METHOD = "wider of Feng-Cliff and Newcombe, over records"

Side = Float64[np.ndarray, "_side"]


def dominance(one: Side, other: Side) -> Estimate:
    """The chance that a value of the first set is higher less the chance that it is lower, -1 to 1.

    The interval takes the wider bound of two: Feng and Cliff 2004 with Student's factor, which follows the
    data's own spread but is too short where few values nearly always lie above, and Newcombe 2006 (method
    5), which is not but supposes sets of alike shape. Measured coverage: 93 to 99 %, from 5 values against
    300 on. At least 2 values on either side.
    """
    rows, columns = _dominances(one, other), -_dominances(other, one)
    delta = float(rows.mean())
    bounds = np.array([_feng_cliff(delta, rows, columns), _newcombe(delta, len(one), len(other))])
    low, high = float(bounds[:, 0].min()), float(bounds[:, 1].max())
    return Estimate(value=delta, low=min(low, delta), high=max(high, delta), method=METHOD)


def _dominances(one: Side, other: Side) -> Side:
    """For each of the first, the share of the second below it less the share above it."""
    ordered = np.sort(other)
    below, at_most = (np.searchsorted(ordered, one, side) for side in ("left", "right"))
    return (below + at_most) / len(other) - 1


def _feng_cliff(delta: float, rows: Side, columns: Side) -> tuple[float, float]:
    m, n = len(rows), len(columns)
    variance = max(float(rows.var(ddof=1) / m + columns.var(ddof=1) / n), (1 - delta**2) / (m * n - 1))
    if variance == 0:  # one set lies wholly above the other: no spread is left to see
        return delta, delta
    squared = float(stdtrit(min(m, n) - 1, 0.975)) ** 2 * variance
    half = np.sqrt(squared * ((1 - delta**2) ** 2 + squared))
    low, high = ((delta - delta**3 + sign * half) / (1 - delta**2 + squared) for sign in (-1, 1))
    return max(-1.0, float(low)), min(1.0, float(high))


def _newcombe(delta: float, m: int, n: int) -> tuple[float, float]:
    """Where the score test of the chance of being higher, (1 + delta) / 2, does not reject."""
    found = (1 + delta) / 2

    def rejects(chance: float) -> float:
        spread = (1 - chance) / (2 - chance) + chance / (1 + chance)
        variance = chance * (1 - chance) * (1 + ((m + n) / 2 - 1) * spread) / (m * n)
        return (chance - found) ** 2 - Z_95**2 * variance

    edge = 1e-9  # at 0 and 1 themselves nothing varies, so the score is 0 or infinite
    inner = min(max(found, edge), 1 - edge)
    low, high = (
        root_scalar(rejects, bracket=(inner, end)).root if rejects(end) > 0 else end
        for end in (edge, 1 - edge)
    )
    return 2 * float(low) - 1, 2 * float(high) - 1
