"""The scores of all targets under one common threshold."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64, Integer

from vestige.core.errors import InputError

Thresholds = Float64[np.ndarray, "#targets thresholds"]
Counts = Int64[np.ndarray, "targets thresholds"]
# The underscore lets one function hold several of these, of different lengths.
Ascending = Float64[np.ndarray, "_scored"]


def allowed(fpr: float, non_members: int) -> int:
    """How many false positives an error rate allows among so many non-members."""
    return int(np.floor(fpr * non_members * (1 + 1e-12)))  # 0.29 * 100 must allow 29, not 28


def loosest(ascending: Ascending, count: int) -> float:
    """The lowest threshold that at most `count` of the scores exceed."""
    return float(ascending[-1 - count]) if count < len(ascending) else -np.inf


def own_threshold(non_members: Float[np.ndarray, "scored"], fpr: float) -> float:
    """The lowest threshold that at most the share `fpr` of these scores exceeds, in any order."""
    rank = len(non_members) - 1 - allowed(fpr, len(non_members))
    return float(np.partition(non_members, rank)[rank]) if rank >= 0 else -np.inf


def above(
    ascending: Ascending, thresholds: Float64[np.ndarray, "thresholds"]
) -> Int64[np.ndarray, "thresholds"]:
    """How many of the scores lie above each threshold."""
    return len(ascending) - np.searchsorted(ascending, thresholds, "right").astype(np.int64)


@dataclass(frozen=True, eq=False)
class PooledScores:
    """Final scores of members and non-members, per target and pooled, each lowest first, without NaN.

    A score is called a member when it is above the threshold, so equal scores switch together.
    clusters: [targets]; targets with the same number are dependent by design.
    pooled: the non-members' scores of all targets together.
    """

    members: tuple[Ascending, ...]
    non_members: tuple[Ascending, ...]
    clusters: Int64[np.ndarray, "targets"]
    pooled: Ascending

    def threshold(self, fpr: float) -> float:
        """The common threshold with the largest TPR whose pooled FPR is at most `fpr`."""
        return loosest(self.pooled, allowed(fpr, len(self.pooled)))

    def threshold_without(self, cluster: int, fpr: float) -> float:
        """The same threshold chosen on the targets outside one cluster, of which there must be some."""
        own = _merged([self.non_members[t] for t in np.flatnonzero(self.clusters == cluster)])

        def others_above(rank: int) -> int:
            value = self.pooled[-1 - rank : len(self.pooled) - rank]
            return int((above(self.pooled, value) - above(own, value))[0])

        limit = allowed(fpr, len(self.pooled) - len(own))
        last = bisect_right(range(len(self.pooled)), limit, key=others_above) - 1
        return float(self.pooled[-1 - last])

    def counts_above(self, thresholds: Thresholds) -> tuple[Counts, Counts]:
        """Members and non-members above each threshold, per target; thresholds are common or per target."""
        rows = np.broadcast_to(thresholds, (len(self.clusters), thresholds.shape[1]))
        hits = [above(scores, row) for scores, row in zip(self.members, rows, strict=True)]
        wrong = [above(scores, row) for scores, row in zip(self.non_members, rows, strict=True)]
        return np.stack(hits), np.stack(wrong)

    def sizes(self) -> tuple[Float64[np.ndarray, "targets"], Float64[np.ndarray, "targets"]]:
        """How many members and how many non-members have a score, per target."""
        return np.array([float(len(x)) for x in self.members]), np.array(
            [float(len(x)) for x in self.non_members]
        )


def pool(
    scores: Float[np.ndarray, "targets samples"],
    member: Bool[np.ndarray, "targets samples"],
    clusters: Integer[np.ndarray, "targets"],
) -> PooledScores:
    """The scores of all targets; a target with no scored member or no scored non-member is left out.

    Raises InputError when that leaves no target.
    """
    sides = [(_scored(row, coin), _scored(row, ~coin)) for row, coin in zip(scores, member, strict=True)]
    kept = [t for t, (hits, others) in enumerate(sides) if len(hits) and len(others)]
    if not kept:
        raise InputError(
            f"none of the {len(scores)} targets has both a scored member and a scored non-member; "
            "use an attack that these signals can carry"
        )
    non_members = tuple(sides[t][1] for t in kept)
    return PooledScores(
        members=tuple(sides[t][0] for t in kept),
        non_members=non_members,
        clusters=np.asarray(clusters, np.int64)[kept],
        pooled=_merged(non_members),
    )


def has_both(row: Float[np.ndarray, "samples"], coin: Bool[np.ndarray, "samples"]) -> bool:
    """Whether a target has a scored member and a scored non-member."""
    scored = ~np.isnan(row)
    return bool((coin & scored).any() and (~coin & scored).any())


def _merged(runs: Sequence[Ascending]) -> Ascending:
    return np.sort(np.concatenate(runs), kind="stable")  # the stable sort merges sorted runs


def _scored(row: Float[np.ndarray, "samples"], chosen: Bool[np.ndarray, "samples"]) -> Ascending:
    side = np.asarray(row[chosen], np.float64)
    return np.sort(side[~np.isnan(side)])
