"""The dynamics of a run in numbers with intervals."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from vestige.motion import entry
from vestige.motion.clustering import clustering
from vestige.motion.curves import REPLICATES, Motion, motion
from vestige.motion.interval import spread_interval
from vestige.motion.measures import AT, BETWEEN, FIGURES, Measure
from vestige.motion.speed import run_average
from vestige.motion.transition import transition_counts
from vestige.risk.decisions import Decisions
from vestige.risk.dynamics import Association, Curve, Dynamics, Figure, Transition
from vestige.risk.estimate import Estimate
from vestige.risk.plane import Plane

KNOWN = 0.7  # of the finally vulnerable; Chen et al. 2025 report about 70 % by epoch 150
EARLY = 0.3  # of training


def dynamics(
    decisions: Decisions,
    plane: Plane,
    clusters: Int64[np.ndarray, "targets"],
    *,
    attack: str,
    associations: tuple[Association, ...] = (),
    notes: tuple[str, ...] = (),
    seed: int = 0,
    replicates: int = REPLICATES,
) -> Dynamics | None:
    """The dynamics of these decisions; None with fewer than two checkpoints, where nothing can move.

    plane: of the same decisions. clusters: [targets], dependent models share a number.
    associations, notes: from elsewhere, passed on.
    """
    if len(plane.epochs) < 2:
        return None
    moved = motion(decisions, plane.partition, clusters, seed=seed, replicates=replicates)
    grouped = clustering(decisions, plane.partition, clusters, seed=seed)
    return Dynamics(
        attack=attack,
        named=plane.point.phrase,
        models=len(clusters),
        clusters=moved.clusters,
        replicates=replicates,
        regions=plane.partition.shown,
        figures=(*_figures(moved, plane), *grouped.figures),
        curves=(
            *(_curve(m, moved.at[m.name], moved.epochs, moved) for m in AT),
            *(_curve(m, moved.between[m.name], moved.epochs[1:], moved) for m in BETWEEN),
        ),
        transitions=_transitions(plane),
        associations=associations,
        notes=(*notes, *plane.warnings),
    )


@dataclass(frozen=True, eq=False)
class SampleMotion:
    """The motion of each sample; epochs, or plane units per epoch.

    mean_speed: time average; peak_speed: over its fastest step; both with the jitter of counts.
    first_entry, last_entry: when it first and last became vulnerable; NaN if never.
    """

    mean_speed: Float64[np.ndarray, "samples"]
    peak_speed: Float64[np.ndarray, "samples"]
    first_entry: Float64[np.ndarray, "samples"]
    last_entry: Float64[np.ndarray, "samples"]


def sample_motion(plane: Plane) -> SampleMotion:
    """The motion of each sample on a plane of at least two checkpoints."""
    gaps = np.diff(plane.epochs)
    steps = np.hypot(np.diff(plane.fpr, axis=0), np.diff(plane.tpr, axis=0)) / gaps[:, None]
    return SampleMotion(
        run_average(steps.T, gaps),
        steps.max(0),
        entry.first_entry(plane.high, plane.epochs),
        entry.last_entry(plane.high, plane.epochs),
    )


def _curve(
    measure: Measure, rows: Float64[np.ndarray, "replicates points"], epochs: np.ndarray, moved: Motion
) -> Curve:
    return Curve(
        name=measure.name,
        title=measure.title,
        unit=measure.unit,
        definition=measure.definition,
        epochs=tuple(float(epoch) for epoch in epochs),
        estimates=tuple(_estimate(measure, column, moved) for column in rows.T),
    )


def _estimate(measure: Measure, rows: Float64[np.ndarray, "replicates"], moved: Motion) -> Estimate:
    return spread_interval(rows, moved.clusters, least=measure.least, most=measure.most, note=measure.absent)


def _figures(moved: Motion, plane: Plane) -> list[Figure]:
    values = {**_of_checkpoints(moved), **_of_steps(moved), **_of_entries(plane)}
    return [
        Figure(
            name=measure.name,
            title=measure.title,
            unit=measure.unit,
            definition=measure.definition,
            estimate=_estimate(measure, np.atleast_1d(values[measure.name]), moved),
        )
        for measure in FIGURES
    ]


def _of_checkpoints(moved: Motion) -> dict[str, np.ndarray]:
    at, epochs = moved.at, moved.epochs
    early = int(np.searchsorted(epochs, EARLY * epochs[-1] + 1e-9, side="right")) - 1
    return {
        "displacement": at["displacement"][:, -1],
        "displacement_x1000": 1000 * at["displacement"][:, -1],
        "final_advantage": at["mean_advantage"][:, -1],
        "final_high_share": at["high_share"][:, -1],
        "entropy_change": at["entropy"][:, -1] - at["entropy"][:, 0],
        "half_time": entry.half_time(at["mean_advantage"], epochs),
        "known_70": entry.first_reaching(at["recall"], epochs, KNOWN),
        "early_recall": at["recall"][:, early],
        "early_precision": at["precision"][:, early],
        "early_rank_correlation": at["rank_correlation"][:, early],
    }


def _of_steps(moved: Motion) -> dict[str, np.ndarray]:
    steps, gaps = moved.between, moved.gaps
    return {
        "mean_speed": run_average(steps["speed"], gaps),
        "peak_speed": steps["speed"].max(1),
        "mean_debiased_speed": run_average(steps["debiased_speed"], gaps),
        "peak_signed_speed": steps["signed_speed"].max(1),
        "peak_hazard": _peak(steps["hazard"]),
        "peak_hazard_per_epoch": _peak(steps["hazard_per_epoch"]),
    }


def _of_entries(plane: Plane) -> dict[str, np.ndarray]:
    """Medians over the samples that end vulnerable; without replicates, for their set changes in each."""
    motion, ends = sample_motion(plane), plane.high[-1]
    return {
        name: np.array([np.median(values[ends]) if ends.any() else np.nan])
        for name, values in (
            ("median_first_entry", motion.first_entry),
            ("median_last_entry", motion.last_entry),
        )
    }


def _peak(rows: Float64[np.ndarray, "replicates steps"]) -> Float64[np.ndarray, "replicates"]:
    """The largest entry of each row; NaN entries, where no sample was left to enter, count as 0."""
    return np.nan_to_num(rows).max(1)


def _transitions(plane: Plane) -> tuple[Transition, ...]:
    number = len(plane.partition.names)
    return tuple(
        Transition(
            start_epoch=float(plane.epochs[t]),
            end_epoch=float(plane.epochs[t + 1]),
            counts=tuple(
                tuple(int(n) for n in row)
                for row in transition_counts(plane.regions[t], plane.regions[t + 1], number)
            ),
        )
        for t in range(len(plane.epochs) - 1)
    )
