"""Training on a GPU: every engine that can train the model, against one model after the other."""

from dataclasses import dataclass

import numpy as np
import torch

from benchmarks.measure import Comparison, Contender, interleave
from benchmarks.problem import Problem, synthetic_bits, synthetic_images
from benchmarks.race import PRECISIONS
from benchmarks.row import Row, milliseconds
from benchmarks.setting import Setting
from vestige.core.errors import InputError
from vestige.population.plan import Plan
from vestige.training.engine import Job, Material
from vestige.training.engines import ENGINES


@dataclass(frozen=True)
class Size:
    """together: models trained at once; alone: models trained one after the other."""

    rows: int
    images: int
    together: int
    alone: int
    epochs: int


SIZES = {
    "full": Size(5010, 10_000, 256, 2, 5),
    "quick": Size(5010, 2_560, 64, 1, 2),
    "toy": Size(90, 40, 4, 1, 1),
}


def rows(setting: Setting, device: str = "cuda") -> list[Row]:
    if device == "cuda" and not torch.cuda.is_available():
        return [Row(figure="training on CUDA", note="skipped: this machine has no CUDA device")]
    size = setting.size(SIZES)
    bits, images = synthetic_bits(size.rows), synthetic_images(size.images)
    models = max(2, size.together)
    fields = {"models": models, "epochs": size.epochs, "checkpoints": 1}
    problems = {
        "MLP 446-128-30": Problem(dataset=bits, model="mlp-128", **fields),
        "MLP 446-512-256-30": Problem(dataset=bits, model="mlp-512-256", **fields),
        "CNN 32-64-128": Problem(dataset=images, model="convnet", **fields),
    }
    return [
        row for name, problem in problems.items() for row in _compared(name, problem, size, setting, device)
    ]


def _compared(name: str, problem: Problem, size: Size, setting: Setting, device: str) -> list[Row]:
    contenders: list[Contender] = []
    for precision in PRECISIONS:
        for engine in ENGINES:
            models = size.alone if engine == "sequential" else size.together
            try:
                plan = problem.plan(precision, engine, device)
            except InputError:
                continue  # this engine does not train this model
            contenders.append(_contender(plan, f"{engine} {precision}", models))
    comparison = interleave(contenders, setting.rounds)
    return [_row(name, comparison, contender) for contender in contenders]


def _contender(plan: Plan, name: str, models: int) -> Contender:
    material = Material.of(plan.dataset, torch.device(plan.device))
    members = tuple(np.flatnonzero(row) for row in plan.membership.mask[:models])
    job = Job(tuple(range(models)), members, plan.seed)

    def run() -> float:
        ENGINES[plan.choice.engine](plan.recipe, material, job, plan.observation, _ignore)
        return 0.0

    return Contender(name, run, models * plan.recipe.epochs)


def _row(name: str, comparison: Comparison, contender: Contender) -> Row:
    against = "sequential float32"
    return Row(
        figure=f"{name} on the device, {contender.name}, ms per model-epoch",
        ours=milliseconds(comparison.wall(contender.name), comparison.cpu(contender.name)),
        against=against,
        theirs=milliseconds(comparison.wall(against), comparison.cpu(against)),
        value=comparison.ratio(against, contender.name),
        unit="x",
        quiet=comparison.quiet(contender.name, against),
    )


def _ignore(model_epochs: int) -> None:
    """Progress is not shown here."""
