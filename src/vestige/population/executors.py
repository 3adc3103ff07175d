"""Where tasks run: in this process, or in single-threaded ones, for each core or as many as share a GPU."""

import os
import pickle
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, as_completed, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from loky import get_reusable_executor  # pyright: ignore[reportMissingTypeStubs]
from loky.backend.reduction import dump  # pyright: ignore[reportMissingTypeStubs]

from vestige.population.plan import Plan, Task
from vestige.population.worker import Assignment, Worker
from vestige.training import teaching
from vestige.training.arithmetic import configure, restored


@dataclass(frozen=True, eq=False)
class Work:
    """Tasks that share an assignment."""

    assignment: Assignment
    tasks: list[Task]


Item = TypeVar("Item")
Result = TypeVar("Result")
Works = Mapping[int, Work]  # by the place of the plan that they belong to
Report = Callable[[Counter[int]], None]  # takes the model-epochs done so far, by the place of the plan
POLL_SECONDS = 0.2


def serial(works: Works, report: Report) -> None:
    """Train the tasks one after the other here, on one thread."""
    done: Counter[int] = Counter()
    for place, work in works.items():
        with restored():
            configure(threads=1, device=work.assignment.device)
            _train_here(place, work, done, report)


def _train_here(place: int, work: Work, done: Counter[int], report: Report) -> None:
    worker = Worker(work.assignment)

    def progress(count: int) -> None:
        done[place] += count
        report(done)

    for task in work.tasks:
        worker.run(task, progress)


def processes(works: Works, report: Report, jobs: int) -> None:
    """Train the tasks in `jobs` fresh processes of one thread each; results do not depend on `jobs`.

    Tasks go out one by one and plan after plan, so that a process that finds a plan's tasks taken begins the
    next plan. Workers end when this process dies, even by SIGKILL; what they had finished is on disk.
    """
    with tempfile.TemporaryDirectory(prefix="vestige-pool-") as folder:
        for place, work in works.items():
            with _assignment_path(Path(folder), place).open("wb") as handle:
                dump(work.assignment, handle)
        executor = get_reusable_executor(
            max_workers=jobs,
            timeout=60,
            reuse=False,  # pyright: ignore[reportArgumentType]  # typed as str, documented as bool
            initializer=_start,
            initargs=(Path(folder), os.getpid()),
        )
        try:
            tasks = [(place, task) for place, work in works.items() for task in work.tasks]
            _await({executor.submit(_run, place, task) for place, task in tasks}, Path(folder), report)
        finally:
            executor.shutdown(wait=True, kill_workers=True)


def each(
    function: Callable[[Item], Result], items: Sequence[Item], jobs: int
) -> Iterator[tuple[Item, Result | Exception]]:
    """Every item with what the function made of it or the exception that it raised, in the order they finish.

    In `jobs` fresh processes of one thread each, or here where one is enough.
    """
    if min(jobs, len(items)) < 2:
        for item in items:
            yield item, _outcome(lambda item=item: function(item))
        return
    executor = get_reusable_executor(
        max_workers=min(jobs, len(items)),
        timeout=60,
        reuse=False,  # pyright: ignore[reportArgumentType]  # typed as str, documented as bool
        initializer=_begin,
        initargs=(os.getpid(),),
    )
    try:
        submitted = {executor.submit(function, item): item for item in items}
        for future in as_completed(submitted):
            yield submitted[future], _outcome(future.result)
    finally:
        executor.shutdown(wait=True, kill_workers=True)


def _outcome(call: Callable[[], Result]) -> Result | Exception:
    try:
        return call()
    except Exception as error:  # handed to the caller, who knows what the item was
        return error


def _await(pending: set["Future[None]"], folder: Path, report: Report) -> None:
    while pending:
        finished, pending = wait(pending, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
        report(_counts(folder))
        for future in finished:
            future.result()


@dataclass
class _Post:
    """Where a worker process stands: the plan that it works on, and no other's data."""

    folder: Path
    place: int = -1
    worker: Worker | None = None

    def worker_for(self, place: int) -> Worker:
        if self.worker is None or place != self.place:
            self.worker = None  # the former plan's data go before the next one's come
            with _assignment_path(self.folder, place).open("rb") as handle:
                assignment: Assignment = pickle.load(handle)  # the parent wrote it for this pool
            configure(threads=1, device=assignment.device)
            self.worker = Worker(assignment)
            self.place = place
        return self.worker


_post: _Post | None = None  # one per worker process, set by its initializer


def _begin(parent: int) -> None:
    """One thread, and plain arithmetic: scipy's trees fall into a loop where denormals are flushed."""
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    torch.set_num_threads(1)


def _start(folder: Path, parent: int) -> None:
    global _post
    _begin(parent)
    _post = _Post(folder)


def _run(place: int, task: Task) -> None:
    assert _post is not None
    counter = _post.folder / f"{place}.{os.getpid()}.count"
    done = _read_count(counter)

    def progress(count: int) -> None:
        nonlocal done
        done += count
        counter.write_text(str(done))

    _post.worker_for(place).run(task, progress)


def _assignment_path(folder: Path, place: int) -> Path:
    return folder / f"{place}.assignment"


def _counts(folder: Path) -> Counter[int]:
    done: Counter[int] = Counter()
    for path in folder.glob("*.count"):
        done[int(path.name.split(".")[0])] += _read_count(path)
    return done


def _read_count(path: Path) -> int:
    text = path.read_text() if path.exists() else ""
    return int(text or 0)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def may_leave(plan: Plan, jobs: int | None) -> bool:
    """Whether other processes are to train the plan: not where they would not find a script's function.

    A GPU is shared by as many as are asked for; each takes memory for a context of its own.
    """
    names = [recipe.model.name for recipe in teaching.lineage(plan.recipe)]
    is_ours = plan.device == "cpu" or jobs is not None
    return is_ours and not any(name.startswith("__main__:") for name in names)


def default_jobs() -> int:
    """One single-threaded worker for each core this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
