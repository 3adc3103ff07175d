"""Two models at a time, compared on the members that both trained on."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64, Integer

from vestige.core import seeds
from vestige.core.errors import InputError
from vestige.risk.estimate import Estimate, unsupported
from vestige.risk.resample import Resampling, resampling

FEWEST_COMMON = 20  # members; what two models say about fewer agrees by luck
MOST_PAIRS = 200
FEWEST_CLUSTERS = 4  # with fewer, most replicates hold the same few pairs and spread too little


@dataclass(frozen=True, eq=False)
class ModelPairs:
    """Pairs of different models with common members.

    pairs: [pairs 2]. common: [pairs samples], the members of both. drawn_again: of all models.
    """

    pairs: Int64[np.ndarray, "pairs 2"]
    common: Bool[np.ndarray, "pairs samples"]
    drawn_again: Resampling

    def mean(
        self, values: Float64[np.ndarray, "pairs"], *, least: float = 0.0, missing: str = ""
    ) -> Estimate:
        """The mean over pairs with its interval inside [least, 1]; NaN pairs are left out.

        In a bootstrap replicate a pair counts as often as both of its models were drawn.
        missing: what it means if every pair is NaN.
        """
        sound = ~np.isnan(values)
        if not sound.any():
            return unsupported(missing or "No pair of models determines it.")
        value, kept = float(values[sound].mean()), self.pairs[sound]
        clusters = self.drawn_again.num_clusters
        if clusters < FEWEST_CLUSTERS:
            return Estimate(value=value, note=f"{clusters} independent models are too few for an interval.")
        weights = self.drawn_again.weights[:, kept[:, 0]] * self.drawn_again.weights[:, kept[:, 1]]
        total = weights.sum(1)
        replicates = (weights @ values[sound])[total > 0] / total[total > 0]
        method = f"{len(kept)} pairs of models, bootstrap over {clusters} independent models"
        return self.drawn_again.estimate(value, replicates, method, least)


def model_pairs(
    member: Bool[np.ndarray, "models samples"],
    clusters: Integer[np.ndarray, "models"],
    *,
    seed: int = 0,
    most: int = MOST_PAIRS,
) -> ModelPairs:
    """Pairs with at least 20 common members, in order; at most that many, drawn at random.

    clusters: models with the same number are dependent by design, and drawn together for the intervals.

    Raises InputError where there are none: complementary halves have no common members.
    """
    shared = member.astype(np.float32) @ member.T.astype(np.float32)
    found = np.argwhere(np.triu(shared >= FEWEST_COMMON, 1))
    if not len(found):
        raise InputError(
            f"no two of the {len(member)} models have {FEWEST_COMMON} members in common; use more models or "
            "samples"
        )
    if len(found) > most:
        chosen = seeds.generator(seed, "pairs of models").choice(len(found), most, replace=False)
        found = found[np.sort(chosen)]
    common = member[found[:, 0]] & member[found[:, 1]]
    return ModelPairs(found, common, resampling(clusters, seed))
