"""How many members an attack names at a declared rate of false positives."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from vestige.risk.estimate import Estimate, unsupported
from vestige.risk.pooled import Counts, PooledScores, allowed
from vestige.risk.resample import Resampling
from vestige.stats.intervals import proportion_interval

OwnRates = Float64[np.ndarray, "scored_targets"]

PRIORS = (0.5, 0.1, 0.01)
# Fewer pooled false positives than this leave their own rate uncertain by more than a factor of two.
LEAST_FALSE_POSITIVES = 10

OVER_TARGETS = "bootstrap over {clusters} independent targets, threshold chosen again in each replicate"
OVER_SAMPLES = "over the samples; speaks of this model only, not of the training recipe"


@dataclass(frozen=True, kw_only=True)
class Precision:
    """Of the candidates an attacker names, the share who are members, if `prior` of all candidates are."""

    prior: float
    value: float


@dataclass(frozen=True, kw_only=True)
class RateAtFpr:
    """The true positive rate at a declared false positive rate, pooled over targets.

    fpr: the declared rate; the threshold is the one with the largest TPR whose FPR is at most that.
    tpr: one common threshold for all targets; without a value where the sample cannot carry the rate.
    false_positives, false_positives_allowed: wrongly named non-members, and how many the rate allows.
    per_target_mean, per_target_sd: each target at its own threshold; None if its non-members are too few.
    transferred_tpr, transferred_fpr: what came of thresholds chosen on the other targets only.
    precision: at the declared FPR and the pooled TPR.
    """

    fpr: float
    tpr: Estimate
    members: int
    non_members: int
    false_positives: int
    false_positives_allowed: int
    per_target_mean: float | None
    per_target_sd: float | None
    transferred_tpr: Estimate
    transferred_fpr: Estimate
    precision: tuple[Precision, ...]

    @property
    def supported(self) -> bool:
        """Whether the sample can carry this rate."""
        return self.tpr.supported


def is_supported(fpr: float, non_members: int, distinct_samples: int) -> bool:
    """Whether enough non-members, and enough distinct people among them, stand behind an error rate."""
    return fpr * non_members >= LEAST_FALSE_POSITIVES and fpr * distinct_samples >= 1


def not_reported(fpr: float, non_members: int) -> str:
    """The sentence that stands in place of a rate that the sample cannot carry."""
    return f"Not reported: {non_members:,} non-members cannot fix an error rate of {100 * fpr:g} %."


def precision(tpr: float, fpr: float, prior: float) -> float:
    """The share of members among those named, by Bayes' rule."""
    named = prior * tpr + (1 - prior) * fpr
    return prior * tpr / named if named > 0 else 0.0


@dataclass(frozen=True, eq=False)
class CountedScores:
    """Members and non-members above a family of falling thresholds, per target, and how targets are redrawn.

    resampling: None for a single independent target.
    """

    pooled: PooledScores
    resampling: Resampling | None
    true_positives: Counts
    false_positives: Counts
    members: Float64[np.ndarray, "targets"]
    non_members: Float64[np.ndarray, "targets"]

    def replicated_tpr(self, fpr: float) -> Float64[np.ndarray, "replicates"]:
        """The pooled TPR in each replicate, at the threshold that the replicate itself would choose."""
        assert self.resampling is not None
        weights = self.resampling.weights
        fits = weights @ self.false_positives <= fpr * (weights @ self.non_members)[:, None]
        chosen = np.maximum(fits.sum(1) - 1, 0)  # both counts rise along the levels
        found = weights @ self.true_positives
        return found[np.arange(len(found)), chosen] / (weights @ self.members)

    def transferred(self, fpr: float) -> tuple[Estimate, Estimate]:
        """The TPR and FPR that came of thresholds chosen at `fpr` on the targets outside each cluster."""
        if self.resampling is None:
            missing = unsupported("There are no other targets to choose a threshold on.")
            return missing, missing
        clusters = self.pooled.clusters
        chosen = {int(c): self.pooled.threshold_without(int(c), fpr) for c in np.unique(clusters)}
        thresholds = np.array([[chosen[int(c)]] for c in clusters])
        hits, wrong = (side[:, 0].astype(np.float64) for side in self.pooled.counts_above(thresholds))
        return self._pooled(hits, self.members), self._pooled(wrong, self.non_members)

    def _pooled(
        self, hits: Float64[np.ndarray, "targets"], trials: Float64[np.ndarray, "targets"]
    ) -> Estimate:
        assert self.resampling is not None
        return self.rate(int(hits.sum()), int(trials.sum()), self.resampling.ratio(hits, trials))

    def rate(self, hits: int, trials: int, replicates: Float64[np.ndarray, "replicates"] | None) -> Estimate:
        """A pooled rate with an interval over targets or, for a single target, over samples."""
        if self.resampling is None or replicates is None:
            low, high = proportion_interval(hits, trials, 0.95)
            return Estimate(value=hits / trials, low=float(low), high=float(high), method=OVER_SAMPLES)
        method = OVER_TARGETS.format(clusters=self.resampling.num_clusters)
        return self.resampling.estimate(hits / trials, replicates, method)


def counted(pooled: PooledScores, resampling: Resampling | None, fprs: tuple[float, ...]) -> CountedScores:
    """The scores counted above thresholds for pooled FPRs around each declared one and over all of [0, 1]."""
    total = len(pooled.pooled)
    # Cubed, so that levels lie closest where a replicate most often chooses.
    factors = 8 ** np.linspace(-1, 1, 241) ** 3
    around = [np.minimum(fpr * factors, 0.999) for fpr in fprs]
    exact = np.unique([allowed(x, total) for x in np.concatenate([*around, np.linspace(0, 0.999, 301)])])
    thresholds = pooled.pooled[-1 - exact]
    hits, wrong = pooled.counts_above(thresholds[None, :])
    return CountedScores(pooled, resampling, hits, wrong, *pooled.sizes())


def rate_at(counts: CountedScores, fpr: float, distinct_samples: int, own_rates: OwnRates) -> RateAtFpr:
    """Everything the report says about one declared FPR.

    own_rates: [targets], each target's TPR at its own threshold; empty where its non-members are too few.
    """
    members, non_members = int(counts.members.sum()), int(counts.non_members.sum())
    threshold = counts.pooled.threshold(fpr)
    hits, wrong = (int(side.sum()) for side in counts.pooled.counts_above(np.array([[threshold]])))
    tpr = unsupported(not_reported(fpr, non_members))
    if is_supported(fpr, non_members, distinct_samples):
        tpr = counts.rate(hits, members, counts.replicated_tpr(fpr) if counts.resampling else None)
    elsewhere = counts.transferred(fpr) if tpr.supported else (tpr, tpr)
    return RateAtFpr(
        fpr=fpr,
        tpr=tpr,
        members=members,
        non_members=non_members,
        false_positives=wrong,
        false_positives_allowed=allowed(fpr, non_members),
        per_target_mean=float(own_rates.mean()) if len(own_rates) else None,
        per_target_sd=float(own_rates.std(ddof=1)) if len(own_rates) > 1 else None,
        transferred_tpr=elsewhere[0],
        transferred_fpr=elsewhere[1],
        precision=_precisions(tpr, fpr),
    )


def _precisions(tpr: Estimate, fpr: float) -> tuple[Precision, ...]:
    if tpr.value is None:
        return ()
    return tuple(Precision(prior=prior, value=precision(tpr.value, fpr, prior)) for prior in PRIORS)
