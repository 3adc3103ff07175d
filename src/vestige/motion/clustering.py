"""Whether samples form groups on the plane (Chen et al. 2025 use an index that we do not know)."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64
from scipy.spatial import KDTree
from sklearn.cluster import DBSCAN, KMeans
from sklearn.metrics import silhouette_score

from vestige.core import seeds
from vestige.motion.interval import spread_interval
from vestige.motion.state import state
from vestige.risk.decisions import Decisions
from vestige.risk.dynamics import Figure
from vestige.risk.region import Regions
from vestige.risk.resample import resampling

MOST_SAMPLES = 500  # drawn at random: the indices cost the square of it
GROUPS = range(2, 7)
REPLICATES = 20
RADIUS, NEIGHBORS = 0.05, 10  # of DBSCAN: a twentieth of the plane, at least ten samples

Points = Float64[np.ndarray, "samples 2"]


@dataclass(frozen=True, kw_only=True)
class Clustering:
    """The indices at the first and at the last checkpoint."""

    figures: tuple[Figure, ...]


def clustering(
    decisions: Decisions, regions: Regions, clusters: Int64[np.ndarray, "targets"], *, seed: int = 0
) -> Clustering:
    """Silhouette, nearest-neighbor ratio and number of dense groups, first and last checkpoint."""
    drawn = resampling(clusters, seed, REPLICATES)
    weights = np.vstack([np.ones((1, len(clusters))), drawn.weights])
    samples = decisions.member.shape[1]
    chosen = seeds.generator(seed, "clustering").permutation(samples)[:MOST_SAMPLES]
    figures: list[Figure] = []
    for place, checkpoint in (("first", 0), ("last", len(decisions.epochs) - 1)):
        now = state(decisions, checkpoint, weights, regions)
        clouds = np.nan_to_num(np.stack([now.fpr, now.tpr], -1)[:, chosen])
        figures += [
            Figure(
                name=f"{name}_{place}",
                title=f"{title}, {place} checkpoint",
                unit="",
                definition=definition,
                estimate=spread_interval(
                    np.array([index(cloud) for cloud in clouds]),
                    drawn.num_clusters,
                    least=least,
                    note="The records lie on too few places.",
                ),
            )
            for name, title, definition, least, index in INDICES
        ]
    return Clustering(figures=tuple(figures))


def clark_evans(points: Points) -> float:
    """The mean distance to the nearest neighbor over that of as many random points, 0.5 / sqrt(density)
    on the unit square (Clark and Evans 1954, without edge correction); below 1 = clustered.

    Samples that share a place have distance 0, so few models press it towards 0.
    """
    distance, _ = KDTree(points).query(points, k=2)
    return float(distance[:, 1].mean() * 2 * np.sqrt(len(points)))


def silhouette(points: Points) -> float:
    """The largest mean silhouette (Rousseeuw 1987) over k-means with 2 to 6 groups, -1 to 1; higher =
    clearer groups. NaN where fewer than 3 places are taken.
    """
    places = len(np.unique(points.round(9), axis=0))
    found = [np.nan]
    for groups in GROUPS:
        if groups < places:
            labels = KMeans(groups, n_init="auto", random_state=0).fit_predict(points)
            found.append(float(silhouette_score(points, labels)))
    return float(np.nanmax(found)) if len(found) > 1 else np.nan


def dense_groups(points: Points) -> float:
    """How many groups DBSCAN finds (Ester et al. 1996) at radius 0.05 with at least 10 samples."""
    labels = DBSCAN(eps=RADIUS, min_samples=NEIGHBORS).fit_predict(points)
    return float(labels.max() + 1)


INDICES = (
    (
        "silhouette",
        "Silhouette",
        "largest mean silhouette of k-means with 2 to 6 groups",
        -1.0,
        silhouette,
    ),
    (
        "clark_evans",
        "Nearest-neighbor ratio",
        "mean nearest-neighbor distance over that of random points (Clark-Evans); below 1 = clustered",
        0.0,
        clark_evans,
    ),
    (
        "dense_groups",
        "Dense groups",
        f"groups found by DBSCAN, radius {RADIUS}, at least {NEIGHBORS} records",
        0.0,
        dense_groups,
    ),
)
