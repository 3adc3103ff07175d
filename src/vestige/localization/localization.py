"""What was found: figures of regions by probe, their ranks, and which protection is best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float64

from vestige.defenses.pptp import PPTP
from vestige.localization.agreement import Agreement, agreement, ranks, sentence
from vestige.localization.order import Order, order_of
from vestige.models.protected import NONE
from vestige.risk.estimate import Estimate, unsupported

ROUTING, RETRAINING, WEIGHTS, REWINDING = "routing", "retraining", "weight scores", "rewinding"
BUDGET = PPTP.budget  # of accuracy that the best protection may lose


@dataclass(frozen=True, kw_only=True)
class RegionRow:
    """One figure that a probe found.

    probe: "rewinding to epoch 3", "retraining", "weight scores" or "routing". words: for its regions.
    metric: "privacy" and "generalization" say how much of each lies there, in the probe's own unit: by weight
    scores per parameter, in units of the network's mean; by the others a difference of AUC or accuracy, below
    0 where there is more without the region. The other metrics say what was measured.
    """

    probe: str
    words: str
    metric: str
    estimate: Estimate


@dataclass(frozen=True, kw_only=True)
class Part:
    """A region of the network and how many parameters it has."""

    name: str
    parameters: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Localization:
    """Where privacy risk and generalization live, by several probes.

    regions: in the order of the network. candidates: the words that routed training was tried for, "none"
    and "all" among them, each with the regions that it means.
    """

    defense: str
    regions: tuple[Part, ...]
    candidates: Mapping[str, tuple[str, ...]]
    rows: tuple[RegionRow, ...]
    folder: Path
    notes: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict[str, float])

    @property
    def report(self) -> Path:
        """The page."""
        return self.folder / "report.html"

    @property
    def names(self) -> tuple[str, ...]:
        """Of the regions."""
        return tuple(region.name for region in self.regions)

    @property
    def probes(self) -> tuple[str, ...]:
        """In the order in which they were made."""
        return tuple(dict.fromkeys(row.probe for row in self.rows))

    def estimate(self, probe: str, words: str, metric: str) -> Estimate:
        """The figure, or one without a value where the probe did not measure it."""
        return self._found.get((probe, words, metric), unsupported("Not measured."))

    def values(self, probe: str, metric: str) -> Float64[np.ndarray, "regions"]:
        """The figure of each region; NaN where there is none.

        By weight scores, "privacy" and "generalization" are means per parameter over the network's mean, and
        "privacy_share" and "generalization_share" the region's shares of the total.
        """
        found = [self.estimate(probe, name, metric).value for name in self.names]
        return np.array([np.nan if value is None else value for value in found])

    @property
    def table(self) -> pd.DataFrame:
        """probe, words, metric, value, low, high; NaN where there is no figure or no interval."""
        rows = [
            (r.probe, r.words, r.metric, *(_end(r.estimate, end) for end in ("value", "low", "high")))
            for r in self.rows
        ]
        return pd.DataFrame(rows, columns=["probe", "words", "metric", "value", "low", "high"])

    @property
    def ranks(self) -> pd.DataFrame:
        """Of each region by each probe, 1 where most privacy risk lies."""
        places = {probe: ranks(self.values(probe, "privacy")) for probe in self.probes}
        return pd.DataFrame(places, index=list(self.names))

    @property
    def agreement(self) -> Agreement:
        """How alike probes rank regions by privacy risk."""
        return agreement({probe: self.values(probe, "privacy") for probe in self.probes})

    @property
    def sentence(self) -> str:
        """Where probes agree and where not, in words."""
        return sentence(
            {probe: self.values(probe, "privacy") for probe in self.probes},
            {probe: self.order(probe, "privacy") for probe in self.probes},
            ROUTING,
        )

    def order(self, probe: str, metric: str) -> Order:
        """How the probe orders the regions, as far as its intervals tell."""
        return order_of({name: self.estimate(probe, name, metric) for name in self.names}, neutral(probe))

    def risky(self, probe: str) -> tuple[str, ...]:
        """The regions that the probe calls risky: their whole interval for privacy lies above neutral."""
        return self.order(probe, "privacy").above

    @property
    def best(self) -> str | None:
        """The words that protect most while accuracy falls by at most a point; None where none protects.

        On these targets: the same ones that the choice is judged by, so its gain is optimistic.
        """
        return chosen({words: (self._routed(words, "privacy"), self._routed(words, "generalization"))
                       for words in self.candidates if words != NONE}, self.candidates)  # fmt: skip

    def _routed(self, words: str, metric: str) -> float:
        value = self.estimate(ROUTING, words, metric).value
        return np.nan if value is None else value

    @cached_property
    def _found(self) -> dict[tuple[str, str, str], Estimate]:
        return {(row.probe, row.words, row.metric): row.estimate for row in self.rows}


def neutral(probe: str) -> float:
    """The figure of a region without risk of its own: 0, and by weight scores 1, the network's mean."""
    return 1.0 if probe == WEIGHTS else 0.0


def chosen(figures: Mapping[str, tuple[float, float]], candidates: Mapping[str, Sequence[str]]) -> str | None:
    """The candidate with the largest gain among those within the budget; with equal gains the smaller one.

    figures: by candidate, the privacy gained and the accuracy lost. None where no gain is above 0.
    """
    allowed = [name for name, (gained, lost) in figures.items() if lost <= BUDGET and gained > 0]
    return min(allowed, key=lambda name: (-figures[name][0], len(candidates[name])), default=None)


def _end(estimate: Estimate, end: str) -> float:
    value = getattr(estimate, end)
    return np.nan if value is None else float(value)
