"""The nearest neighbors of every sample among the others."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64
from sklearn.neighbors import NearestNeighbors

from vestige.core.errors import InputError


@dataclass(frozen=True, eq=False)
class Neighbors:
    """The k nearest other samples, nearest first.

    distances: [samples neighbors], Euclidean, in the units of the features. indices: [samples neighbors].
    """

    distances: Float64[np.ndarray, "samples neighbors"]
    indices: Int64[np.ndarray, "samples neighbors"]


def nearest(features: Float64[np.ndarray, "samples features"], neighbors: int) -> Neighbors:
    """The nearest other samples of each; a sample is never its own neighbor, a duplicate of it may be.

    Raises InputError unless there are more samples than neighbors, of which there must be at least one.
    """
    if not 1 <= neighbors < len(features):
        raise InputError(f"neighbors={neighbors} must be at least 1 and below the {len(features)} samples")
    centered = features - features.mean(0)
    found = NearestNeighbors(n_neighbors=neighbors).fit(centered).kneighbors(return_distance=False)
    # found from products, the distance of a near-duplicate would be rounding error
    pairs = [np.linalg.norm(centered - centered[column], axis=1) for column in found.T]
    distances = np.stack(pairs, 1)
    order = np.argsort(distances, axis=1, kind="stable")
    return Neighbors(
        np.take_along_axis(distances, order, 1), np.take_along_axis(found, order, 1).astype(np.int64)
    )
