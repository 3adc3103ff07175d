"""Where all samples stand at one checkpoint, in the data and in bootstrap replicates of the models."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float64, Int8

from vestige.risk.decisions import Decisions
from vestige.risk.region import Regions

Weights = Float64[np.ndarray, "replicates targets"]


@dataclass(frozen=True, eq=False)
class State:
    """The place of every sample at one checkpoint, once per weighting of the models.

    fpr, tpr: [replicates samples]; NaN where no model counts.
    """

    fpr: Float64[np.ndarray, "replicates samples"]
    tpr: Float64[np.ndarray, "replicates samples"]
    regions: Regions

    @cached_property
    def advantage(self) -> Float64[np.ndarray, "replicates samples"]:
        """TPR - FPR."""
        return self.tpr - self.fpr

    @cached_property
    def region(self) -> Int8[np.ndarray, "replicates samples"]:
        """The index of each sample's region."""
        return self.regions.of(self.fpr, self.tpr)

    @cached_property
    def high(self) -> Bool[np.ndarray, "replicates samples"]:
        """Whether each sample lies in a vulnerable region."""
        return np.isin(self.region, self.regions.vulnerable)

    @property
    def center(self) -> Float64[np.ndarray, "replicates 2"]:
        """The mean FPR and TPR over samples."""
        return np.stack([np.nanmean(self.fpr, 1), np.nanmean(self.tpr, 1)], 1)


def state(decisions: Decisions, checkpoint: int, weights: Weights, regions: Regions) -> State:
    """The state at a checkpoint."""
    sides = decisions.sides(checkpoint, weights)
    return State(sides.fpr, sides.tpr, regions)


@dataclass(frozen=True, eq=False)
class Changes:
    """The step of every sample between two checkpoints, and how much of it jitter explains.

    squared_step: squared distance on the plane; jitter: what it would be on average if no rate changed
    but each model's decision were drawn anew; both [replicates samples].
    """

    squared_step: Float64[np.ndarray, "replicates samples"]
    jitter: Float64[np.ndarray, "replicates samples"]


def changes(decisions: Decisions, before: int, after: int, weights: Weights) -> Changes:
    """The changes of decisions between two checkpoints, over the models that scored at both."""
    both = decisions.scored(before) & decisions.scored(after)
    change = (decisions.named(after).astype(np.float64) - decisions.named(before)) * both
    total, jitter = 0.0, 0.0
    for side in (decisions.member & both, ~decisions.member & both):
        n = weights @ side
        mean = _ratio(weights @ (change * side), n)
        variance = _ratio(weights @ (change**2 * side) - n * mean**2, n - 1)
        total, jitter = total + mean**2, jitter + _ratio(variance, n)
    return Changes(np.asarray(total), np.asarray(jitter))


def _ratio(
    numerator: Float64[np.ndarray, "replicates samples"],
    denominator: Float64[np.ndarray, "replicates samples"],
) -> Float64[np.ndarray, "replicates samples"]:
    return np.divide(numerator, denominator, out=np.full(numerator.shape, np.nan), where=denominator > 0)
