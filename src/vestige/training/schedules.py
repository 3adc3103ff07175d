"""Learning-rate schedules: the factor of an epoch."""

import math
from dataclasses import dataclass

from vestige.core import check
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


@dataclass(frozen=True)
class Steps:
    """1 at first, times `factor` from each milestone on; milestones are shares of all epochs.

    By default a tenth from 20 and again from 30 of 35 epochs, as in the code of Kaya and Dumitras 2021.
    """

    milestones: tuple[float, ...] = (20 / 35, 30 / 35)
    factor: float = 0.1

    def __post_init__(self) -> None:
        for milestone in self.milestones:
            check.within("schedule milestone", milestone, 0.0, 1.0)
        check.positive("schedule factor", self.factor)

    def __call__(self, epoch: int, epochs: int) -> float:
        """The factor of epoch 0 .. epochs - 1."""
        passed = (epoch >= math.floor(milestone * epochs + 1e-9) for milestone in self.milestones)
        return self.factor ** sum(passed)


Schedule = Constant | Cosine | Steps
_NAMED: dict[str, Schedule] = {"constant": Constant(), "cosine": Cosine(), "steps": Steps()}


def by_name(name: str) -> Schedule:
    """The schedule of that name."""
    if name not in _NAMED:
        raise unknown_name("schedule", name, _NAMED)
    return _NAMED[name]
