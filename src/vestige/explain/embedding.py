"""Samples on a plane, near to each other where their features are: t-SNE."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from vestige.core import check, seeds
from vestige.core.errors import InputError
from vestige.explain.given import matrix
from vestige.explain.neighbors import nearest
from vestige.leakage.numbers import Numbers

PERPLEXITY = 30
COMPONENTS = 50  # van der Maaten and Hinton 2008, section 4.2
MOST = 10_000
ASKED = 10  # neighbors
Points = Float64[np.ndarray, "points features"]
Plane = Float64[np.ndarray, "points 2"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Embedding:
    """Samples on a plane; only who is near to whom has a meaning, axes and wide distances have none.

    points: [points 2]. indices: [points], which samples they are, increasing.
    perplexity: about how many neighbors each point was kept near to.
    kl_divergence: nats, what the plane misses of the neighborhoods; lower = better.
    neighbors_kept: the mean share, 0 to 1, of a sample's 10 nearest neighbors by features that are among its
      10 nearest on the plane.
    Both NaN where all samples have the same features.
    notes: what a reader should know.
    """

    points: Plane
    indices: Int64[np.ndarray, "points"]
    perplexity: float
    kl_divergence: float
    neighbors_kept: float
    notes: tuple[str, ...] = ()


def embedded(
    features: Numbers,
    *,
    perplexity: int | float = PERPLEXITY,
    seed: int = 0,
    components: int = COMPONENTS,
    most: int = MOST,
) -> Embedding:
    """The samples on a plane by t-SNE (van der Maaten and Hinton 2008), from their principal components.

    features: [samples features], any units, taken as they are. perplexity: below a third of the points.
    components: how many principal components are kept at most. most: above so many samples, that many are
      drawn at random. The same seed gives the same plane.

    Raises InputError for features that are not finite, too few samples, and a perplexity too large for them.
    """
    given = matrix("features", features, "samples, features")
    if not np.isfinite(given).all():
        raise InputError("features hold NaN or infinity; remove these samples")
    check.at_least("components", components, 1)
    check.at_least("most", most, 4)
    chosen, notes = _chosen(len(given), most, seed)
    points = given[chosen]
    check_perplexity(perplexity, len(points))
    spread = float(np.ptp(points, axis=0).max())
    if not spread > 0:
        plane, kl, kept = np.zeros((len(points), 2)), np.nan, np.nan
        notes = (*notes, "All samples have the same features, so that they lie on one point.")
    else:
        plane, kl = _plane((points - points.mean(0)) / spread, float(perplexity), components, seed)
        kept = _kept(points, plane)
    return Embedding(
        points=plane,
        indices=chosen,
        perplexity=float(perplexity),
        kl_divergence=kl,
        neighbors_kept=kept,
        notes=notes,
    )


def _chosen(samples: int, most: int, seed: int) -> tuple[Int64[np.ndarray, "points"], tuple[str, ...]]:
    if samples <= most:
        return np.arange(samples, dtype=np.int64), ()
    drawn = seeds.generator(seed, "embedded samples").choice(samples, most, replace=False)
    return np.sort(drawn).astype(np.int64), (f"{most} of {samples} samples, drawn at random, are shown.",)


def check_perplexity(perplexity: int | float, points: int) -> None:
    """Raise InputError for a perplexity that is too large for so many points."""
    if points < 4:
        raise InputError(f"features hold {points} samples; a plane needs at least 4")
    if not 1 <= perplexity < points / 3:
        fits = min(PERPLEXITY, (points - 1) // 3)
        raise InputError(
            f"perplexity={perplexity:g} must be at least 1 and below a third of the {points} samples; "
            f"perplexity={fits} works"
        )


def _plane(points: Points, perplexity: float, components: int, seed: int) -> tuple[Plane, float]:
    """Coordinates on the plane and the Kullback-Leibler divergence that is left."""
    state = seeds.derive(seed, "t-SNE") % 2**32  # what scikit-learn takes
    kept = min(components, *points.shape)
    reduced = PCA(kept, random_state=state).fit_transform(points) if kept < points.shape[1] else points
    # one feature gives a plane's start only one axis
    start = "pca" if reduced.shape[1] > 1 else "random"
    method = TSNE(perplexity=perplexity, init=start, learning_rate="auto", random_state=state)
    return method.fit_transform(reduced).astype(np.float64), float(method.kl_divergence_)


def _kept(points: Points, plane: Plane) -> float:
    asked = min(ASKED, len(points) - 1)
    before, after = nearest(points, asked).indices, nearest(plane, asked).indices
    both = (before[:, :, None] == after[:, None, :]).sum((1, 2))
    return float(both.mean() / asked)
