"""Whether hard samples are the exposed ones: hardness on one half of the models, exposure on the other.

The halves share no model: memorization and the consistency score are made of the very predictions that an
attack scores, and what the same models do by chance would count on both sides.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64
from scipy.stats import rankdata

from vestige.attacks.part_pool import part_of
from vestige.attacks.pool import Pool
from vestige.attacks.protocol import Attack
from vestige.attacks.requirements import lacking
from vestige.attacks.score import stream
from vestige.motion.hardness import BY_NAME, Hardness, hardness
from vestige.motion.interval import spread_interval
from vestige.risk.decisions import Decisions
from vestige.risk.dynamics import Association, Bin
from vestige.risk.operating_point import OperatingPoint
from vestige.risk.plane import Plane
from vestige.risk.region import Regions
from vestige.risk.resample import resampling
from vestige.signals.source import Part

LEAST_MODELS = 8  # two halves of two pairs: each target then has a reference on either side
LEAST_ENTRIES = 10  # finally vulnerable records that carry a correlation with the epoch of entry
REPLICATES = 100
BINS = 10

Depths = Callable[[tuple[int, ...]], Float64[np.ndarray, "models samples"] | None]


@dataclass(frozen=True, eq=False)
class Halves:
    """The models that measure hardness and those that measure exposure."""

    hardness: tuple[int, ...]
    exposure: tuple[int, ...]


def halves(clusters: Int64[np.ndarray, "models"]) -> Halves | None:
    """Two halves of the models, dependent ones together; None if there are too few."""
    names = np.unique(clusters)
    first = set(names[: len(names) // 2].tolist())
    sides = ([], [])
    for model, cluster in enumerate(clusters.tolist()):
        sides[cluster not in first].append(model)
    if len(clusters) < LEAST_MODELS or len(names) < 4:
        return None
    return Halves(tuple(sides[0]), tuple(sides[1]))


@dataclass(frozen=True, eq=False)
class Learnability:
    """Associations of hardness with exposure, and the hardness of each sample.

    hardness: by measure, [samples], on the models of the first half; higher = harder.
    """

    associations: tuple[Association, ...]
    hardness: dict[str, Float64[np.ndarray, "samples"]]
    note: str = ""


def learnability(
    pool: Pool,
    attack: Attack,
    epochs: Float64[np.ndarray, "checkpoints"],
    point: OperatingPoint,
    regions: Regions,
    *,
    depths: Depths | None = None,
    seed: int = 0,
    replicates: int = REPLICATES,
) -> Learnability:
    """How hardness on half of the models goes with exposure on the other half.

    depths: gives the prediction depths of some models, [models samples], or None. Where half of the models
    are too few for the attack, nothing is compared and the note says why.
    """
    clusters = pool.membership.clusters()
    split = halves(clusters)
    if split is None or "correct" not in pool.signals.names:
        why = f"it takes {LEAST_MODELS} models" if split is None else "correctness is not on record"
        return _nothing(why)
    part, mixed = _exposing(pool, split.exposure)
    own = attack.resolved(part)
    if (lack := lacking(own, part, range(part.num_models))) is not None:
        return _nothing(f"half of the models are too few ({lack})")
    hard = hardness(
        Part(pool.signals, split.hardness),
        pool.membership.mask[list(split.hardness)],
        epochs,
        depths(split.hardness) if depths else None,
    )
    decisions = _decisions(part, mixed, own, pool.membership.mask[list(split.exposure)], epochs, point)
    weights = _weights(clusters, split, seed, replicates)
    outcomes = _outcomes(decisions, decisions.plane(regions), weights[1])
    number = len(np.unique(clusters[list(split.exposure)]))
    associations = [
        _associate(hard, name, outcome, weights[0], number) for outcome in outcomes for name in hard.names
    ]
    how = "" if own == attack else f" by {own.describe()}"
    note = (
        f"Hardness is measured on {len(split.hardness)} models and exposure on the {len(split.exposure)} "
        f"others, attacked{how} with references of their own half only."
    )
    once = np.ones((1, len(split.hardness)))
    return Learnability(tuple(associations), {name: hard.of(name, once)[0] for name in hard.names}, note)


@dataclass(frozen=True, eq=False)
class _Outcome:
    """What hardness is compared with, for the samples in `among`; once per replicate."""

    name: str
    title: str
    definition: str
    values: Float64[np.ndarray, "replicates samples"]
    among: np.ndarray


def _nothing(why: str) -> Learnability:
    return Learnability((), {}, f"Hardness and exposure were not compared: {why}.")


def _exposing(pool: Pool, models: tuple[int, ...]) -> tuple[Pool, Int64[np.ndarray, "mixed"]]:
    """A half of the models without the other, and the samples that some of them trained on and some not."""
    mask = pool.membership.mask[list(models)]
    mixed = np.flatnonzero(mask.any(0) & ~mask.all(0))
    return part_of(pool, models, mixed), mixed


def _decisions(
    part: Pool,
    mixed: Int64[np.ndarray, "mixed"],
    attack: Attack,
    mask: Bool[np.ndarray, "models samples"],
    epochs: np.ndarray,
    point: OperatingPoint,
) -> Decisions:
    """The decisions of a half of the models; the samples outside `mixed` are not scored."""
    decisions = Decisions(mask, epochs, point)
    scores = np.full(mask.shape[1], np.nan)
    for target, checkpoint, row in stream(part, attack):
        scores[mixed] = row
        decisions.add(target, checkpoint, scores)
    return decisions


def _weights(
    clusters: Int64[np.ndarray, "models"], split: Halves, seed: int, replicates: int
) -> tuple[np.ndarray, np.ndarray]:
    """Bootstrap weights of either half, drawn apart; row 0 counts every model once."""

    def drawn(models: tuple[int, ...], which: int) -> np.ndarray:
        weights = resampling(clusters[list(models)], seed + which, replicates).weights
        return np.vstack([np.ones((1, len(models))), weights])

    return drawn(split.hardness, 0), drawn(split.exposure, 1)


def _outcomes(decisions: Decisions, plane: Plane, weights: np.ndarray) -> list[_Outcome]:
    last = decisions.sides(len(decisions.epochs) - 1, weights)
    advantage = last.tpr - last.fpr
    everyone = np.ones(advantage.shape[1], bool)
    found = [
        _Outcome(
            "final_advantage", "final advantage", "TPR - FPR at the last checkpoint", advantage, everyone
        )
    ]
    stays = plane.first_exposed >= 0
    if stays.sum() >= LEAST_ENTRIES:
        entry = plane.epochs[plane.first_exposed]
        rows = np.broadcast_to(entry, advantage.shape)
        definition = "among the finally vulnerable, the epoch from which they stayed so"
        found.append(_Outcome("entry_epoch", "epoch of entry", definition, rows, stays))
    return found


def _associate(
    hard: Hardness, name: str, outcome: _Outcome, weights: np.ndarray, clusters: int
) -> Association:
    measure = BY_NAME[name]
    hardness_rows = hard.of(name, weights)
    rows = np.array(
        [_spearman(h, o, outcome.among) for h, o in zip(hardness_rows, outcome.values, strict=True)]
    )
    return Association(
        measure=name,
        measure_title=measure.title,
        outcome=outcome.name,
        outcome_title=outcome.title,
        definition=f"{measure.definition}; against {outcome.definition}",
        rank_correlation=spread_interval(
            rows, clusters, least=-1.0, most=1.0, note="One of the two is the same for all records."
        ),
        bins=_bins(hardness_rows[0], outcome.values[0], outcome.among),
    )


def _spearman(hard: np.ndarray, outcome: np.ndarray, among: np.ndarray) -> float:
    """Spearman's correlation over the samples where both are known; NaN where one is constant."""
    known = among & ~np.isnan(hard) & ~np.isnan(outcome)
    if known.sum() < 3:
        return np.nan
    left, right = rankdata(hard[known].round(9)), rankdata(outcome[known].round(9))
    left, right = left - left.mean(), right - right.mean()
    spread = np.sqrt((left**2).sum() * (right**2).sum())
    return float((left * right).sum() / spread) if spread > 0 else np.nan


def _bins(hard: np.ndarray, outcome: np.ndarray, among: np.ndarray) -> tuple[Bin, ...]:
    """Tenths of the samples by hardness; equal hardness stays together, so there may be fewer."""
    known = np.flatnonzero(among & ~np.isnan(hard) & ~np.isnan(outcome))
    edges = np.unique(np.quantile(hard[known], np.linspace(0, 1, BINS + 1)[1:-1]))
    place = np.searchsorted(edges, hard[known], side="left")
    return tuple(
        Bin(
            hardness=float(hard[known][place == b].mean()),
            outcome=float(outcome[known][place == b].mean()),
            samples=int((place == b).sum()),
        )
        for b in np.unique(place)
    )
