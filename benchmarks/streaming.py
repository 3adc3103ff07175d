"""In a process of its own: score stored signals row by row, and tell the peak memory and the CPU time.

`python -m benchmarks.streaming FOLDER MODELS ATTACK`.
"""

import sys
from pathlib import Path

import numpy as np

from benchmarks.apart import tell
from vestige.attacks.catalog import by_name
from vestige.attacks.pool import Pool
from vestige.attacks.score import stream
from vestige.data.membership import paired
from vestige.population.store import Store, StoredSignals


def main(folder: str, models: str, attack: str) -> None:
    signals = StoredSignals(Store(Path(folder)), ("scaled_logit",), int(models))
    pool = Pool(signals, paired(int(models), signals.shape[2], 0))

    def work() -> None:
        for _, _, row in stream(pool, by_name(attack)):
            assert np.isfinite(row[0])

    tell(work)


if __name__ == "__main__":
    main(*sys.argv[1:])
