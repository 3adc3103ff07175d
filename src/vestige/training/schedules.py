"""Learning-rate schedules: the factor of an epoch."""

import math
from dataclasses import dataclass

from vestige.core.errors import unknown_name


@dataclass(frozen=True)
class Constant:
    """The same learning rate throughout."""

    def __call__(self, epoch: int, epochs: int) -> float:
        """The factor of epoch 0 .. epochs - 1."""
        return 1.0


@dataclass(frozen=True)
class Cosine:
    """Half a cosine from 1 down towards 0 (Loshchilov and Hutter 2017, without restarts)."""

    def __call__(self, epoch: int, epochs: int) -> float:
        """The factor of epoch 0 .. epochs - 1."""
        return 0.5 * (1 + math.cos(math.pi * epoch / epochs))


Schedule = Constant | Cosine
_NAMED: dict[str, Schedule] = {"constant": Constant(), "cosine": Cosine()}


def by_name(name: str) -> Schedule:
    """The schedule of that name."""
    if name not in _NAMED:
        raise unknown_name("schedule", name, _NAMED)
    return _NAMED[name]
