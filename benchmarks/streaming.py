"""In a process of its own: score stored signals row by row, and print the peak memory and the CPU time.

`python -m benchmarks.streaming FOLDER MODELS ATTACK` prints {"before": bytes, "peak": bytes, "cpu": seconds}.
"""

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

from vestige.attacks.catalog import by_name
from vestige.attacks.pool import Pool
from vestige.attacks.score import stream
from vestige.data.membership import paired
from vestige.population.store import Store, StoredSignals


def main(folder: str, models: str, attack: str) -> None:
    signals = StoredSignals(Store(Path(folder)), ("scaled_logit",), int(models))
    pool = Pool(signals, paired(int(models), signals.shape[2], 0))
    before, start = peak_bytes(), time.process_time()
    for _, _, row in stream(pool, by_name(attack)):
        assert np.isfinite(row[0])
    cpu = time.process_time() - start
    print(json.dumps({"before": before, "peak": peak_bytes(), "cpu": cpu}))


def peak_bytes() -> int:
    """The largest resident memory of this process so far.

    On Linux from /proc, because getrusage there starts from what the parent used when it started this.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS


if __name__ == "__main__":
    main(*sys.argv[1:])
