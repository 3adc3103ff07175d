"""Training on a GPU: perceptrons stacked and one after the other, convnets one after the other."""

from dataclasses import dataclass, replace

import torch

from benchmarks.measure import Comparison, Contender, interleave
from benchmarks.problem import Problem, synthetic_bits, synthetic_images
from benchmarks.race import PRECISIONS
from benchmarks.row import Row, milliseconds
from benchmarks.setting import Setting
from vestige.core.errors import InputError
from vestige.population.plan import Plan, Task
from vestige.training.engine import Material
from vestige.training.engines import ENGINES


@dataclass(frozen=True)
class Size:
    """stacked: models trained at once; alone: models trained one after the other."""

    rows: int
    images: int
    stacked: int
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
    fields = {"models": max(2, size.stacked), "epochs": size.epochs, "checkpoints": 1}
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
        for engine, models in (("sequential", size.alone), ("stacked", size.stacked)):
            try:
                plan = problem.plan(precision, engine, device)
            except InputError:
                continue  # this engine does not train this model
            contenders.append(_contender(plan, f"{engine} {precision}", models))
    comparison = interleave(contenders, setting.rounds)
    return [_row(name, comparison, contender) for contender in contenders]


def _contender(plan: Plan, name: str, models: int) -> Contender:
    material = Material.of(plan.dataset, torch.device(plan.device))
    tasks = [_first(task, models) for task in plan.tasks[: models if plan.choice.group == 1 else None]]

    def run() -> float:
        for task in tasks:
            ENGINES[plan.choice.engine](plan.recipe, material, task.job, plan.observation, _ignore)
        return 0.0

    return Contender(name, run, models * plan.recipe.epochs)


def _first(task: Task, models: int) -> Task:
    job = task.job
    return replace(task, job=replace(job, models=job.models[:models], members=job.members[:models]))


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
