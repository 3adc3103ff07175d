"""Targets drawn again with replacement, dependent ones together."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int
from scipy import special

from vestige.core import seeds
from vestige.risk.estimate import Estimate

# With fewer independent targets than this, percentiles of the bootstrap cover too little.
PERCENTILE_CLUSTERS = 20


@dataclass(frozen=True, eq=False)
class Resampling:
    """How often each target occurs in each bootstrap replicate.

    weights: [replicates targets]; targets of one cluster always occur equally often.
    num_clusters: how many independent targets there are.
    """

    weights: Float64[np.ndarray, "replicates targets"]
    num_clusters: int

    def ratio(
        self, numerator: Float64[np.ndarray, "targets"], denominator: Float64[np.ndarray, "targets"]
    ) -> Float64[np.ndarray, "replicates"]:
        """The ratio of the two sums over targets, in each replicate."""
        return (self.weights @ numerator) / np.maximum(self.weights @ denominator, np.finfo(float).tiny)

    def estimate(
        self, value: float, replicates: Float64[np.ndarray, "replicates"], method: str, least: float = 0.0
    ) -> Estimate:
        """The value with its 95 % interval over targets, inside [least, 1] and holding the value.

        The central 95 % of the replicates; with few independent targets the replicates' spread times
        the Student factor, which allows for how poorly so few targets show their own spread.
        """
        clusters = self.num_clusters
        if clusters < PERCENTILE_CLUSTERS:
            factor = float(special.stdtrit(clusters - 1, 0.975)) * np.sqrt(clusters / (clusters - 1))
            half = factor * float(replicates.std())
            low, high = value - half, value + half
        else:
            low, high = (float(x) for x in np.quantile(replicates, (0.025, 0.975)))
        low, high = max(least, min(low, value)), min(1.0, max(high, value))
        return Estimate(value=value, low=low, high=high, method=method)


def resampling(clusters: Int[np.ndarray, "targets"], seed: int, replicates: int = 1000) -> Resampling:
    """Bootstrap replicates of the clusters: as many as there are, drawn with replacement."""
    names, index = np.unique(clusters, return_inverse=True)
    chance = np.full(len(names), 1 / len(names))
    draws = seeds.generator(seed, "bootstrap").multinomial(len(names), chance, size=replicates)
    return Resampling(draws[:, index].astype(np.float64), len(names))
