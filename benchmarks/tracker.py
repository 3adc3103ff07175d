"""What it costs to record one step of a run: against a bare forward pass, and against a training epoch."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from benchmarks.measure import Comparison, Contender, interleave
from benchmarks.problem import Problem, location30, synthetic_images
from benchmarks.row import Goal, Row, milliseconds
from benchmarks.setting import Setting
from vestige.data.dataset import Dataset
from vestige.tracking.tracker import Tracker

FORWARD, EPOCH, RECORD = "bare forward pass", "training epoch", "record"
GOAL = Goal(1.5, 1.2, smaller_is_better=True)  # forward passes that one record takes


@dataclass(frozen=True)
class Size:
    """rows, images: samples; repeats: passes per timing, so that short ones can be timed."""

    rows: int
    images: int
    repeats: int


SIZES = {"full": Size(20_000, 2560, 5), "quick": Size(5010, 640, 2), "toy": Size(90, 40, 1)}


def rows(setting: Setting) -> list[Row]:
    size = setting.size(SIZES)
    table, images = location30(setting.data_dir, size.rows), synthetic_images(size.images)
    return [
        *_race(f"MLP 446-128-30 on {table.num_samples:,} rows", table, "mlp-128", size, setting),
        *_race(f"CNN 32-64-128 on {images.num_samples:,} images", images, "convnet", size, setting),
    ]


def _race(name: str, dataset: Dataset, model: str, size: Size, setting: Setting) -> list[Row]:
    module = Problem(dataset=dataset, model=model, epochs=1, checkpoints=1).module()
    inputs, labels = torch.from_numpy(dataset.as_floats()), torch.from_numpy(dataset.targets)
    with tempfile.TemporaryDirectory(prefix="vestige-benchmark-") as folder:
        tracker = Tracker((inputs, labels), folder=Path(folder) / "run")

        def record() -> float:
            for _ in range(size.repeats):
                tracker.record(module, len(tracker.steps))
            return 0.0

        def forward() -> float:
            for _ in range(size.repeats):
                bare_pass(module, inputs)
            return 0.0

        def epoch() -> float:
            training_epoch(module, inputs, labels)
            return 0.0

        comparison = interleave(
            [
                Contender(FORWARD, forward, size.repeats),
                Contender(RECORD, record, size.repeats),
                Contender(EPOCH, epoch),
            ],
            setting.rounds,
        )
    return [_row(comparison, name, FORWARD, "x", GOAL), _row(comparison, name, EPOCH, "%", None)]


@torch.no_grad()
def bare_pass(module: nn.Module, inputs: Tensor, batch_size: int = 512) -> Tensor:
    """The logits of every sample, in evaluation mode, in batches as large as the tracker's."""
    module.eval()
    logits = torch.cat([module(chunk) for chunk in inputs.split(batch_size)])
    module.train()
    return logits


def training_epoch(module: nn.Module, inputs: Tensor, labels: Tensor, batch_size: int = 128) -> None:
    """One epoch of plain SGD over every sample."""
    module.train()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.01, momentum=0.9)
    for chosen in torch.randperm(len(labels)).split(batch_size):
        optimizer.zero_grad(set_to_none=True)
        cross_entropy(module(inputs[chosen]), labels[chosen]).backward()
        optimizer.step()


def _row(comparison: Comparison, name: str, against: str, unit: str, goal: Goal | None) -> Row:
    return Row(
        figure=f"tracker, {name}, one record",
        ours=milliseconds(comparison.wall(RECORD), comparison.cpu(RECORD)),
        against=against,
        theirs=milliseconds(comparison.wall(against), comparison.cpu(against)),
        value=comparison.ratio(RECORD, against),
        unit=unit,
        goal=goal,
        quiet=comparison.quiet(RECORD, against),
    )
