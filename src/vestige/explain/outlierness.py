"""How far each sample lies from those like it, in a space of features."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64
from scipy.stats import rankdata

from vestige.core.errors import InputError
from vestige.explain.given import matrix, same_length, vector
from vestige.explain.neighbors import Neighbors, nearest
from vestige.leakage.numbers import Numbers

NEIGHBORS = 10
DUPLICATE = 0.1  # of the median distance to the nearest neighbor


@dataclass(frozen=True, kw_only=True)
class OutlierMeasure:
    """A measure of outlierness; every one is turned so that higher = more of an outlier."""

    name: str
    title: str
    definition: str


MEASURES = (
    OutlierMeasure(
        name="centroid_distance",
        title="Distance to its class",
        definition="distance to the mean of the other samples of its class",
    ),
    OutlierMeasure(
        name="neighbor_distance",
        title="Distance to neighbors",
        definition="mean distance to the nearest samples of any class",
    ),
    OutlierMeasure(
        name="lost_margin",
        title="Lost margin",
        definition="distance to the mean of its class less that to the nearest mean of another class; "
        "above 0 where another class is nearer",
    ),
    OutlierMeasure(
        name="disagreement",
        title="Neighbors of another class",
        definition="share of the nearest samples that have another label",
    ),
    OutlierMeasure(
        name="out_of_fold_loss",
        title="Out-of-fold loss",
        definition="loss in nats under models trained without it",
    ),
)
BY_NAME = {measure.name: measure for measure in MEASURES}


@dataclass(frozen=True, kw_only=True, eq=False)
class Outlierness:
    """Measures of each sample, all turned so that higher = more of an outlier.

    values: by measure, [samples]; NaN where undefined, as in a class of one sample.
    near_duplicate: [samples], whether another sample all but coincides with it.
    neighbors: the nearest samples.
    notes: what a reader should know.
    """

    values: dict[str, Float64[np.ndarray, "samples"]]
    near_duplicate: Bool[np.ndarray, "samples"]
    neighbors: Neighbors
    notes: tuple[str, ...] = ()


def outlierness(
    features: Numbers,
    labels: Numbers,
    *,
    neighbors: int = NEIGHBORS,
    duplicate: int | float = DUPLICATE,
    out_of_fold_loss: Numbers | None = None,
) -> Outlierness:
    """How far each sample lies from its class and its neighbors, by Euclidean distance.

    features: [samples features], any units, taken as they are. labels: [samples], class indices.
    neighbors: how many are asked. duplicate: a sample is a near-duplicate where its nearest neighbor is at
      most this share of the median nearest distance away.
    out_of_fold_loss: [samples], nats, of models trained without the sample; passed on as a measure.

    Raises InputError for features that are not finite, other lengths, fewer than two classes, or no more
    samples than neighbors.
    """
    points = matrix("features", features, "samples, features")
    if not np.isfinite(points).all():
        raise InputError("features hold NaN or infinity; remove these samples")
    place = _classes(labels, len(points))
    near = nearest(points, neighbors)
    own, other = centroid_distances(points, place)
    values = {
        "centroid_distance": own,
        "neighbor_distance": near.distances.mean(1),
        "lost_margin": own - other,
        "disagreement": (place[near.indices] != place[:, None]).mean(1),
    }
    if out_of_fold_loss is not None:
        values["out_of_fold_loss"] = vector("out_of_fold_loss", out_of_fold_loss, len(points))
    first = near.distances[:, 0]
    copied = first <= float(duplicate) * float(np.median(first))
    return Outlierness(values=values, near_duplicate=copied, neighbors=near, notes=_alone(own))


def _alone(own: Float64[np.ndarray, "samples"]) -> tuple[str, ...]:
    alone = int(np.isnan(own).sum())
    return (f"{alone} samples are alone in their class, so they have no distance to it.",) if alone else ()


def centroid_distances(
    points: Float64[np.ndarray, "samples features"], place: Int64[np.ndarray, "samples"]
) -> tuple[Float64[np.ndarray, "samples"], Float64[np.ndarray, "samples"]]:
    """Each sample's distance to the mean of the others of its class, and to the nearest other class's mean.

    The sample itself is left out of its class's mean, which it would pull towards itself, most in a small
    class. place: [samples], 0, 1, ..., without gaps.
    """
    counts = np.bincount(place).astype(np.float64)
    means = np.stack([points[place == c].mean(0) for c in range(len(counts))])
    distance = np.stack([np.linalg.norm(points - mean, axis=1) for mean in means], 1)
    samples = np.arange(len(points))
    size = counts[place]
    # x - mean of the others = (x - mean) n / (n - 1)
    own = distance[samples, place] * size / np.where(size > 1, size - 1, np.nan)
    distance[samples, place] = np.inf
    return own, distance.min(1)


def percentile(values: Numbers, labels: Numbers | None = None) -> Float64[np.ndarray, "samples"]:
    """The place of each value among all, or within its class, 0 to 1 with mean one half; ties share theirs.

    values: [samples]; NaN stays NaN and does not count. labels: [samples], class indices.

    Raises InputError for another length.
    """
    given = vector("values", values)
    place = np.zeros(len(given), np.int64) if labels is None else _indices(labels, len(given))
    found = np.full(len(given), np.nan)
    for group in np.unique(place):
        chosen = (place == group) & ~np.isnan(given)
        if chosen.any():
            found[chosen] = (rankdata(given[chosen]) - 0.5) / chosen.sum()
    return found


def _classes(labels: Numbers, samples: int) -> Int64[np.ndarray, "samples"]:
    place = _indices(labels, samples)
    if place.max() < 1:
        raise InputError("labels hold one class; outliers of a class need at least 2 to compare")
    return place


def _indices(labels: Numbers, samples: int) -> Int64[np.ndarray, "samples"]:
    given = np.asarray(labels)
    if given.ndim != 1:
        raise InputError(f"labels has shape {given.shape}; give one class per sample")
    same_length("labels", given, samples)
    return np.unique(given, return_inverse=True)[1].astype(np.int64)
