"""TPR minus FPR, at thresholds that the judged targets had no part in choosing."""

import numpy as np
from jaxtyping import Float64

from vestige.risk.estimate import Estimate, unsupported
from vestige.risk.rate import CountedScores
from vestige.risk.resample import Resampling


def transferred_advantage(counts: CountedScores) -> Estimate:
    """The mean over targets of TPR - FPR where the threshold maximizes it on the targets outside the cluster.

    Choosing the threshold on the judged scores themselves would be biased upward (Yeom et al. 2018
    define the advantage for a fixed rule).
    """
    if counts.resampling is None:
        return unsupported("There are no other targets to choose a threshold on.")
    clusters = counts.pooled.clusters
    own = np.empty(len(clusters))
    for cluster in np.unique(clusters):
        inside = clusters == cluster
        level = int(np.argmax(_gap(counts, ~inside)))
        hits = counts.true_positives[inside, level] / counts.members[inside]
        own[inside] = hits - counts.false_positives[inside, level] / counts.non_members[inside]
    return mean_over_targets(own, counts.resampling, "threshold chosen on the other targets", least=-1.0)


def mean_over_targets(
    values: Float64[np.ndarray, "targets"], resampling: Resampling, method: str, least: float = 0.0
) -> Estimate:
    """The mean of one value per target, with its bootstrap interval over independent targets."""
    replicates = resampling.ratio(values, np.ones(len(values)))
    method = f"bootstrap over {resampling.num_clusters} independent targets; {method}"
    return resampling.estimate(float(values.mean()), replicates, method, least)


def _gap(counts: CountedScores, chosen: np.ndarray) -> Float64[np.ndarray, "levels"]:
    hits = counts.true_positives[chosen].sum(0) / counts.members[chosen].sum()
    return hits - counts.false_positives[chosen].sum(0) / counts.non_members[chosen].sum()
