"""Work measured in a process of its own, for memory is that of all that a process has done."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.row import quantity

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Use:
    """Resident memory in bytes before the work and at its peak, and seconds of a processor."""

    before: int
    peak: int
    cpu: float

    @property
    def memory(self) -> str:
        """For a table."""
        before, peak = (quantity(size * 1e-9, "GB") for size in (self.before, self.peak))
        return f"{before} before, {peak} at the peak"


def apart(module: str, *arguments: object) -> Use:
    """What `python -m module arguments` prints of its work, by `tell`, on one thread."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return Use(**json.loads(done.stdout))


def tell(work: Callable[[], object]) -> None:
    """Do the work and print what it used."""
    before, start = peak_bytes(), time.process_time()
    work()
    print(json.dumps({"before": before, "peak": peak_bytes(), "cpu": time.process_time() - start}))


def peak_bytes() -> int:
    """The largest resident memory of this process so far.

    On Linux from /proc, because getrusage there starts from what the parent used when it started this.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS
