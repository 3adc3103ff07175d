"""`vestige.place`: the plane and its dynamics from signals that somebody else recorded."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from vestige.attacks.catalog import HEADLINE, by_name
from vestige.attacks.protocol import Attack
from vestige.attacks.score import described_pool, ready_made, stream
from vestige.core.errors import InputError
from vestige.data.membership import Membership
from vestige.motion.analysis import dynamics
from vestige.motion.learnability import learnability
from vestige.risk.decisions import Decisions
from vestige.risk.dynamics import Dynamics
from vestige.risk.operating_point import LikelihoodRatio, OperatingPoint, operating_point_from
from vestige.risk.plane import Plane
from vestige.risk.region import Regions, regions_from


@dataclass(frozen=True, eq=False)
class Placed:
    """Every sample on the plane at every checkpoint, and how they moved.

    dynamics: None with fewer than two checkpoints.
    """

    plane: Plane
    dynamics: Dynamics | None


def place(
    values: ArrayLike,
    membership: ArrayLike | Membership,
    attack: str | Attack = HEADLINE,
    *,
    epochs: ArrayLike | None = None,
    operating_point: str | OperatingPoint = "0.01",
    regions: str | Regions = "named",
    design: str | None = None,
    signals: Mapping[str, ArrayLike] | None = None,
    labels: ArrayLike | None = None,
    features: ArrayLike | None = None,
    embeddings: ArrayLike | Mapping[int, ArrayLike] | None = None,
    seed: int = 0,
) -> Placed:
    """The plane of models that somebody else trained, every model a target in turn.

    values: (models, checkpoints, samples[, augmentations]) scaled logits, or (models, samples) of one
      checkpoint. membership: (models, samples). epochs: (checkpoints,), increasing; 0, 1, ... if not given.
    operating_point: a population FPR such as "0.01", "lr>0", "best-accuracy", or an OperatingPoint.
    regions: "named", "grid:10", a TOML file, or Regions.
    signals: further signals, each of the shape of values; with "correct" hardness is measured too.
    labels, features, embeddings: as in `vestige.score`, for attacks that need them.

    Raises InputError for whatever `vestige.score` refuses, for epochs that do not fit the checkpoints, and
    for an operating point that the attack's scores do not have.
    """
    chosen = by_name(attack) if isinstance(attack, str) else attack
    point = chosen_point(operating_point, chosen)
    parts = regions_from(regions) if isinstance(regions, str) else regions
    source, coins = ready_made(values, membership, design=design, signals=signals, seed=seed)
    pool = described_pool(source, coins, labels, features, embeddings)
    times = _epochs(epochs, pool.num_checkpoints)
    decisions = Decisions(coins.mask, times, point)
    for target, checkpoint, row in stream(pool, chosen):
        decisions.add(target, checkpoint, row)
    plane = decisions.plane(parts)
    if pool.num_checkpoints < 2:
        return Placed(plane, None)
    learned = learnability(pool, chosen, times, point, parts, seed=seed)
    moved = dynamics(
        decisions,
        plane,
        coins.clusters(),
        attack=chosen.name,
        associations=learned.associations,
        notes=(learned.note,),
        seed=seed,
    )
    return Placed(plane, moved)


def chosen_point(point: str | OperatingPoint, headline: Attack) -> OperatingPoint:
    """The operating point, by name or as it is.

    Raises InputError where it is a likelihood ratio and the attack's score is none.
    """
    found = operating_point_from(point) if isinstance(point, str) else point
    if isinstance(found, LikelihoodRatio) and not headline.is_log_ratio:
        raise InputError(
            f"operating_point='lr>0' needs scores that are log likelihood ratios, and those of "
            f"{headline.name} are not; choose lira-online, student-t or a population FPR such as 0.01"
        )
    return found


def _epochs(epochs: ArrayLike | None, checkpoints: int) -> np.ndarray:
    if epochs is None:
        return np.arange(checkpoints, dtype=np.float64)
    given = np.asarray(epochs, np.float64)
    if given.shape != (checkpoints,) or not (np.diff(given) > 0).all():
        raise InputError(
            f"epochs={given.tolist()} must hold one number for each of {checkpoints} checkpoints, increasing"
        )
    return given
