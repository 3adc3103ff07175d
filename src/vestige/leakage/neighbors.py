"""Leakage from a statistic of many retrained models by nearest neighbors, whatever its law.

KL: features times the mean of ln(distance to the other side / distance to the own side), plus
ln(n_other / (n_own - 1)) (Wang, Kulkarni and Verdú 2009); unbiased where nothing leaks. A point whose
distances tie, at 0 or with each other, counts those within the larger distance instead; nothing is jittered.
Mutual information: Ross 2014, weighted by the prior. Advantage: of the rule that gives each model, left out,
to the side that is denser around it; below the best one's.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64
from scipy import special

from vestige.core import check
from vestige.core.errors import InputError
from vestige.leakage.ensemble import enough_models, shortages
from vestige.leakage.entropy import entropy_of_presence
from vestige.leakage.leakage import Leakage
from vestige.leakage.numbers import Numbers
from vestige.leakage.randomness import SeedEnsemble, require

Vectors = Float64[np.ndarray, "models records features"]
Mask = Bool[np.ndarray, "models records"]
Values = Float64[np.ndarray, "records"]
Points = Float64[np.ndarray, "records models"]

ENTRIES = 2**20  # distances held at once, 8 MiB
MOST_FEATURES = 3  # beyond, neighbors among tens of models are far off and the estimate is mostly bias

FAR = "a divergence above ln n cannot be seen among n models: laws that lie apart are underestimated"


class Distances(NamedTuple):
    """Distances between models, by record; infinite where a pair does not count.

    own: to the other models of the same side. other: to those of the other side.
    """

    own: Float64[np.ndarray, "records models others"]
    other: Float64[np.ndarray, "records models others"]


class Evidence(NamedTuple):
    """What each model tells of its own side: estimates of ln p_own / p_other and of ln p_own / m.

    lean: above 0 where its own side is the denser around it.
    """

    log_ratio: Points
    lean: Points
    log_ratio_to_mixture: Points
    tied: Bool[np.ndarray, "records models"]


def neighbor_ensemble(
    values: Numbers,
    membership: Numbers,
    randomness: SeedEnsemble,
    prior: float = 0.5,
    *,
    k: int = 3,
) -> Leakage:
    """The leakage of each record through a statistic of the models, by distances to the k-th neighbors.

    values: [models records] or [models records features]; NaN where a model does not count.
    membership: [models records], whether the model was trained with the record.

    Records with too few models on a side are NaN and noted.
    Raises InputError for other shapes, infinite values, k < 1, k not below SeedEnsemble.fewest, or when no
    record has enough models.
    """
    require(randomness, SeedEnsemble)
    entropy_of_presence(prior)
    check.at_least("k", k, 1)
    if k >= randomness.fewest:
        raise InputError(
            f"k={k} must be below SeedEnsemble(fewest={randomness.fewest}): a side has k others then"
        )
    vectors, inside, outside = _sides(values, membership)
    enough = enough_models(inside, outside, randomness)
    found = np.full((5, len(enough)), np.nan)
    for block in _blocks(enough, max(1, ENTRIES // len(vectors) ** 2)):
        found[:, block] = _block(vectors[:, block], inside[:, block], outside[:, block], prior, k)
    features, tied = vectors.shape[2], int((found[4] > 0).sum())
    return Leakage(
        kl=found[0],
        kl_reverse=found[1],
        mutual_information=found[2],
        advantage=found[3],
        prior=prior,
        kind="lower bound",
        notes=(_population(k), FAR, *_trouble(features, tied), *shortages(enough, ~enough, randomness)),
    )


def _sides(values: Numbers, membership: Numbers) -> tuple[Vectors, Mask, Mask]:
    vectors, member = np.asarray(values, np.float64), np.asarray(membership, bool)
    if vectors.ndim == 2:
        vectors = vectors[:, :, None]
    if vectors.ndim != 3 or vectors.shape[:2] != member.shape:
        raise InputError(
            f"values {np.shape(values)} must be [models records] or [models records features], and "
            f"membership {member.shape} [models records]"
        )
    if np.isinf(vectors).any():
        raise InputError("values must be finite; clip them, or mark what does not count with NaN")
    counts = ~np.isnan(vectors).any(2)
    return vectors, member & counts, ~member & counts


def _blocks(enough: Bool[np.ndarray, "records"], size: int) -> list[Int64[np.ndarray, "_"]]:
    """The records with enough models, so many at a time."""
    chosen = np.flatnonzero(enough)
    return [chosen[start : start + size] for start in range(0, len(chosen), size)]


def _block(
    vectors: Vectors, inside: Mask, outside: Mask, prior: float, k: int
) -> Float64[np.ndarray, "5 records"]:
    """KL both ways, mutual information, advantage and the share of tied models, of a few records."""
    distances = _distances(vectors, inside, outside)
    count_in, count_out = inside.sum(0)[:, None], outside.sum(0)[:, None]
    member, present = inside.T, (inside | outside).T
    own, other = np.where(member, count_in, count_out), np.where(member, count_out, count_in)
    weight = np.where(member, prior, 1 - prior)
    told = _evidence(distances, own, other, weight, vectors.shape[2], k)
    right = np.sign(told.lean) / 2 + 0.5

    def mean(of: np.ndarray, side: np.ndarray) -> Values:
        return np.where(side, of, 0.0).sum(1) / side.sum(1)

    without = present & ~member
    information = prior * mean(told.log_ratio_to_mixture, member)
    information += (1 - prior) * mean(told.log_ratio_to_mixture, without)
    return np.stack(
        [
            mean(told.log_ratio, member),
            mean(told.log_ratio, without),
            information,
            mean(right, member) + mean(right, without) - 1,
            mean(told.tied, present),
        ]
    )


def _distances(vectors: Vectors, inside: Mask, outside: Mask) -> Distances:
    points = np.moveaxis(vectors, 1, 0)  # [records models features]
    apart = np.zeros((len(points), len(vectors), len(vectors)))
    for feature in range(points.shape[2]):
        column = points[:, :, feature]
        apart += (column[:, :, None] - column[:, None, :]) ** 2
    np.sqrt(apart, out=apart)
    member, without = inside.T, outside.T
    same = (member[:, :, None] & member[:, None]) | (without[:, :, None] & without[:, None])
    opposite = (member[:, :, None] & without[:, None]) | (without[:, :, None] & member[:, None])
    same &= ~np.eye(len(vectors), dtype=bool)
    return Distances(np.where(same, apart, np.inf), np.where(opposite, apart, np.inf))


def _evidence(
    distances: Distances, own: np.ndarray, other: np.ndarray, weight: np.ndarray, features: int, k: int
) -> Evidence:
    """The two log ratios at every model; of those that are absent, numbers that nobody reads."""
    to_own = np.partition(distances.own, k - 1, axis=2)[:, :, k - 1]
    to_other = np.partition(distances.other, k - 1, axis=2)[:, :, k - 1]
    tied = (to_own == 0) | (to_other == 0) | (to_own == to_other)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_ratio = features * np.log(to_other / to_own)
    near = np.where(to_own > 0, np.nextafter(to_own, 0), 0.0)[:, :, None]  # what is nearer, or ties at 0
    near_own = 1 + (distances.own <= near).sum(2)  # k with itself, unless values tie
    near_other = (distances.other <= near).sum(2)
    log_ratio += np.log(other / (own - 1))
    lean = log_ratio
    if tied.any():
        within = np.maximum(to_own, to_other)[:, :, None]
        counts_own, counts_other = ((side <= within).sum(2) for side in distances)
        counted = special.digamma(counts_own) - special.digamma(counts_other)
        log_ratio = np.where(tied, counted + np.log(other / (own - 1)), log_ratio)
        # counts are often equal: then neither side is the denser, though one lacks the point itself
        lean = np.where(tied, counted, lean)
    fair = near_other * (own * (1 - weight)) / (other * weight)
    mixture = special.digamma(near_own) - special.digamma(near_own + fair)
    mixture += special.digamma(own + other) - special.digamma(own) + np.log(own / (own + other) / weight)
    return Evidence(log_ratio, lean, mixture, tied)


def _population(k: int) -> str:
    return (
        f"in population a lower bound, by data processing; here an estimate by {k} nearest neighbors, not a "
        "certificate, and noisy for a single record"
    )


def _trouble(features: int, tied: int) -> tuple[str, ...]:
    notes: list[str] = []
    if features > MOST_FEATURES:
        notes.append(
            f"{features} features: nearest neighbors are unreliable beyond {MOST_FEATURES} with tens of "
            "models; give fewer features"
        )
    if tied:
        notes.append(f"{tied} records have models with equal values; there, neighbors were counted")
    return tuple(notes)
