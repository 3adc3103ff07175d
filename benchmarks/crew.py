"""The training processes of an audit, kept alive, so that their start is timed once and apart."""

import os
import time
from collections.abc import Iterable
from concurrent.futures import Future
from pathlib import Path

from loky import ProcessPoolExecutor

from vestige.population.plan import Plan, Task
from vestige.population.store import Store
from vestige.population.worker import Assignment, Worker
from vestige.training.arithmetic import configure

PAUSE = 0.05  # seconds a message occupies a process, so that the next one reaches another


class Crew:
    """Processes of one thread each, set up like those of `vestige.population.executors`."""

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self._executor = ProcessPoolExecutor(jobs, initializer=configure, initargs=(1,))
        start = time.perf_counter()
        self._tell_all(None, None)
        self.startup_seconds = time.perf_counter() - start

    def assign(self, name: str, plan: Plan, folder: Path) -> Store:
        """Give every process the data and the recipe of a plan, under a name; where models will be."""
        store = Store.of(plan, folder)
        assignment = Assignment(
            plan.dataset, plan.recipe, plan.observation, plan.choice.engine, plan.device, store.folder
        )
        self._tell_all(name, assignment)
        return store

    def train(self, name: str, tasks: Iterable[Task]) -> float:
        """Train the tasks under the assignment of that name; the CPU seconds that they took."""
        futures = [self._executor.submit(_train, name, task) for task in tasks]
        return sum(future.result() for future in futures)

    def close(self) -> None:
        self._executor.shutdown(wait=True, kill_workers=True)

    def _tell_all(self, name: str | None, assignment: Assignment | None) -> None:
        reached: set[int] = set()
        while len(reached) < self.jobs:
            futures: list[Future[int]] = [
                self._executor.submit(_prepare, name, assignment) for _ in range(self.jobs)
            ]
            reached.update(future.result() for future in futures)


_workers: dict[str, Worker] = {}  # in a training process: by the assignment's name


def _prepare(name: str | None, assignment: Assignment | None) -> int:
    if name is not None and assignment is not None:
        _workers[name] = Worker(assignment)
    time.sleep(PAUSE)
    return os.getpid()


def _train(name: str, task: Task) -> float:
    start = time.process_time()
    _workers[name].run(task, _ignore)
    return time.process_time() - start


def _ignore(model_epochs: int) -> None:
    """Progress is not shown here."""
