"""Whether another training run gives the same members away."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool
from scipy.stats import hypergeom

from vestige.core.errors import InputError
from vestige.explain.given import matrix
from vestige.explain.vulnerable import VulnerableSets
from vestige.leakage.numbers import Numbers
from vestige.risk.estimate import Estimate, unsupported
from vestige.risk.pairs import MOST_PAIRS, ModelPairs, model_pairs
from vestige.stats.ranks import spearman

Some = Bool[np.ndarray, "_common"]


@dataclass(frozen=True, kw_only=True)
class Stability:
    """How alike two targets are on the members that both trained on; means over pairs of targets.

    jaccard: members that both give away over members that either does, 0 to 1; higher = steadier.
    chance: the mean Jaccard index of random sets of the same sizes.
    rank_correlation: Spearman's, of the scores, -1 to 1.
    pairs: how many pairs were compared.
    """

    jaccard: Estimate
    chance: float | None
    rank_correlation: Estimate
    pairs: int


def stability(
    vulnerable: VulnerableSets, scores: Numbers | None = None, *, seed: int = 0, most_pairs: int = MOST_PAIRS
) -> Stability:
    """How alike the vulnerable sets, and the scores, of every two targets are on their common members.

    scores: [targets samples], those that the sets were made of, for the rank correlation.

    Pairs in which neither gives anybody away have no Jaccard index and are left out.
    Raises InputError where no two targets have 20 members in common, or for scores of another shape.
    """
    compared = model_pairs(vulnerable.member, vulnerable.clusters, seed=seed, most=most_pairs)
    sides = [
        (vulnerable.named[first, common], vulnerable.named[second, common])
        for (first, second), common in zip(compared.pairs, compared.common, strict=True)
    ]
    found = np.array([jaccard(*pair) for pair in sides])
    expected = np.array([chance_jaccard(int(a.sum()), int(b.sum()), len(a)) for a, b in sides])
    known = ~np.isnan(found)
    return Stability(
        jaccard=compared.mean(found),
        chance=float(expected[known].mean()) if known.any() else None,
        rank_correlation=_correlation(scores, vulnerable, compared),
        pairs=len(compared.pairs),
    )


def jaccard(one: Some, other: Some) -> float:
    """The size of the intersection over that of the union, 0 to 1; NaN where both are empty."""
    union = int((one | other).sum())
    return float((one & other).sum() / union) if union else np.nan


def chance_jaccard(one: int, other: int, among: int) -> float:
    """The expected Jaccard index of two random sets of these sizes; NaN where both are empty."""
    if not one and not other:
        return np.nan
    shared = np.arange(max(0, one + other - among), min(one, other) + 1)
    return float((hypergeom.pmf(shared, among, one, other) * shared / (one + other - shared)).sum())


def _correlation(scores: Numbers | None, vulnerable: VulnerableSets, compared: ModelPairs) -> Estimate:
    if scores is None:
        return unsupported("No scores were given.")
    values = matrix("scores", scores)
    if values.shape != vulnerable.member.shape:
        raise InputError(
            f"scores have shape {values.shape} and the sets {vulnerable.member.shape}; make them equal"
        )
    found = [
        spearman(values[first, common], values[second, common])
        for (first, second), common in zip(compared.pairs, compared.common, strict=True)
    ]
    return compared.mean(np.array(found), least=-1.0)
