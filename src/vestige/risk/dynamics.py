"""What was found about the dynamics: the part of a result that speaks of time."""

from dataclasses import dataclass

from vestige.risk.estimate import Estimate


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number of a run, with its interval.

    name: as tables hold it, for example "displacement". title: for readers. unit: "" for pure numbers.
    definition: the formula in words, with every choice that changes the number.
    """

    name: str
    title: str
    unit: str
    definition: str
    estimate: Estimate


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One number at several epochs, with its intervals.

    epochs: of a number that belongs to a step between two checkpoints, the later one.
    """

    name: str
    title: str
    unit: str
    definition: str
    epochs: tuple[float, ...]
    estimates: tuple[Estimate, ...]


@dataclass(frozen=True, kw_only=True)
class Transition:
    """How many samples went from each region (row) to each region (column) between two checkpoints."""

    start_epoch: float
    end_epoch: float
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Bin:
    """A tenth of the samples, by rising hardness: its mean hardness and mean outcome."""

    hardness: float
    outcome: float
    samples: int


@dataclass(frozen=True, kw_only=True)
class Association:
    """How a measure of hardness goes with an outcome, over samples.

    measure, outcome: as tables hold them; measure_title, outcome_title: for readers.
    rank_correlation: Spearman's, positive = harder samples have the larger outcome.
    bins: tenths of the samples by hardness.
    """

    measure: str
    measure_title: str
    outcome: str
    outcome_title: str
    definition: str
    rank_correlation: Estimate
    bins: tuple[Bin, ...]


@dataclass(frozen=True, kw_only=True)
class Dynamics:
    """The motion of all samples over training.

    attack: whose decisions were counted; named: at which operating point, in words.
    models, clusters: how many, and how many of them independent; replicates: of the bootstrap.
    regions: as a report names them. transitions: between consecutive checkpoints.
    notes: what a reader should know, for example what could not be supported.
    """

    attack: str
    named: str
    models: int
    clusters: int
    replicates: int
    regions: tuple[str, ...]
    figures: tuple[Figure, ...]
    curves: tuple[Curve, ...]
    transitions: tuple[Transition, ...]
    associations: tuple[Association, ...]
    notes: tuple[str, ...]

    def figure(self, name: str) -> Figure:
        """The figure of that name. Raises KeyError for an unknown one."""
        return {figure.name: figure for figure in self.figures}[name]

    def curve(self, name: str) -> Curve:
        """The curve of that name. Raises KeyError for an unknown one."""
        return {curve.name: curve for curve in self.curves}[name]
