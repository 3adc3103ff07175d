"""How far an audit has come, for whoever wants to show it."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True)
class Step:
    """One sign of life: the stage, how much of it is done, in which unit, and how long it has taken."""

    stage: str
    done: int | float
    total: int
    unit: str
    seconds: int | float

    @property
    def rate(self) -> float | None:
        """Units per second; None before anything was done."""
        return self.done / self.seconds if self.done > 0 and self.seconds > 0 else None

    @property
    def seconds_left(self) -> float | None:
        """An estimate from the pace so far; None before anything was done."""
        return (self.total - self.done) / self.rate if self.rate else None


Listener = Callable[[Step], None]


def silent(_: Step) -> None:
    """Show nothing."""


def counted(items: Iterable[Item], stage: str, total: int, unit: str, listener: Listener) -> Iterator[Item]:
    """The items, with a step reported after each."""
    start = time.perf_counter()
    listener(Step(stage, 0, total, unit, 0.0))
    for done, item in enumerate(items, 1):
        yield item
        listener(Step(stage, done, total, unit, time.perf_counter() - start))
