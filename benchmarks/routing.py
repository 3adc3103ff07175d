"""What routing a loss to the back of a network costs, against the same loss everywhere."""

from dataclasses import dataclass

import numpy as np
import torch

from benchmarks.measure import Contender, interleave
from benchmarks.problem import SEED, Problem, synthetic_bits, synthetic_images
from benchmarks.row import Goal, Row, milliseconds
from benchmarks.setting import Setting
from vestige.defenses.writing import from_text
from vestige.signals.measure import Observation
from vestige.training import engines
from vestige.training.arithmetic import configure, restored
from vestige.training.engine import Job, Material

PLAIN = "label_smoothing:0.3"
ROUTED = f"pptp:{PLAIN}/protect=back"
LIMIT = Goal(1.3, smaller_is_better=True)


@dataclass(frozen=True)
class Case:
    """An engine, a model and how many of it train at once. images: synthetic ones, or else binary rows."""

    engine: str
    model: str
    images: bool
    samples: int
    batch_size: int
    models: int
    epochs: int


CASES = {
    "full": (
        Case("stacked", "mlp-128-128-128", False, 5010, 32, 8, 2),
        Case("sequential", "convnet", True, 2560, 128, 1, 1),
    ),
    "quick": (
        Case("stacked", "mlp-128-128-128", False, 1800, 32, 8, 2),
        Case("sequential", "convnet", True, 640, 128, 1, 1),
    ),
    "toy": (
        Case("stacked", "mlp-4-4-4", False, 60, 8, 2, 1),
        Case("sequential", "convnet", True, 20, 8, 1, 1),
    ),
}


def rows(setting: Setting) -> list[Row]:
    return [_row(case, setting) for case in setting.size(CASES)]


def _row(case: Case, setting: Setting) -> Row:
    with restored():
        configure(threads=1)
        contenders = [_contender(case, text) for text in (ROUTED, PLAIN)]
        found = interleave(contenders, setting.rounds, warm_up=setting.scale != "toy")
    return Row(
        figure=f"routing, {case.model} {case.engine}, ms per model-epoch",
        ours=f"{ROUTED}: {milliseconds(found.wall(ROUTED), found.cpu(ROUTED))}",
        against=PLAIN,
        theirs=milliseconds(found.wall(PLAIN), found.cpu(PLAIN)),
        value=found.ratio(ROUTED, PLAIN),
        unit="x",
        goal=LIMIT,
        quiet=found.quiet(ROUTED, PLAIN),
    )


def _contender(case: Case, text: str) -> Contender:
    make = synthetic_images if case.images else synthetic_bits
    problem = Problem(
        dataset=make(case.samples),
        model=case.model,
        epochs=case.epochs,
        checkpoints=1,
        batch_size=case.batch_size,
    )
    recipe = from_text(text)(problem.recipe())
    material = Material.of(problem.dataset, torch.device("cpu"))
    generator = np.random.default_rng(SEED)
    halves = [np.sort(generator.permutation(case.samples)[: case.samples // 2]) for _ in range(case.models)]
    job = Job(tuple(range(case.models)), tuple(halves), SEED)
    # signals cost both the same and would hide the ratio
    never = Observation(checkpoints=(recipe.epochs + 1,))

    def run() -> float:
        engines.named(case.engine)(recipe, material, job, never, lambda _: None)
        return 0.0

    return Contender(text, run, case.models * case.epochs)
