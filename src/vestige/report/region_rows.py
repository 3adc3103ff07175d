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

    privacy, generalization: how much lies in each region. neutral: the figure of a region where none lies, 0
    for differences, 1 for ratios to the whole network. risky: the names of the regions that the probe calls
    risky. shares: of ratios, each region's share of the total of privacy; otherwise empty.
    """

    name: str
    meaning: str
    privacy: tuple[Estimate, ...]
    generalization: tuple[Estimate, ...]
    risky: tuple[str, ...]
    neutral: float = 0.0
    shares: tuple[Estimate, ...] = ()

    @property
    def is_ratio(self) -> bool:
        """Whether figures are ratios to the whole network."""
        return bool(self.shares)

    def written(self, estimate: Estimate) -> str:
        """A figure of this probe as it is shown in little room."""
        if estimate.value is None:
            return "–"
        return f"{estimate.value:#.3g}×" if self.is_ratio else f"{estimate.value:+.3f}"


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

    share, fit_share: the region's shares of the totals of the privacy score and of plain cross-entropy's.
    correlation: of the two scores.
    """

    name: str
    share: Estimate
    fit_share: Estimate
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


def shares_of(estimates: Sequence[Estimate], neutral: float = 0.0) -> Float[np.ndarray, "estimates"]:
    """How far each value lies above neutral, over the sum of that; 0 for those that do not."""
    positive = np.nan_to_num(np.maximum(values_of(estimates) - neutral, 0.0))
    return positive / max(float(positive.sum()), np.finfo(float).tiny)
