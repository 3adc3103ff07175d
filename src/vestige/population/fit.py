"""Train what a plan lacks, and open the whole."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vestige.core.errors import InputError
from vestige.population import executors
from vestige.population.plan import Plan, Task
from vestige.population.store import Store, StoredSignals
from vestige.population.worker import Assignment
from vestige.training import private, teaching


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
    """A trained population, and what this call had to do for it.

    seconds: of the whole call, which may have trained other plans too.
    """

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

    jobs: processes of one thread each; None takes one per core, and this process where a GPU trains. Any
      number gives the same bits.
    """
    return fit_all([plan], [run_folder], jobs, report)[0]


def fit_all(
    plans: Sequence[Plan],
    run_folders: Sequence[Path],
    jobs: int | None = None,
    report: Callable[[Progress], None] | None = None,
) -> list[Fitted]:
    """Each plan's population, in its own run folder, trained where models are missing.

    The tasks of all plans share one pool of processes, so that no core waits for the end of a plan. Company
    changes no bit of a population. Progress counts the models of all plans.

    jobs: processes of one thread each; None takes one per core, and this process where a GPU trains.
    Raises InputError when two plans would write to the same place, and for members too few for a recipe.
    """
    stores = [Store.of(plan, folder) for plan, folder in zip(plans, run_folders, strict=True)]
    _refuse_shared(stores)
    lacking = [missing(plan, store) for plan, store in zip(plans, stores, strict=True)]
    for plan, (tasks, _) in zip(plans, lacking, strict=True):
        _refuse_untrainable(plan, tasks)
    todo = [sum(len(task.job.models) for task in tasks) for tasks, _ in lacking]
    start = time.perf_counter()
    works = {
        place: executors.Work(Assignment.of(plans[place], stores[place]), tasks)
        for place, (tasks, _) in enumerate(lacking)
        if tasks
    }
    _train(plans, works, jobs, _reporter(plans, sum(todo), start, report))
    seconds = time.perf_counter() - start
    return [
        _opened(plan, store, count, damaged, seconds)
        for plan, store, count, (_, damaged) in zip(plans, stores, todo, lacking, strict=True)
    ]


def _opened(plan: Plan, store: Store, trained: int, damaged: tuple[int, ...], seconds: float) -> Fitted:
    num_models = plan.membership.num_models
    signals = StoredSignals(store, plan.observation.signals, num_models)
    return Fitted(signals, store, trained, num_models - trained, damaged, seconds)


def _refuse_shared(stores: list[Store]) -> None:
    folders = [store.folder for store in stores]
    for folder in folders:
        if folders.count(folder) > 1:
            raise InputError(f"run_folders: two plans would write to {folder}; give each a folder of its own")


def _refuse_untrainable(plan: Plan, tasks: list[Task]) -> None:
    """What the recipe cannot do with some model's members is said before the first model trains."""
    for task in tasks:
        teaching.require(plan.recipe, task.job)
        private.require(plan.recipe, task.job)


def _train(plans: Sequence[Plan], works: executors.Works, jobs: int | None, report: executors.Report) -> None:
    for work in works.values():
        Store(work.assignment.folder).clear()
    pooled = {place: work for place, work in works.items() if executors.may_leave(plans[place], jobs)}
    workers = min(jobs or executors.default_jobs(), sum(len(work.tasks) for work in pooled.values()))
    if workers < 2:
        pooled = {}
    if pooled:
        executors.processes(pooled, report, workers)
    executors.serial({place: work for place, work in works.items() if place not in pooled}, report)


def _reporter(
    plans: Sequence[Plan], todo: int, start: float, report: Callable[[Progress], None] | None
) -> executors.Report:
    done: Counter[int] = Counter()
    cost = [teaching.epochs_per_model(plan.recipe) for plan in plans]

    def forward(model_epochs: Counter[int]) -> None:
        nonlocal done
        done |= model_epochs  # the larger count of each plan: a report may concern some plans only
        if report is not None:
            models = sum((count / cost[place] for place, count in done.items()), 0.0)
            report(Progress(models, todo, time.perf_counter() - start))

    return forward
