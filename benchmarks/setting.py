"""What every benchmark is told: how much to run, where the data are, and who trains."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from benchmarks.crew import Crew
from benchmarks.gemm import Limits
from benchmarks.measure import CORES

Size = TypeVar("Size")
SCALES = ("full", "quick", "toy")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """rounds: how often each alternative runs; scale: one of SCALES (toy is for tests of the code path)."""

    rounds: int = 5
    scale: str = "full"
    data_dir: Path | None = None
    jobs: int = CORES

    def size(self, sizes: dict[str, Size]) -> Size:
        return sizes[self.scale]

    @cached_property
    def limits(self) -> Limits:
        """The machine's matrix-multiply rates, measured once."""
        if self.scale == "toy":
            return Limits.measured(self.rounds, (1, 8, 8, 8), (2, 8, 8, 8), operations=1.0)
        return Limits.measured(self.rounds)

    @cached_property
    def crew(self) -> Crew:
        """Training processes, started once."""
        return Crew(self.jobs)

    def close(self) -> None:
        if "crew" in self.__dict__:
            self.crew.close()
