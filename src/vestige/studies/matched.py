"""A defense everywhere against the same defense in some regions, at equal accuracy."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from vestige.core.errors import InputError
from vestige.designs.protection import Protection
from vestige.studies.finding import Measured
from vestige.studies.regularization_claims import ACCURACY, value

Grid = Float64[np.ndarray, "settings seeds"]
Key = tuple[str, str]
TPR: Key = ("lira-online-fixed", "tpr@0.01")
# LiRA as published, LiRA of an attacker who knows the defense, and RMIA: what one misses another may see.
SEVERAL = (TPR, ("lira-adaptive", "tpr@0.01"), ("rmia-online", "tpr@0.01"))
WITHIN = 0.005  # of accuracy counts as equal


@dataclass(frozen=True, eq=False)
class Matched:
    """A setting everywhere, and the settings in regions that stood against it, one for each seed.

    ratio: of the leakage in regions to that everywhere, a value per seed.
    lost: accuracy everywhere less that in regions, likewise.
    """

    everywhere: str
    in_regions: tuple[str, ...]
    ratio: Measured
    lost: Measured


def matched(
    found: Protection, everywhere: Sequence[str], in_regions: Sequence[str], metrics: Sequence[Key] = (TPR,)
) -> tuple[Matched, ...]:
    """For each worthwhile setting everywhere, what the same defense in regions leaks in its place.

    metrics: leakage is the largest of these under a seed, of those that were measured.

    Worthwhile are settings that no other one everywhere beats in both accuracy and leakage, over all seeds.
    The setting that stands against one is chosen for each seed on all the others: the least leakage among
    those in regions with at least its accuracy less half a point, or the nearest accuracy where there is
    none. So what is compared was not chosen on what it is compared by.

    Raises InputError with fewer than two seeds.
    """
    if found.seeds < 2:
        raise InputError("seeds=1 leaves no other seed to choose on; give at least 2")
    plain, routed = _Settings.of(found, everywhere, metrics), _Settings.of(found, in_regions, metrics)
    return tuple(_against(plain, place, routed) for place in _worthwhile(plain))


@dataclass(frozen=True, eq=False)
class _Settings:
    names: tuple[str, ...]
    accuracy: Grid
    leakage: Grid

    @classmethod
    def of(cls, found: Protection, names: Sequence[str], metrics: Sequence[Key]) -> "_Settings":
        accuracy = np.stack([value(found, name, ACCURACY).values for name in names])
        return cls(tuple(names), accuracy, np.stack([_leakage(found, name, metrics) for name in names]))


def _leakage(found: Protection, name: str, metrics: Sequence[Key]) -> Float64[np.ndarray, "seeds"]:
    by_metric = [value(found, name, metric).values for metric in metrics]
    return np.stack([values for values in by_metric if len(values)]).max(0)


def _worthwhile(plain: _Settings) -> list[int]:
    accuracy, leakage = plain.accuracy.mean(1), plain.leakage.mean(1)
    return [
        place
        for place in range(len(plain.names))
        if not np.any((accuracy > accuracy[place]) & (leakage < leakage[place]))
    ]


def _against(plain: _Settings, place: int, routed: _Settings) -> Matched:
    seeds = range(plain.accuracy.shape[1])
    chosen = [_chosen(plain, place, routed, seed) for seed in seeds]
    leakage = np.array([routed.leakage[one, seed] for one, seed in zip(chosen, seeds, strict=True)])
    accuracy = np.array([routed.accuracy[one, seed] for one, seed in zip(chosen, seeds, strict=True)])
    none = np.zeros(len(chosen))  # with several seeds the interval comes from them
    return Matched(
        plain.names[place],
        tuple(routed.names[one] for one in chosen),
        Measured(leakage / plain.leakage[place], none),
        Measured(plain.accuracy[place] - accuracy, none),
    )


def _chosen(plain: _Settings, place: int, routed: _Settings, seed: int) -> int:
    """The setting in regions that the other seeds would choose."""
    accuracy = np.delete(routed.accuracy, seed, 1).mean(1)
    leakage = np.delete(routed.leakage, seed, 1).mean(1)
    lost = np.delete(plain.accuracy[place], seed).mean() - accuracy
    if not (lost <= WITHIN).any():
        return int(lost.argmin())
    return int(np.where(lost <= WITHIN, leakage, np.inf).argmin())
