"""All curves of the plane's motion at once: their values, and their spread over bootstrap replicates."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float64

from vestige.motion.crystallization import foreknowledge
from vestige.motion.entropy import spatial_entropy
from vestige.motion.speed import debiased_speed, path_speed, signed_speed
from vestige.motion.state import State, Weights, changes, state
from vestige.motion.transition import hazard, per_epoch
from vestige.risk.decisions import Decisions
from vestige.risk.region import Regions
from vestige.risk.resample import resampling

REPLICATES = 200
NUMBERS_AT_ONCE = 1 << 21  # replicates x samples held at a time: 16 MB for each array of them


@dataclass(frozen=True, eq=False)
class Motion:
    """Curves over training; row 0 is the value, the other rows are bootstrap replicates of the models.

    at: curves with an entry per checkpoint, [replicates checkpoints].
    between: curves with an entry per step between checkpoints, [replicates steps].
    clusters: how many independent models there are.
    """

    epochs: Float64[np.ndarray, "checkpoints"]
    clusters: int
    at: dict[str, Float64[np.ndarray, "replicates checkpoints"]]
    between: dict[str, Float64[np.ndarray, "replicates steps"]]

    @property
    def gaps(self) -> Float64[np.ndarray, "steps"]:
        """The epochs between checkpoints."""
        return np.diff(self.epochs)


def motion(
    decisions: Decisions,
    regions: Regions,
    clusters: np.ndarray,
    *,
    seed: int = 0,
    replicates: int = REPLICATES,
) -> Motion:
    """The curves of these decisions; dependent models are resampled together.

    clusters: [targets]; targets with the same number are dependent by design.
    """
    drawn = resampling(clusters, seed, replicates)
    weights = np.vstack([np.ones((1, len(clusters))), drawn.weights])
    size = max(1, NUMBERS_AT_ONCE // decisions.member.shape[1])
    parts = [
        _part(decisions, regions, weights[start : start + size]) for start in range(0, len(weights), size)
    ]
    return Motion(
        epochs=decisions.epochs,
        clusters=drawn.num_clusters,
        at={name: np.concatenate([part.at[name] for part in parts]) for name in parts[0].at},
        between={name: np.concatenate([part.between[name] for part in parts]) for name in parts[0].between},
    )


@dataclass(frozen=True, eq=False)
class _Part:
    """The same for some of the rows."""

    at: dict[str, np.ndarray] = field(default_factory=dict[str, np.ndarray])
    between: dict[str, np.ndarray] = field(default_factory=dict[str, np.ndarray])


def _part(decisions: Decisions, regions: Regions, weights: Weights) -> _Part:
    at, between = list(_at(decisions, regions, weights)), list(_between(decisions, regions, weights))
    return _Part(
        {name: np.stack([row[name] for row in at], 1) for name in at[0]},
        {name: np.stack([row[name] for row in between], 1) for name in (between[0] if between else {})},
    )


def _at(decisions: Decisions, regions: Regions, weights: Weights) -> Iterator[dict[str, np.ndarray]]:
    last = state(decisions, len(decisions.epochs) - 1, weights, regions)
    start = state(decisions, 0, weights, regions).center
    for checkpoint in range(len(decisions.epochs)):
        now = state(decisions, checkpoint, weights, regions)
        known = foreknowledge(now, last)
        yield {
            "displacement": np.linalg.norm(now.center - start, axis=1),
            "mean_fpr": now.center[:, 0],
            "mean_tpr": now.center[:, 1],
            "mean_advantage": np.nanmean(now.advantage, 1),
            "high_share": now.high.mean(1),
            "entropy": spatial_entropy(now),
            "recall": known.recall,
            "precision": known.precision,
            "jaccard": known.jaccard,
            "top_overlap": known.top_overlap,
            "rank_correlation": known.rank_correlation,
        }


def _between(decisions: Decisions, regions: Regions, weights: Weights) -> Iterator[dict[str, np.ndarray]]:
    before: State | None = None
    for checkpoint, epoch in enumerate(decisions.epochs):
        now = state(decisions, checkpoint, weights, regions)
        if before is not None:
            gap = float(epoch - decisions.epochs[checkpoint - 1])
            step = changes(decisions, checkpoint - 1, checkpoint, weights)
            entering = hazard(before, now)
            yield {
                "speed": np.nanmean(path_speed(before, now, gap), 1),
                "signed_speed": signed_speed(before, now, gap),
                "debiased_speed": debiased_speed(step, gap),
                "hazard": entering,
                "hazard_per_epoch": per_epoch(entering, gap),
            }
        before = now
