"""What a page about regions shows: the network's parts, probes of them, and protections that were tried."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from vestige.risk.estimate import Estimate


@dataclass(frozen=True, kw_only=True)
class RegionBox:
    """A region of the network and how many parameters it has."""

    name: str
    parameters: int


@dataclass(frozen=True, kw_only=True)
class ProbeMap:
    """One probe's figures of the regions, in the order of the network.

    privacy, generalization: how much lies in each region, below 0 where there is more without it.
    risky: the names of the regions that the probe calls risky. is_share: figures are shares of the whole.
    """

    name: str
    meaning: str
    privacy: tuple[Estimate, ...]
    generalization: tuple[Estimate, ...]
    risky: tuple[str, ...]
    is_share: bool = False


@dataclass(frozen=True, kw_only=True)
class ProtectionTried:
    """A protection as its words say, and what was measured of models trained so.

    regions: how many it protects. auc, tpr: of the likelihood-ratio attack; privacy, generalization: by how
    much AUC and accuracy lie below those without a defense.
    """

    words: str
    regions: int
    accuracy: Estimate
    auc: Estimate
    tpr: Estimate
    loss_auc: Estimate
    privacy: Estimate
    generalization: Estimate


@dataclass(frozen=True, kw_only=True, eq=False)
class WeightFigures:
    """How the scores of single weights lie in one region.

    relative: the privacy score per parameter over the network's mean. correlation: of the two scores.
    """

    name: str
    relative: Estimate
    correlation: Estimate


@dataclass(frozen=True, kw_only=True, eq=False)
class RegionPage:
    """Everything that a page about regions shows.

    suffixes, prefixes: words of protections, from few regions to many; single ones and "none" and "all" among
    them. correlations: Spearman's, of every two probes' privacy; kendall likewise. answer, caution and
    agreement are sentences.
    """

    title: str
    dataset: str
    model: str
    defense: str
    answer: tuple[str, ...]
    boxes: tuple[RegionBox, ...]
    probes: tuple[ProbeMap, ...]
    tried: tuple[ProtectionTried, ...]
    suffixes: tuple[str, ...]
    prefixes: tuple[str, ...]
    weights: tuple[WeightFigures, ...]
    correlations: Float[np.ndarray, "probes probes"]
    kendall: Float[np.ndarray, "probes probes"]
    agreement: str
    caution: str
    method: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]

    def protection(self, words: str) -> ProtectionTried:
        """The protection that these words name."""
        return next(one for one in self.tried if one.words == words)


def value_of(estimate: Estimate) -> float:
    """The value; NaN where there is none."""
    return float("nan") if estimate.value is None else estimate.value


def values_of(estimates: Sequence[Estimate]) -> Float[np.ndarray, "estimates"]:
    """The values; NaN where there is none."""
    return np.array([value_of(one) for one in estimates], np.float64)


def shares_of(estimates: Sequence[Estimate]) -> Float[np.ndarray, "estimates"]:
    """Each positive value over the sum of them all, 0 for the others; all 0 where none is positive."""
    positive = np.nan_to_num(np.maximum(values_of(estimates), 0.0))
    return positive / max(float(positive.sum()), np.finfo(float).tiny)
