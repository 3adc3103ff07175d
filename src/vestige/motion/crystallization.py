"""How early the records that end up vulnerable can be told (Chen et al. 2025, "early determination")."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from scipy.stats import rankdata

from vestige.motion.state import State

TOP = 0.1  # share of the samples that counts as most exposed


@dataclass(frozen=True, eq=False)
class Foreknowledge:
    """How one checkpoint foretells the last, once per replicate.

    recall: of the finally vulnerable, the share vulnerable now. precision: of those vulnerable now, the
    share that ends so. jaccard: their intersection over their union. NaN where a set is empty.
    top_overlap: the share of the tenth with the largest advantage at the end that is in that tenth now.
    rank_correlation: Spearman's, of the advantage now and at the end; NaN where one is constant.
    """

    recall: Float64[np.ndarray, "replicates"]
    precision: Float64[np.ndarray, "replicates"]
    jaccard: Float64[np.ndarray, "replicates"]
    top_overlap: Float64[np.ndarray, "replicates"]
    rank_correlation: Float64[np.ndarray, "replicates"]


def foreknowledge(now: State, last: State) -> Foreknowledge:
    """How the state now foretells the last one."""
    both = (now.high & last.high).sum(1).astype(np.float64)
    either = (now.high | last.high).sum(1).astype(np.float64)
    return Foreknowledge(
        recall=_share(both, last.high),
        precision=_share(both, now.high),
        jaccard=np.divide(both, either, out=np.full(len(both), np.nan), where=either > 0),
        top_overlap=top_overlap(now.advantage, last.advantage),
        rank_correlation=rank_correlation(now.advantage, last.advantage),
    )


def top_overlap(
    now: Float64[np.ndarray, "replicates samples"],
    last: Float64[np.ndarray, "replicates samples"],
    share: float = TOP,
) -> Float64[np.ndarray, "replicates"]:
    """The expected share of the top of `last` that is in the top of `now`, ties broken at random.

    Few models leave many ties, so that even the last checkpoint may not foretell itself.
    """
    size = max(1, round(share * now.shape[1]))
    return (_chance_of_top(now, size) * _chance_of_top(last, size)).sum(1) / size


def rank_correlation(
    one: Float64[np.ndarray, "replicates samples"], other: Float64[np.ndarray, "replicates samples"]
) -> Float64[np.ndarray, "replicates"]:
    """Spearman's rank correlation over samples, with mid-ranks for ties; NaN where a side is constant."""
    left, right = _centered_ranks(one), _centered_ranks(other)
    spread = np.sqrt((left**2).sum(1) * (right**2).sum(1))
    return np.divide((left * right).sum(1), spread, out=np.full(len(left), np.nan), where=spread > 0)


def _centered_ranks(
    values: Float64[np.ndarray, "replicates samples"],
) -> Float64[np.ndarray, "replicates samples"]:
    ranks = rankdata(np.nan_to_num(values).round(9), axis=1)
    return ranks - ranks.mean(1, keepdims=True)


def _chance_of_top(
    values: Float64[np.ndarray, "replicates samples"], size: int
) -> Float64[np.ndarray, "replicates samples"]:
    """The chance of each sample to be among the `size` largest when ties are broken at random."""
    known = np.nan_to_num(values, nan=-2.0).round(9)
    cut = -np.partition(-known, size - 1, axis=1)[:, size - 1 : size]
    above, tied = known > cut, known == cut
    left = size - above.sum(1, keepdims=True)
    return above + tied * (left / tied.sum(1, keepdims=True))


def _share(
    both: Float64[np.ndarray, "replicates"], whole: Bool[np.ndarray, "replicates samples"]
) -> Float64[np.ndarray, "replicates"]:
    size = whole.sum(1)
    return np.divide(both, size, out=np.full(len(both), np.nan), where=size > 0)
