"""The receiver operating characteristic, exact in the presence of ties."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64
from numpy.typing import ArrayLike

from vestige.core import check
from vestige.core.errors import InputError


@dataclass(frozen=True, eq=False)
class Roc:
    """Every attainable pair of error rates of the rule "positive where score >= threshold".

    fpr, tpr: [thresholds], fractions, nondecreasing, from (0, 0) to (1, 1). Equal scores switch together
      and every distinct score is kept, so no point between two neighbors can be had by any threshold.
    thresholds: [thresholds], decreasing. The first calls nobody positive; it is infinity, or NaN where a
      score is itself infinite, since no score reaches NaN.
    positives, negatives: how many scores of each kind were used.
    unscored: how many scores were NaN and left out.
    tied: how many scores share their value with another score.
    """

    fpr: Float64[np.ndarray, "thresholds"]
    tpr: Float64[np.ndarray, "thresholds"]
    thresholds: Float64[np.ndarray, "thresholds"]
    positives: int
    negatives: int
    unscored: int
    tied: int

    @property
    def auc(self) -> float:
        """The probability that a positive scores above a negative, ties counted half (Mann-Whitney)."""
        return float(np.sum(np.diff(self.fpr) * (self.tpr[1:] + self.tpr[:-1])) / 2)

    @property
    def advantage(self) -> float:
        """The largest TPR minus FPR over all thresholds, 0 to 1."""
        return float(np.max(self.tpr - self.fpr))

    @property
    def balanced_accuracy(self) -> float:
        """The largest mean of TPR and 1 - FPR over all thresholds, 0.5 to 1."""
        return (1 + self.advantage) / 2

    def tpr_at(self, fpr: float) -> float:
        """The largest TPR among the thresholds whose FPR is at most `fpr`; nothing is interpolated."""
        return float(self.tpr[self._index_at(fpr)])

    def threshold_at(self, fpr: float) -> float:
        """The threshold that `tpr_at(fpr)` uses."""
        return float(self.thresholds[self._index_at(fpr)])

    def supports(self, fpr: float) -> bool:
        """Whether there are enough negatives for one of them to be a false positive at this rate."""
        return 1 / self.negatives <= fpr

    def _index_at(self, fpr: float) -> int:
        check.within("fpr", fpr, 0.0, 1.0)
        return int(np.searchsorted(self.fpr, fpr, side="right")) - 1


def roc(scores: ArrayLike, positive: ArrayLike) -> Roc:
    """The ROC of scores, higher = more likely positive.

    scores: any shape; NaN means "could not be scored" and is left out but counted; infinities are fine.
    positive: bool or 0/1, of the same shape.

    Raises InputError for other shapes, other values, or when only one kind is left.
    """
    values, truth = _checked(np.asarray(scores, np.float64), np.asarray(positive))
    scored = ~np.isnan(values)
    unscored = values.size - int(np.count_nonzero(scored))
    if unscored:
        values, truth = values[scored], truth[scored]
    positives = int(np.count_nonzero(truth))
    negatives = truth.size - positives
    if not positives or not negatives:
        raise InputError(
            f"positive: {positives} positives and {negatives} negatives have a score ({unscored} are NaN); "
            "a ROC needs at least one of each"
        )
    thresholds, true_positives, called = _sweep(values, truth)
    block_sizes = np.diff(called)
    return Roc(
        fpr=(called - true_positives) / negatives,
        tpr=true_positives / positives,
        thresholds=thresholds,
        positives=positives,
        negatives=negatives,
        unscored=unscored,
        tied=int(block_sizes[block_sizes > 1].sum()),
    )


def _checked(
    values: Float64[np.ndarray, "..."], positive: np.ndarray
) -> tuple[Float64[np.ndarray, "scores"], Bool[np.ndarray, "scores"]]:
    if values.shape != positive.shape:
        raise InputError(
            f"scores has shape {values.shape} and positive {positive.shape}; give one truth per score"
        )
    truth = positive.astype(bool)
    if positive.dtype != np.bool_ and not np.array_equal(truth, positive):
        raise InputError("positive holds values other than 0 and 1; give a bool array")
    return values.ravel(), truth.ravel()


def _sweep(
    values: Float64[np.ndarray, "scores"], truth: Bool[np.ndarray, "scores"]
) -> tuple[
    Float64[np.ndarray, "thresholds"], Int64[np.ndarray, "thresholds"], Int64[np.ndarray, "thresholds"]
]:
    """Thresholds, positives called and scores called, one entry per distinct score after the empty one."""
    order = np.argsort(values)[::-1]
    falling = values[order]
    last = np.append(np.flatnonzero(falling[1:] != falling[:-1]), values.size - 1)
    true_positives = np.cumsum(truth[order], dtype=np.int64)[last]
    nobody = np.inf if falling[0] < np.inf else np.nan
    return (
        np.append(nobody, falling[last]),
        np.append(np.int64(0), true_positives),
        np.append(np.int64(0), (last + 1).astype(np.int64)),
    )
