"""The ROC of an attack on a grid of error rates, with its spread over targets."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Integer

from vestige.risk.pooled import allowed, pool
from vestige.risk.rate import is_supported

LOWEST_FPR = 1e-5


@dataclass(frozen=True, kw_only=True, eq=False)
class RocCurve:
    """TPR at each FPR of a grid, all targets under one common threshold.

    fpr: [grid], rising. tpr: [grid], pooled over targets.
    low, high: [grid], the 10th and 90th percentile over targets of their own TPR at that threshold.
    supported: [grid], whether the sample can carry the rate.
    """

    attack: str
    fpr: Float64[np.ndarray, "grid"]
    tpr: Float64[np.ndarray, "grid"]
    low: Float64[np.ndarray, "grid"]
    high: Float64[np.ndarray, "grid"]
    supported: Bool[np.ndarray, "grid"]


def roc_curve(
    scores: Float[np.ndarray, "targets samples"],
    member: Bool[np.ndarray, "targets samples"],
    clusters: Integer[np.ndarray, "targets"],
    *,
    attack: str,
    points: int = 101,
) -> RocCurve:
    """The pooled ROC of final scores at error rates from 0.001 % to 100 %, evenly spaced by logarithm."""
    pooled = pool(scores, member, clusters)
    grid = np.geomspace(LOWEST_FPR, 1.0, points)
    total = len(pooled.pooled)
    ranks = [allowed(float(fpr), total) for fpr in grid]
    thresholds = np.array([pooled.pooled[-1 - k] if k < total else -np.inf for k in ranks])
    hits = pooled.counts_above(thresholds[None, :])[0]
    own = hits / pooled.sizes()[0][:, None]
    low, high = np.quantile(own, (0.1, 0.9), axis=0)
    return RocCurve(
        attack=attack,
        fpr=grid,
        tpr=hits.sum(0) / pooled.sizes()[0].sum(),
        low=low,
        high=high,
        supported=np.array([is_supported(float(fpr), total, scores.shape[1]) for fpr in grid]),
    )
