"""Peak memory of scoring that streams signals from disk, and its CPU time at a million samples."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.apart import Use, apart
from benchmarks.measure import Contender, Spread, interleave
from benchmarks.row import Goal, Row, quantity
from benchmarks.setting import Setting
from vestige.core import seeds

ATTACK = "lira-online-fixed"
MODELS = 256
PEAK = Goal(5.0, 2.0, smaller_is_better=True)  # GB
CPU = Goal(10.0, 5.0, smaller_is_better=True)  # seconds


@dataclass(frozen=True)
class Shape:
    models: int
    checkpoints: int
    samples: int
    judged: bool = True

    def __str__(self) -> str:
        return f"{self.models} models x {self.checkpoints} checkpoints x {self.samples:,} samples"

    @property
    def gigabytes(self) -> float:
        """Of the signals on disk."""
        return self.models * self.checkpoints * self.samples * 4e-9


SIZES = {
    "full": (Shape(MODELS, 10, 50_000), Shape(MODELS, 1, 1_000_000)),
    "quick": (Shape(MODELS, 10, 5_000), Shape(MODELS, 1, 100_000, judged=False)),
    "toy": (Shape(6, 2, 100), Shape(6, 1, 200, judged=False)),
}


def rows(setting: Setting) -> list[Row]:
    checkpoints, samples = setting.size(SIZES)
    return [*_measured(checkpoints, judge_cpu=False), *_measured(samples, judge_cpu=samples.judged)]


def _measured(shape: Shape, judge_cpu: bool) -> list[Row]:
    found: list[Use] = []
    with tempfile.TemporaryDirectory(prefix="vestige-benchmark-") as folder:
        _write(Path(folder), shape)

        def run() -> float:
            found.append(apart("benchmarks.streaming", folder, shape.models, ATTACK))
            return 0.0

        comparison = interleave([Contender("stream", run)], rounds=1, warm_up=False)
    (used,) = found
    return [
        Row(
            figure=f"peak memory of streamed {ATTACK}, {shape}",
            ours=used.memory,
            against="signals on disk",
            theirs=quantity(shape.gigabytes, "GB"),
            value=Spread.of([used.peak * 1e-9]),
            unit="GB",
            goal=PEAK if shape.judged else None,
        ),
        Row(
            figure=f"CPU of streamed {ATTACK}, every model a target, {shape}",
            value=Spread.of([used.cpu]),
            unit="s",
            goal=CPU if judge_cpu else None,
            quiet=comparison.quiet("stream"),
        ),
    ]


def _write(folder: Path, shape: Shape) -> None:
    """Signals in the layout of a run folder, one file per model."""
    target = folder / "scaled_logit"
    target.mkdir()
    for model in range(shape.models):
        values = seeds.generator(0, model).standard_normal((shape.checkpoints, shape.samples, 1), np.float32)
        np.save(target / f"model-{model:05d}.npy", values)
