"""The FPR-TPR plane: where each sample stands at each checkpoint (Chen et al. 2025, arXiv 2507.23291)."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float64, Int, Int8, Int32

from vestige.risk.estimate import Estimate
from vestige.risk.operating_point import OperatingPoint, PopulationFPR
from vestige.risk.region import NAMED, Regions
from vestige.stats.intervals import proportion_interval

OVER_MODELS = "exact binomial over the models trained with it (TPR) or without it (FPR)"


@dataclass(frozen=True, kw_only=True, eq=False)
class Plane:
    """How often each sample is named across the models trained with it (TPR) and without it (FPR).

    hits_in, hits_out: [checkpoints samples], models that named it; n_in, n_out: models that scored it.
    epochs: [checkpoints], when each checkpoint was taken.
    point: where each target names samples. partition: the regions of the plane.
    warnings: what a reader should know about the point and the number of models.
    """

    hits_in: Int32[np.ndarray, "checkpoints samples"]
    hits_out: Int32[np.ndarray, "checkpoints samples"]
    n_in: Int32[np.ndarray, "checkpoints samples"]
    n_out: Int32[np.ndarray, "checkpoints samples"]
    epochs: Float64[np.ndarray, "checkpoints"]
    point: OperatingPoint = field(default_factory=PopulationFPR)
    partition: Regions = NAMED
    warnings: tuple[str, ...] = ()

    @property
    def tpr(self) -> Float64[np.ndarray, "checkpoints samples"]:
        """The share of models trained with the sample that named it; NaN if none scored it."""
        return _share(self.hits_in, self.n_in)

    @property
    def fpr(self) -> Float64[np.ndarray, "checkpoints samples"]:
        """The share of models trained without the sample that named it; NaN if none scored it."""
        return _share(self.hits_out, self.n_out)

    @property
    def advantage(self) -> Float64[np.ndarray, "checkpoints samples"]:
        """TPR - FPR, from -1 to 1."""
        return self.tpr - self.fpr

    @cached_property
    def regions(self) -> Int8[np.ndarray, "checkpoints samples"]:
        """The index into `partition.names` of each sample at each checkpoint."""
        return self.partition.of(self.fpr, self.tpr)

    @cached_property
    def high(self) -> Bool[np.ndarray, "checkpoints samples"]:
        """Whether each sample lies in a region that counts as vulnerable."""
        return np.isin(self.regions, self.partition.vulnerable)

    @property
    def center_of_mass(self) -> Float64[np.ndarray, "checkpoints 2"]:
        """The mean FPR and the mean TPR over samples, at each checkpoint."""
        return np.stack([_mean(self.fpr), _mean(self.tpr)], 1)

    @property
    def shares(self) -> Float64[np.ndarray, "checkpoints regions"]:
        """The share of samples in each region, at each checkpoint; rows sum to 1."""
        regions = self.regions
        return np.stack([(regions == r).mean(1) for r in range(len(self.partition.names))], 1)

    @cached_property
    def first_exposed(self) -> Int[np.ndarray, "samples"]:
        """The first checkpoint from which the sample stays vulnerable to the end; -1 if never."""
        stayed = np.logical_and.accumulate(self.high[::-1], axis=0).sum(0)
        return np.where(stayed > 0, len(self.high) - stayed, -1)

    def rates(self, checkpoint: int, sample: int) -> tuple[Estimate, Estimate]:
        """The sample's FPR and TPR at a checkpoint with exact 95 % intervals over models."""
        at = checkpoint, sample
        return (
            _estimate(int(self.hits_out[at]), int(self.n_out[at])),
            _estimate(int(self.hits_in[at]), int(self.n_in[at])),
        )


def _share(
    hits: Int32[np.ndarray, "checkpoints samples"], trials: Int32[np.ndarray, "checkpoints samples"]
) -> Float64[np.ndarray, "checkpoints samples"]:
    return np.divide(hits, trials, out=np.full(hits.shape, np.nan), where=trials > 0)


def _mean(rates: Float64[np.ndarray, "checkpoints samples"]) -> Float64[np.ndarray, "checkpoints"]:
    return np.nansum(rates, 1) / np.maximum((~np.isnan(rates)).sum(1), 1)


def _estimate(hits: int, trials: int) -> Estimate:
    if trials == 0:
        return Estimate(value=None, note="No model scored this sample on this side.")
    low, high = proportion_interval(hits, trials, 0.95)
    return Estimate(value=hits / trials, low=float(low), high=float(high), method=OVER_MODELS)
