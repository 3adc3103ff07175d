"""The FPR-TPR plane: where each sample stands at each checkpoint (Chen et al. 2025, arXiv 2507.23291)."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Float64, Int, Int8, Int32

from vestige.core import check
from vestige.core.errors import InputError
from vestige.risk.estimate import Estimate
from vestige.risk.pooled import own_threshold
from vestige.risk.region import HIGH, REGIONS, region_of
from vestige.stats.intervals import proportion_interval

ALPHA = (
    0.01  # Carlini et al. 2022 and Chen et al. 2025 judge at low error rates; 1 % is the lowest of common use
)
OVER_MODELS = "exact binomial over the models trained with it (TPR) or without it (FPR)"


@dataclass(frozen=True, kw_only=True, eq=False)
class Plane:
    """How often each sample is named across the models trained with it (TPR) and without it (FPR).

    hits_in, hits_out: [checkpoints samples], models that named it; n_in, n_out: models that scored it.
    epochs: [checkpoints], when each checkpoint was taken.
    alpha: the population FPR at which each target names samples.
    warning: empty, or why alpha is not the one asked for.
    """

    hits_in: Int32[np.ndarray, "checkpoints samples"]
    hits_out: Int32[np.ndarray, "checkpoints samples"]
    n_in: Int32[np.ndarray, "checkpoints samples"]
    n_out: Int32[np.ndarray, "checkpoints samples"]
    epochs: Float64[np.ndarray, "checkpoints"]
    alpha: float
    warning: str = ""

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
        """The index into REGIONS of each sample at each checkpoint."""
        return region_of(self.fpr, self.tpr)

    @property
    def center_of_mass(self) -> Float64[np.ndarray, "checkpoints 2"]:
        """The mean FPR and the mean TPR over samples, at each checkpoint."""
        return np.stack([_mean(self.fpr), _mean(self.tpr)], 1)

    @property
    def shares(self) -> Float64[np.ndarray, "checkpoints regions"]:
        """The share of samples in each region, at each checkpoint; rows sum to 1."""
        regions = self.regions
        return np.stack([(regions == r).mean(1) for r in range(len(REGIONS))], 1)

    @cached_property
    def first_exposed(self) -> Int[np.ndarray, "samples"]:
        """The first checkpoint from which the sample stays in High to the end; -1 if never."""
        high = self.regions == HIGH
        stayed = np.logical_and.accumulate(high[::-1], axis=0).sum(0)
        return np.where(stayed > 0, len(high) - stayed, -1)

    def rates(self, checkpoint: int, sample: int) -> tuple[Estimate, Estimate]:
        """The sample's FPR and TPR at a checkpoint with exact 95 % intervals over models."""
        at = checkpoint, sample
        return (
            _estimate(int(self.hits_out[at]), int(self.n_out[at])),
            _estimate(int(self.hits_in[at]), int(self.n_in[at])),
        )


def operating_point(alpha: float, member: Bool[np.ndarray, "targets samples"]) -> tuple[float, str]:
    """The FPR at which targets name samples, raised if need be to one false positive per target, and why."""
    fewest = int((~member).sum(1).min())
    if fewest == 0:
        raise InputError(
            "a target was trained on every sample, so it has no non-members to set a threshold on"
        )
    if alpha * fewest >= 1:
        return alpha, ""
    raised = 1 / fewest
    return raised, (
        f"The plane is drawn at FPR {100 * raised:.3g} % instead of {100 * alpha:g} %: "
        f"{fewest:,} non-members per target cannot fix a lower rate."
    )


class PlaneCounter:
    """Counts, row by row, how often each sample is named; holds [checkpoints samples] whatever the targets.

    Each (target, checkpoint) is to be added once, in any order.
    """

    def __init__(
        self,
        member: Bool[np.ndarray, "targets samples"],
        epochs: Float[np.ndarray, "checkpoints"],
        alpha: float = ALPHA,
    ) -> None:
        check.within("alpha", alpha, 1e-12, 0.999)
        self._member = member
        self._epochs = np.asarray(epochs, np.float64)
        self.alpha, self.warning = operating_point(alpha, member)
        shape = (len(epochs), member.shape[1])
        self._hits = np.zeros((2, *shape), np.int32)
        self._scored = np.zeros((2, *shape), np.int32)

    def add(self, target: int, checkpoint: int, scores: Float[np.ndarray, "samples"]) -> None:
        """Count one target's scores at one checkpoint; NaN scores are not counted."""
        coin = self._member[target]
        scored = ~np.isnan(scores)
        others = scores[scored & ~coin]
        if len(others) == 0:
            return
        named = scores > own_threshold(others, self.alpha)
        for side, chosen in enumerate((~coin, coin)):
            self._hits[side, checkpoint] += named & chosen
            self._scored[side, checkpoint] += scored & chosen

    def plane(self) -> Plane:
        """The plane of everything that was added."""
        return Plane(
            hits_in=self._hits[1],
            hits_out=self._hits[0],
            n_in=self._scored[1],
            n_out=self._scored[0],
            epochs=self._epochs,
            alpha=self.alpha,
            warning=self.warning,
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
