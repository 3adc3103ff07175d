"""What each defense costs: against no defense, and the stacked engine against the sequential one."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from benchmarks.measure import Comparison, Contender, interleave
from benchmarks.problem import SEED, Problem, synthetic_bits
from benchmarks.row import Goal, Row, milliseconds
from benchmarks.setting import Setting
from vestige.data.dataset import Dataset
from vestige.defenses.writing import from_text
from vestige.signals.measure import Observation
from vestige.training import engines
from vestige.training.arithmetic import configure, restored
from vestige.training.engine import Job, Material
from vestige.training.recipe import Recipe
from vestige.training.teaching import teach

NONE = "none"
# Those that change neither the architecture nor the sampling must keep the stacked engine's lead.
JUDGED = (
    NONE, "label_smoothing:0.1", "confidence_penalty:0.1", "relax_loss:1", "disturb_label:0.3", "mixup:1",
    "weight_decay:0.001", "early_stopping:1", "gaussian_noise:0.1", "random_crop:2", "cutout:8",
)  # fmt: skip
OTHERS = ("dropout:0.3", "distillation:2", "selena:5/left_out=2", "dp_sgd:noise=1/delta=1e-5")
LEAD = Goal(3)
ENGINES = ("stacked", "sequential")


@dataclass(frozen=True)
class Size:
    """rows: samples; features: a square number, so that rows are images for those that need them."""

    rows: int
    features: int
    classes: int
    model: str
    batch_size: int
    stacked: int
    sequential: int
    goal: Goal | None = None


# the second is bound by its multiplications, which both engines do, so no lead is asked of it
SIZES = {
    "full": (
        Size(1800, 64, 10, "mlp-128-128", 32, 16, 4, LEAD),
        Size(5010, 441, 30, "mlp-128", 128, 8, 4),
    ),
    "quick": (Size(1800, 64, 10, "mlp-128-128", 32, 16, 2, LEAD),),
    "toy": (Size(60, 16, 3, "mlp-4", 8, 2, 1),),
}


def rows(setting: Setting) -> list[Row]:
    return [row for size in setting.size(SIZES) for row in _race(size, setting)]


def _race(size: Size, setting: Setting) -> list[Row]:
    flat = synthetic_bits(size.rows, size.features, size.classes)
    side = int(size.features**0.5)
    images = Dataset(flat.inputs.reshape(-1, 1, side, side), flat.targets, size.classes, "images")
    contenders = [
        _contender(text, engine, size, images) for text in (*JUDGED, *OTHERS) for engine in _engines(text)
    ]
    with restored():
        configure(threads=1)
        comparison = interleave(contenders, setting.rounds, warm_up=setting.scale != "toy")
    name = f"{size.model} on {size.features} features, batch {size.batch_size}"
    return [row for text in (*JUDGED, *OTHERS) for row in _rows(comparison, name, text, size.goal)]


def _contender(text: str, engine: str, size: Size, images: Dataset) -> Contender:
    problem = Problem(dataset=images, model=size.model, epochs=2, checkpoints=1, batch_size=size.batch_size)
    recipe = from_text(text)(problem.recipe())
    models = size.stacked if engine == "stacked" else size.sequential
    material, job = Material.of(images, torch.device("cpu")), _job(models, images.num_samples)

    def run() -> float:
        _train(recipe, material, job, engine)
        return 0.0

    return Contender(f"{text} {engine}", run, models * recipe.epochs)


def _job(models: int, samples: int) -> Job:
    generator = np.random.default_rng(SEED)
    halves = tuple(np.sort(generator.permutation(samples)[: samples // 2]) for _ in range(models))
    return Job(tuple(range(models)), halves, SEED)


def _train(recipe: Recipe, material: Material, job: Job, engine: str) -> None:
    taught = replace(job, soft=teach(recipe, material, job, engine))
    observation = Observation(checkpoints=(recipe.epochs,))
    engines.named(engine)(recipe, material, taught, observation, lambda _: None)


def _engines(text: str) -> tuple[str, ...]:
    """DP-SGD has one engine of its own."""
    return (engines.PRIVATE,) if text.startswith("dp_sgd") else ENGINES


def _rows(comparison: Comparison, name: str, text: str, goal: Goal | None) -> list[Row]:
    found = [
        _row(
            comparison, name, f"{text} {engine}", f"{NONE} {engine if engine in ENGINES else 'stacked'}", None
        )
        for engine in _engines(text)
        if text != NONE
    ]
    if _engines(text) == ENGINES:
        lead = goal if text in JUDGED else None
        found.append(_row(comparison, name, f"{text} sequential", f"{text} stacked", lead))
    return found


def _row(comparison: Comparison, name: str, slow: str, fast: str, goal: Goal | None) -> Row:
    return Row(
        figure=f"defenses, {name}, ms per model-epoch",
        ours=f"{slow}: {milliseconds(comparison.wall(slow), comparison.cpu(slow))}",
        against=fast,
        theirs=milliseconds(comparison.wall(fast), comparison.cpu(fast)),
        value=comparison.ratio(slow, fast),
        unit="x",
        goal=goal,
        quiet=comparison.quiet(slow, fast),
    )
