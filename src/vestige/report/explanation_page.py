"""What the page of an explanation shows, as values."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from vestige.risk.estimate import Estimate
from vestige.vulnerability.contrast import Contrast
from vestige.vulnerability.disparity import Disparity
from vestige.vulnerability.mislabelled import LabelCheck
from vestige.vulnerability.precision import TopPrecision
from vestige.vulnerability.stability import Stability
from vestige.vulnerability.vulnerable import VulnerableSets


@dataclass(frozen=True, kw_only=True, eq=False)
class Rule:
    """One way to say who is vulnerable.

    key: "global", "lira" or "reference". stability: None where no two models can be compared.
    mislabelled: the share of the members it names whose label is known to be wrong; None where none is known.
    mislabelled_base: that share among all records.
    """

    key: str
    title: str
    sets: VulnerableSets
    stability: Stability | None
    mislabelled: Estimate | None = None
    mislabelled_base: float | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Ranking:
    """A cheap ranking against the records that LiRA names; cost: in words."""

    title: str
    cost: str
    top: tuple[TopPrecision, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Difference:
    """What sets the members that a rule names apart.

    rule: its title. targets: models whose members were looked at.
    contrasts: vulnerable against other members of the shown model.
    percentiles: by measure, the mean place of the vulnerable among members, 0 to 1, over those models.
    """

    rule: str
    targets: int
    contrasts: tuple[Contrast, ...]
    percentiles: tuple[tuple[str, Estimate], ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Logits:
    """Scaled logits of the shown model over training; members and nonmembers: shares per bin."""

    epochs: Float[np.ndarray, "checkpoints"]
    edges: Float[np.ndarray, "edges"]
    members: Float[np.ndarray, "checkpoints bins"]
    nonmembers: Float[np.ndarray, "checkpoints bins"]
    auc: Float[np.ndarray, "checkpoints"]
    advantage: Float[np.ndarray, "checkpoints"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Plot2D:
    """t-SNE of the penultimate features of the shown model's members."""

    points: Float[np.ndarray, "points 2"]
    labels: Int[np.ndarray, "points"]
    vulnerable: Bool[np.ndarray, "points"]
    ids: Int[np.ndarray, "points"]
    perplexity: float
    neighbors_kept: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Attributions:
    """Where the shown model looks; closest, farthest: rows of Records."""

    method: str
    contrasts: tuple[Contrast, ...]
    closest: Int[np.ndarray, "_closest"]
    farthest: Int[np.ndarray, "_farthest"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Records:
    """What the gallery and the records' own pages show.

    predicted: by the shown model. measures: by title, higher = more, NaN = unknown. scores: by rule.
    neighbors: rows of pictured_ids, which begin with the records themselves.
    maps: of the attribution, 0 to 1. features: of tables, per record the strongest: name, value, attribution.
    """

    ids: Int[np.ndarray, "records"]
    labels: Int[np.ndarray, "records"]
    predicted: Int[np.ndarray, "records"]
    member: Bool[np.ndarray, "records"]
    vulnerable: Bool[np.ndarray, "records"]
    mislabelled: Bool[np.ndarray, "records"] | None
    measures: dict[str, Float[np.ndarray, "records"]]
    scores: dict[str, Float[np.ndarray, "records"]]
    epochs: Float[np.ndarray, "checkpoints"]
    fpr: Float[np.ndarray, "checkpoints records"]
    tpr: Float[np.ndarray, "checkpoints records"]
    losses: Float[np.ndarray, "loss_checkpoints records"]
    loss_epochs: Float[np.ndarray, "loss_checkpoints"]
    neighbors: Int[np.ndarray, "records neighbors"]
    neighbor_distances: Float[np.ndarray, "records neighbors"]
    pictured_ids: Int[np.ndarray, "pictured"]
    pictured_labels: Int[np.ndarray, "pictured"]
    pictures: UInt8[np.ndarray, "pictured channels height width"] | None
    maps: Float[np.ndarray, "records map_height map_width"] | None
    features: tuple[tuple[tuple[str, float, float], ...], ...] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class ExplanationPage:
    """Everything that the page shows.

    target: the shown model; members: how many it has. headline: the key of the rule that decides.
    defense: sentences of what can be done; a line that begins with "$ " is a command.
    """

    title: str
    dataset: str
    model: str
    models: int
    samples: int
    target: int
    members: int
    headline: str
    fpr: float
    rules: tuple[Rule, ...]
    differences: tuple[Difference, ...]
    by_class: Disparity | None
    by_group: Disparity | None
    label_check: LabelCheck | None
    rankings: tuple[Ranking, ...]
    logits: Logits | None
    plot: Plot2D | None
    attributions: Attributions | None
    records: Records
    class_names: tuple[str, ...]
    group_title: str = ""
    defense: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    command: str = ""
    python_call: str = ""
    report_link: str = ""
