"""The blind baseline: telling members apart without ever seeing a model."""

import numpy as np
from jaxtyping import Bool, Float64, Int, Integer, Shaped

from vestige.core import seeds
from vestige.risk.control import Control, null_variance
from vestige.risk.estimate import Z_95, Estimate
from vestige.stats.roc import roc

DIRECTIONS = 64
MOST_SAMPLES = 20_000  # plenty to see an AUC of .52, and the factorization stays small
FOLDS = 4
Z_999 = 3.290527  # two-sided 99.9 % point of the standard normal
VISIBLE = 0.52


def blind_baseline(
    inputs: Shaped[np.ndarray, "samples ..."],
    labels: Integer[np.ndarray, "samples"],
    member: Bool[np.ndarray, "targets samples"],
    clusters: Integer[np.ndarray, "targets"],
    seed: int,
) -> Control:
    """How well inputs and labels alone foretell membership; it must not be clearly better than chance.

    A cross-fitted ridge regression on at most 64 random projections of the inputs and the one-hot labels.
    It fails when the mean AUC is above .52 and the lower end of its 99.9 % interval above .5: members and
    non-members then differ by themselves, and an attack would measure that difference.
    """
    chosen = _chosen(len(labels), seed)
    features = _features(inputs[chosen], labels[chosen], seed)
    aucs = _cross_fitted_aucs(features, member[:, chosen])
    estimate, lower = _over_clusters(aucs, member[:, chosen], clusters)
    return Control(
        name="blind baseline",
        purpose="Finds members that differ by themselves: nobody may tell them without seeing the model.",
        expectation=f"AUC not clearly above 0.5 (fails above {VISIBLE:g} with its 99.9 % interval above 0.5)",
        estimate=estimate,
        passed=not (estimate.value is not None and estimate.value > VISIBLE and lower > 0.5),
    )


def _chosen(count: int, seed: int) -> Int[np.ndarray, "chosen"]:
    order = seeds.generator(seed, "blind baseline", "order").permutation(count)
    return order[:MOST_SAMPLES]


def _features(
    inputs: Shaped[np.ndarray, "chosen ..."], labels: Integer[np.ndarray, "chosen"], seed: int
) -> Float64[np.ndarray, "chosen features"]:
    """Standardized random projections, one-hot labels and a constant."""
    flat = inputs.reshape(len(inputs), -1).astype(np.float32)
    if flat.shape[1] > DIRECTIONS:
        directions = seeds.generator(seed, "blind baseline", "directions").standard_normal(
            (flat.shape[1], DIRECTIONS)
        )
        flat = flat @ directions.astype(np.float32)
    projected = flat.astype(np.float64)
    spread = projected.std(0)
    projected = (projected - projected.mean(0)) / np.where(spread > 0, spread, 1.0)
    classes, place = np.unique(labels, return_inverse=True)
    return np.hstack([projected, np.eye(len(classes))[place], np.ones((len(labels), 1))])


def _cross_fitted_aucs(
    features: Float64[np.ndarray, "chosen features"], member: Bool[np.ndarray, "targets chosen"]
) -> Float64[np.ndarray, "targets"]:
    """Each target's AUC, averaged over folds: ranks of different folds' predictions are not comparable."""
    fold = np.arange(len(features)) % FOLDS
    sums, counts = np.zeros(len(member)), np.zeros(len(member))
    for number in range(FOLDS):
        predicted = _ridge(features[fold != number], member[:, fold != number], features[fold == number])
        for target, (row, coin) in enumerate(zip(predicted, member[:, fold == number], strict=True)):
            if coin.any() and not coin.all():
                sums[target] += roc(row, coin).auc
                counts[target] += 1
    return np.where(counts > 0, sums / np.maximum(counts, 1), 0.5)


def _ridge(
    features: Float64[np.ndarray, "fitted features"],
    member: Bool[np.ndarray, "targets fitted"],
    held_out: Float64[np.ndarray, "held features"],
) -> Float64[np.ndarray, "targets held"]:
    """Predictions for all targets from one factorization; the penalty is a hundredth of the samples."""
    gram = features.T @ features + 0.01 * len(features) * np.eye(features.shape[1])
    weights = np.linalg.solve(gram, features.T @ (member.T - 0.5))
    return (held_out @ weights).T


def _over_clusters(
    aucs: Float64[np.ndarray, "targets"],
    member: Bool[np.ndarray, "targets chosen"],
    clusters: Integer[np.ndarray, "targets"],
) -> tuple[Estimate, float]:
    """The mean over clusters with its 95 % interval, and the lower end of the 99.9 % interval."""
    means = np.array([aucs[clusters == c].mean() for c in np.unique(clusters)])
    positives = max(int(member[0].sum()), 1)
    chance = null_variance(positives, max(member.shape[1] - positives, 1))
    spread = float(means.var(ddof=1)) if len(means) > 1 else 0.0
    error = float(np.sqrt(max(spread, chance) / len(means)))
    value = float(means.mean())
    estimate = Estimate(
        value=value,
        low=max(0.0, value - Z_95 * error),
        high=min(1.0, value + Z_95 * error),
        method=f"normal, over {len(means)} independent targets",
    )
    return estimate, value - Z_999 * error
