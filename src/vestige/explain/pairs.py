"""Two targets at a time, compared on the members that both trained on."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from vestige.core import seeds
from vestige.core.errors import InputError
from vestige.explain.given import Coins
from vestige.risk.estimate import Estimate, unsupported
from vestige.risk.resample import resampling

FEWEST_COMMON = 20  # members; what two targets say about fewer agrees by luck
MOST_PAIRS = 200
FEWEST_CLUSTERS = 4  # with fewer, most replicates hold the same few pairs and spread too little


@dataclass(frozen=True, eq=False)
class TargetPairs:
    """Pairs of different targets with common members, and which targets depend on each other.

    pairs: [pairs 2]. common: [pairs samples], the members of both.
    """

    pairs: Int64[np.ndarray, "pairs 2"]
    common: Bool[np.ndarray, "pairs samples"]
    clusters: Int64[np.ndarray, "targets"]

    def mean(self, values: Float64[np.ndarray, "pairs"], seed: int = 0, *, least: float = 0.0) -> Estimate:
        """The mean over pairs with its interval inside [least, 1]; NaN pairs are left out.

        In a bootstrap replicate a pair counts as often as both of its targets were drawn.
        """
        sound = ~np.isnan(values)
        if not sound.any():
            return unsupported("No pair of targets determines it.")
        value, kept = float(values[sound].mean()), self.pairs[sound]
        again = resampling(self.clusters, seed)
        if again.num_clusters < FEWEST_CLUSTERS:
            return Estimate(
                value=value, note=f"{again.num_clusters} independent targets are too few for an interval."
            )
        weights = again.weights[:, kept[:, 0]] * again.weights[:, kept[:, 1]]
        total = weights.sum(1)
        replicates = (weights @ values[sound])[total > 0] / total[total > 0]
        method = f"{len(kept)} pairs of targets, bootstrap over {again.num_clusters} independent targets"
        return again.estimate(value, replicates, method, least)


def target_pairs(who: Coins, *, seed: int = 0, most: int = MOST_PAIRS) -> TargetPairs:
    """Pairs with at least 20 common members, in order; at most that many, drawn at random.

    Raises InputError where there are none: complementary halves have no common members.
    """
    shared = who.member.astype(np.float32) @ who.member.T.astype(np.float32)
    found = np.argwhere(np.triu(shared >= FEWEST_COMMON, 1))
    if not len(found):
        raise InputError(
            f"no two of the {len(who.member)} targets have {FEWEST_COMMON} members in common; use more "
            "targets or samples"
        )
    if len(found) > most:
        chosen = seeds.generator(seed, "pairs of targets").choice(len(found), most, replace=False)
        found = found[np.sort(chosen)]
    return TargetPairs(found, who.member[found[:, 0]] & who.member[found[:, 1]], who.clusters)
