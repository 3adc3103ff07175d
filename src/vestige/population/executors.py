"""Where tasks run: in this process, or one single-threaded process for each core."""

import os
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path

from loky import get_reusable_executor  # pyright: ignore[reportMissingTypeStubs]

from vestige.population.plan import Task
from vestige.population.worker import Assignment, Worker
from vestige.training.arithmetic import configure, restored

Report = Callable[[int], None]
POLL_SECONDS = 0.2


def serial(assignment: Assignment, tasks: list[Task], report: Report) -> None:
    """Train the tasks one after the other here, on one thread; report takes model-epochs done so far."""
    with restored():
        configure(threads=1, device=assignment.device)
        worker = Worker(assignment)
        done = 0

        def progress(count: int) -> None:
            nonlocal done
            done += count
            report(done)

        for task in tasks:
            worker.run(task, progress)


def processes(assignment: Assignment, tasks: list[Task], report: Report, jobs: int) -> None:
    """Train the tasks in `jobs` fresh processes of one thread each; results do not depend on `jobs`.

    Workers end when this process dies, even by SIGKILL; what they had finished is on disk.
    """
    with tempfile.TemporaryDirectory(prefix="vestige-progress-") as counts:
        executor = get_reusable_executor(
            max_workers=jobs,
            timeout=60,
            reuse=False,  # pyright: ignore[reportArgumentType]  # typed as str, documented as bool
            initializer=_start,
            initargs=(assignment, counts, os.getpid()),
        )
        try:
            _await({executor.submit(_run, task) for task in tasks}, Path(counts), report)
        finally:
            executor.shutdown(wait=True, kill_workers=True)


def _await(pending: set["Future[None]"], counts: Path, report: Report) -> None:
    while pending:
        finished, pending = wait(pending, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
        report(sum(_read_count(path) for path in counts.iterdir()))
        for future in finished:
            future.result()


_worker: Worker | None = None  # one per worker process, set by its initializer
_counter: Path | None = None


def _start(assignment: Assignment, counts: str, parent: int) -> None:
    global _worker, _counter
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    configure(threads=1)
    _worker = Worker(assignment)
    _counter = Path(counts) / str(os.getpid())


def _run(task: Task) -> None:
    assert _worker is not None
    assert _counter is not None
    counter, done = _counter, _read_count(_counter)

    def progress(count: int) -> None:
        nonlocal done
        done += count
        counter.write_text(str(done))

    _worker.run(task, progress)


def _read_count(path: Path) -> int:
    text = path.read_text() if path.exists() else ""
    return int(text or 0)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def default_jobs() -> int:
    """One single-threaded worker for each core this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
