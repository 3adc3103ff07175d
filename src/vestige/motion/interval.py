"""Intervals of figures whose bootstrap replicates are shifted."""

import numpy as np
from jaxtyping import Float64
from scipy import special

from vestige.risk.estimate import Estimate, unsupported
from vestige.risk.resample import PERCENTILE_CLUSTERS

METHOD = "bootstrap over models, dependent ones together"


def spread_interval(
    rows: Float64[np.ndarray, "replicates"],
    clusters: int,
    *,
    least: float = -np.inf,
    most: float = np.inf,
    note: str = "",
) -> Estimate:
    """The value in row 0 with its 95 % interval from the spread of the other rows about their own mean.

    Drawing models again adds jitter of its own, which shifts distances, entropies and correlations in all
    replicates alike: their level says nothing of the value, their spread does. So no percentiles are
    taken. Few independent models widen the interval by the Student factor.

    note: what to say where the value or most replicates are NaN.
    """
    value, replicates = float(rows[0]), rows[1:][~np.isnan(rows[1:])]
    if np.isnan(value) or clusters < 2 or len(replicates) < len(rows) / 2:
        return unsupported(note or "The data do not determine it.") if np.isnan(value) else _bare(value)
    factor = 1.959964
    if clusters < PERCENTILE_CLUSTERS:
        factor = float(special.stdtrit(clusters - 1, 0.975)) * float(np.sqrt(clusters / (clusters - 1)))
    half = factor * float(replicates.std())
    return Estimate(
        value=value,
        low=max(value - half, min(least, value)),
        high=min(value + half, max(most, value)),
        method=METHOD,
    )


def _bare(value: float) -> Estimate:
    return Estimate(value=value, note="Too few independent models for an interval.")
