"""The mean of one figure per target."""

import numpy as np
from jaxtyping import Float64, Integer

from vestige.risk.advantage import mean_over_targets
from vestige.risk.estimate import Estimate
from vestige.risk.resample import resampling


def target_mean(
    values: Float64[np.ndarray, "targets"],
    clusters: Integer[np.ndarray, "targets"],
    method: str,
    *,
    seed: int = 0,
    least: float = 0.0,
) -> Estimate:
    """The mean over targets with its interval inside [least, 1]; a single independent target has none."""
    drawn_again = resampling(clusters, seed)
    if drawn_again.num_clusters < 2:
        note = "One independent target carries no interval."
        return Estimate(value=float(values.mean()), method=method, note=note)
    return mean_over_targets(values, drawn_again, method, least)
