"""What the final scores of one attack say about all targets together."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Integer

from vestige.risk import rate
from vestige.risk.advantage import mean_over_targets, transferred_advantage
from vestige.risk.estimate import Z_95, Estimate
from vestige.risk.pooled import has_both, pool
from vestige.risk.rate import CountedScores, RateAtFpr
from vestige.risk.resample import resampling
from vestige.stats.roc import roc

FPRS = (0.1, 0.01, 0.001, 0.0001)


@dataclass(frozen=True, kw_only=True)
class AttackSummary:
    """The figures of one attack, each with its interval.

    small_print: the options that a figure cannot be read without (variance rule, temperature, sides).
    transductive: whether the score of a sample uses the target's answers to other candidates.
    targets, clusters: models attacked, and how many of them are independent by design.
    members, non_members, distinct_samples: scored pairs of target and sample, and the samples behind them.
    auc: mean over targets; auc_sd: its standard deviation over targets, None for one target.
    advantage, balanced_accuracy: at thresholds chosen on the other targets.
    best_advantage: mean over targets of the largest TPR - FPR at a threshold chosen on the target itself,
      which is biased upward.
    tied, unscored: scores that share their value with another, and scores that are missing.
    """

    attack: str
    small_print: str
    transductive: bool
    targets: int
    clusters: int
    members: int
    non_members: int
    distinct_samples: int
    auc: Estimate
    auc_sd: float | None
    advantage: Estimate
    balanced_accuracy: Estimate
    best_advantage: Estimate
    rates: tuple[RateAtFpr, ...]
    tied: int
    unscored: int
    warnings: tuple[str, ...]

    def at(self, fpr: float) -> RateAtFpr | None:
        """The rates at one declared FPR; None if it was not declared."""
        return next((r for r in self.rates if np.isclose(r.fpr, fpr, rtol=1e-9, atol=0)), None)

    @property
    def lowest_supported(self) -> RateAtFpr | None:
        """The rates at the lowest FPR that the sample can carry."""
        carried = [r for r in self.rates if r.supported]
        return min(carried, key=lambda r: r.fpr) if carried else None


def summarize(
    scores: Float[np.ndarray, "targets samples"],
    member: Bool[np.ndarray, "targets samples"],
    clusters: Integer[np.ndarray, "targets"],
    *,
    attack: str,
    small_print: str = "",
    transductive: bool = False,
    notes: tuple[str, ...] = (),
    fprs: tuple[float, ...] = FPRS,
    seed: int = 0,
) -> AttackSummary:
    """The figures of one attack from its final scores; higher scores mean more likely a member.

    clusters: targets with the same number are dependent by design and are resampled together.
    notes: what a reader should know about the attack here; they become warnings.

    Raises InputError when no target has both a scored member and a scored non-member.
    """
    counts = _counted(scores, member, clusters, fprs, seed)
    own = [_own(row, coin, fprs) for row, coin in zip(scores, member, strict=True) if has_both(row, coin)]
    independent = len(np.unique(counts.pooled.clusters))
    advantage = transferred_advantage(counts)
    auc, auc_sd = _averages(counts, [figures.auc for figures in own], "mean over targets")
    best, _ = _averages(counts, [figures.advantage for figures in own], "own thresholds, so too high")
    rates = tuple(rate.rate_at(counts, fpr, scores.shape[1], _rates(own, i)) for i, fpr in enumerate(fprs))
    tied, unscored = sum(figures.tied for figures in own), int(np.isnan(scores).sum())
    return AttackSummary(
        attack=attack,
        small_print=small_print,
        transductive=transductive,
        targets=len(own),
        clusters=independent,
        members=int(counts.members.sum()),
        non_members=int(counts.non_members.sum()),
        distinct_samples=scores.shape[1],
        auc=auc,
        auc_sd=auc_sd,
        advantage=advantage,
        balanced_accuracy=advantage.scaled(0.5, 0.5),
        best_advantage=best,
        rates=rates,
        tied=tied,
        unscored=unscored,
        warnings=(
            *_warnings(attack, auc, rates, tied / max(scores.size - unscored, 1), independent),
            *(f"{attack}: {note}." for note in notes),
        ),
    )


def _counted(
    scores: Float[np.ndarray, "targets samples"],
    member: Bool[np.ndarray, "targets samples"],
    clusters: Integer[np.ndarray, "targets"],
    fprs: tuple[float, ...],
    seed: int,
) -> CountedScores:
    pooled = pool(scores, member, clusters)
    several = len(np.unique(pooled.clusters)) > 1
    return rate.counted(pooled, resampling(pooled.clusters, seed) if several else None, fprs)


@dataclass(frozen=True, kw_only=True)
class _Own:
    """One target at thresholds of its own; a rate is None where its non-members are too few."""

    auc: float
    advantage: float
    tied: int
    rates: tuple[float | None, ...]


def _own(
    row: Float[np.ndarray, "samples"], coin: Bool[np.ndarray, "samples"], fprs: tuple[float, ...]
) -> _Own:
    curve = roc(row, coin)
    rates = tuple(curve.tpr_at(fpr) if curve.supports(fpr) else None for fpr in fprs)
    return _Own(auc=curve.auc, advantage=curve.advantage, tied=curve.tied, rates=rates)


def _rates(own: list[_Own], index: int) -> Float64[np.ndarray, "scored_targets"]:
    return np.array([figures.rates[index] for figures in own if figures.rates[index] is not None], np.float64)


def _averages(counts: CountedScores, values: list[float], method: str) -> tuple[Estimate, float | None]:
    """The mean over targets with its interval, and the standard deviation over targets."""
    array = np.array(values, np.float64)
    if counts.resampling is not None:
        return mean_over_targets(array, counts.resampling, method), float(array.std(ddof=1))
    # The variance of an AUC is at most AUC (1 - AUC) / min(members, non-members); van Dantzig 1951.
    value = float(array.mean())
    fewest = min(counts.members.min(), counts.non_members.min())
    half = Z_95 * np.sqrt(value * (1 - value) / fewest)
    low, high = max(0.0, value - half), min(1.0, value + half)
    estimate = Estimate(value=value, low=low, high=high, method=rate.OVER_SAMPLES)
    return estimate, float(array.std(ddof=1)) if len(array) > 1 else None


def _warnings(
    attack: str, auc: Estimate, rates: tuple[RateAtFpr, ...], tied_share: float, clusters: int
) -> tuple[str, ...]:
    found: list[str] = []
    mean = auc.value if auc.value is not None else 0.5
    silent = [r for r in rates if r.tpr.value == 0.0]
    if silent and mean > 0.8:
        found.append(
            f"{attack}: TPR is 0 at FPR {100 * silent[0].fpr:g} % although AUC is {mean:.3f}. "
            "This is a sign of tied top scores or of an unfit attack, not of low risk."
        )
    if tied_share > 0.05:
        found.append(
            f"{attack}: {100 * tied_share:.0f} % of the scores are tied; equal scores switch together."
            + (
                f" Its tie-free form is {attack.replace('rmia', 'base')}."
                if attack.startswith("rmia")
                else ""
            )
        )
    if mean < 0.45:
        found.append(f"{attack}: AUC is {mean:.3f}, below one half. Check the sign of the signals.")
    if clusters < 2:
        found.append(
            f"{attack}: there is one independent target, so intervals are over samples and speak of "
            "this model only."
        )
    return tuple(found)
