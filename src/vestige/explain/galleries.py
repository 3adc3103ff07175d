"""Which samples to show: the most and the least typical of each class."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64

from vestige.core import check
from vestige.core.errors import InputError
from vestige.explain.given import truth, vector
from vestige.leakage.numbers import Numbers

MOST = 20
Indices = Int64[np.ndarray, "_"]


class Extremes(NamedTuple):
    """Indices of samples in the order of their classes; none is in both.

    closest: [shown], per class the nearest first. farthest: [shown], per class the farthest first.
    """

    closest: Indices
    farthest: Indices


def extremes(
    distance: Numbers, labels: Numbers, among: Numbers | None = None, per_class: int = 1, most: int = MOST
) -> Extremes:
    """Per class the samples closest to it and farthest from it.

    distance: [samples], to the own class's mean; NaN = unknown, left out. labels: [samples], class indices.
    among: [samples], which samples count (say, a target's members); None means all.
    per_class: how many of each kind a class gives, at most half of its samples. most: of each kind in all;
      where the classes give more, the closest and the farthest of these are kept.

    Raises InputError for other lengths.
    """
    check.at_least("per_class", per_class, 1)
    check.at_least("most", most, 1)
    far = vector("distance", distance)
    place = np.asarray(labels)
    if place.shape != far.shape:
        raise InputError(
            f"labels has shape {place.shape} for {len(far)} distances; give one class per sample"
        )
    counted = np.ones(len(far), bool) if among is None else truth("among", among, len(far))
    ranked = _ranked(far, place, counted & ~np.isnan(far))
    counts = [min(per_class, len(samples) // 2) for samples in ranked]
    closest = [samples[:count] for samples, count in zip(ranked, counts, strict=True)]
    farthest = [samples[::-1][:count] for samples, count in zip(ranked, counts, strict=True)]
    return Extremes(_fewest(closest, far, most), _fewest(farthest, -far, most))


def _ranked(
    far: Float64[np.ndarray, "samples"], place: np.ndarray, counted: Bool[np.ndarray, "samples"]
) -> list[Indices]:
    """The samples of each class that count, closest first."""
    groups = [np.flatnonzero(counted & (place == c)) for c in np.unique(place)]
    return [group[np.argsort(far[group], kind="stable")] for group in groups]


def _fewest(groups: list[Indices], height: Float64[np.ndarray, "samples"], most: int) -> Indices:
    """The samples of all groups, the lowest `most` of them, in the order they came in."""
    samples = np.concatenate(groups).astype(np.int64)
    lowest = np.argsort(height[samples], kind="stable")[:most]
    return samples[np.sort(lowest)]
