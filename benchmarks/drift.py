"""How far the fast paths move the figure that matters: the AUC of LiRA, against sequential float32."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.measure import Spread
from benchmarks.problem import Problem, location30
from benchmarks.row import Goal, Row
from benchmarks.setting import Setting
from vestige.attacks.catalog import by_name
from vestige.attacks.pool import Pool
from vestige.attacks.score import score_pool
from vestige.population.store import StoredSignals

ATTACK = "lira-online-fixed"
GOAL = Goal(0.002, 0.0005, smaller_is_better=True)
REFERENCE = ("sequential", "float32")
FAST = (("stacked", "float32"), ("stacked", "bf16"), ("sequential", "bf16"))


@dataclass(frozen=True)
class Size:
    samples: int
    models: int
    epochs: int


SIZES = {"full": Size(5010, 32, 40), "quick": Size(5010, 8, 4), "toy": Size(90, 4, 1)}


def rows(setting: Setting) -> list[Row]:
    size = setting.size(SIZES)
    dataset = location30(setting.data_dir, size.samples)
    problem = Problem(dataset=dataset, model="mlp-128", models=size.models, epochs=size.epochs, checkpoints=2)
    exact = _auc(problem, setting, *REFERENCE)
    return [_row(problem, path, abs(_auc(problem, setting, *path) - exact), exact) for path in FAST]


def _row(problem: Problem, path: tuple[str, str], drift: float, exact: float) -> Row:
    engine, precision = path
    size = f"{problem.models} models, {problem.epochs} epochs, {problem.dataset.name}"
    return Row(
        figure=f"drift of the AUC, {engine} {precision}, {size}",
        against="sequential float32",
        theirs=f"AUC {exact:.4f}",
        value=Spread.of([drift]),
        unit="error",
        goal=GOAL,
    )


def _auc(problem: Problem, setting: Setting, engine: str, precision: str) -> float:
    """The AUC of the last checkpoint, averaged over all models as targets."""
    with tempfile.TemporaryDirectory(prefix="vestige-benchmark-") as folder:
        plan = problem.plan(precision, engine)
        name = f"drift {engine} {precision}"
        store = setting.crew.assign(name, plan, Path(folder))
        setting.crew.train(name, plan.tasks)
        signals = StoredSignals(store, plan.observation.signals, problem.models)
        scores = score_pool(Pool(signals, problem.membership), by_name(ATTACK))
    return float(np.mean([scores.roc(target).auc for target in range(problem.models)]))
