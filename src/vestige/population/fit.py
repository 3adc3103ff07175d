"""Train what a plan lacks, and open the whole."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vestige.population import executors
from vestige.population.plan import Plan, Task
from vestige.population.store import Store, StoredSignals
from vestige.population.worker import Assignment


@dataclass(frozen=True)
class Progress:
    """How far training has come: in models, whole or in part."""

    models_done: float
    models_total: int
    seconds: float

    @property
    def seconds_left(self) -> float | None:
        """An estimate from the pace so far; None before anything was trained."""
        if self.models_done <= 0:
            return None
        return self.seconds * (self.models_total - self.models_done) / self.models_done


@dataclass(frozen=True, eq=False)
class Fitted:
    """A trained population, and what this call had to do for it."""

    signals: StoredSignals
    store: Store
    trained: int
    reused: int
    damaged: tuple[int, ...]
    seconds: float


def missing(plan: Plan, store: Store) -> tuple[list[Task], tuple[int, ...]]:
    """The tasks with a model that is not whole on disk, and the models found damaged."""
    states = {task.key: [store.state(task, model) for model in task.job.models] for task in plan.tasks}
    tasks = [task for task in plan.tasks if set(states[task.key]) != {"whole"}]
    damaged = [
        model
        for task in tasks
        for model, state in zip(task.job.models, states[task.key], strict=True)
        if state == "damaged"
    ]
    return tasks, tuple(damaged)


def fit(
    plan: Plan, run_folder: Path, jobs: int | None = None, report: Callable[[Progress], None] | None = None
) -> Fitted:
    """Train the models that are not on disk yet and open the population's signals.

    jobs: processes of one thread each; None takes one per core. Any number gives the same bits.
    """
    store = Store.of(plan, run_folder)
    tasks, damaged = missing(plan, store)
    todo = sum(len(task.job.models) for task in tasks)
    start = time.perf_counter()
    if tasks:
        _train(plan, store, tasks, jobs, _reporter(plan, todo, start, report))
    signals = StoredSignals(store, plan.observation.signals, plan.membership.num_models)
    seconds = time.perf_counter() - start
    return Fitted(signals, store, todo, plan.membership.num_models - todo, damaged, seconds)


def _train(plan: Plan, store: Store, tasks: list[Task], jobs: int | None, report: executors.Report) -> None:
    assignment = Assignment(
        plan.dataset, plan.recipe, plan.observation, plan.choice.engine, plan.device, store.folder
    )
    workers = min(jobs or executors.default_jobs(), len(tasks))
    only_here = plan.recipe.model.name.startswith("__main__:")  # no other process finds a script's function
    if workers == 1 or plan.device != "cpu" or only_here:
        executors.serial(assignment, tasks, report)
    else:
        executors.processes(assignment, tasks, report, workers)


def _reporter(
    plan: Plan, todo: int, start: float, report: Callable[[Progress], None] | None
) -> executors.Report:
    def forward(model_epochs: int) -> None:
        if report is not None:
            report(Progress(model_epochs / plan.recipe.epochs, todo, time.perf_counter() - start))

    return forward
