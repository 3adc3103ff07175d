"""Timing of alternatives in turn (A B A B), ratios by pair, and whether others disturbed the clock."""

import os
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
QUIET = 0.1  # of all cores; above this share used by others, wall times are not judged

Run = Callable[[], float]  # returns the CPU seconds of processes that outlive the run; 0.0 for none


@dataclass(frozen=True)
class Contender:
    """One of the alternatives: what it runs, and how many units of work (model-epochs, targets) that is."""

    name: str
    run: Run
    units: float = 1.0


@dataclass(frozen=True)
class Timing:
    """One run: seconds per unit by the wall clock and in CPU time, and the cores that others used."""

    wall: float
    cpu: float
    others: float


@dataclass(frozen=True)
class Spread:
    """The median of some rounds, and their range."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        return cls(median(values), min(values), max(values))

    def times(self, factor: float) -> "Spread":
        return Spread(self.median * factor, self.low * factor, self.high * factor)


@dataclass(frozen=True)
class Comparison:
    """Timings of every contender, one per round, taken in turn."""

    timings: dict[str, list[Timing]]

    def wall(self, name: str) -> Spread:
        return Spread.of([timing.wall for timing in self.timings[name]])

    def cpu(self, name: str) -> Spread:
        return Spread.of([timing.cpu for timing in self.timings[name]])

    def ratio(self, slow: str, fast: str, clock: str = "wall") -> Spread:
        """How many times faster `fast` was than `slow`, from the pairs of the same round."""
        pairs = zip(self.timings[slow], self.timings[fast], strict=True)
        return Spread.of([getattr(a, clock) / getattr(b, clock) for a, b in pairs])

    def quiet(self, *names: str) -> bool:
        """Whether the cores were ours while these ran, and the load did not exceed the cores before."""
        others = [timing.others for name in names for timing in self.timings[name]]
        return not (overloaded() or median(others) > QUIET * CORES)


def interleave(contenders: Sequence[Contender], rounds: int, warm_up: bool = True) -> Comparison:
    """Run every contender once per round, in turn; a first round that is not counted warms caches up."""
    if warm_up:
        for contender in contenders:
            contender.run()
    timings: dict[str, list[Timing]] = {contender.name: [] for contender in contenders}
    for _ in range(rounds):
        for contender in contenders:
            timings[contender.name].append(clocked(contender))
    return Comparison(timings)


def clocked(contender: Contender) -> Timing:
    """The timing of one run."""
    wall, cpu, busy = time.perf_counter(), own_cpu_seconds(), machine_cpu_seconds()
    outside = contender.run()
    wall = time.perf_counter() - wall
    cpu = own_cpu_seconds() - cpu + outside
    others = max(0.0, (machine_cpu_seconds() - busy - cpu) / wall)
    return Timing(wall / contender.units, cpu / contender.units, others)


def own_cpu_seconds() -> float:
    """CPU seconds of this process and of its children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def machine_cpu_seconds() -> float:
    """CPU seconds in use or stolen by the host since the start, over all cores; 0 where not on record."""
    path = Path("/proc/stat")
    if not path.exists():
        return 0.0
    user, nice, system, _, _, irq, softirq, steal = map(int, path.read_text().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


LOAD_AT_START = os.getloadavg()[0]  # before our own work adds to it


def overloaded() -> bool:
    """Whether the machine was busy with other things when this process began."""
    return LOAD_AT_START > CORES
