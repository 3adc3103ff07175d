"""The live display of an audit: a bar per stage on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text

from vestige.audits.step import Listener, Step, silent

SECONDS_BETWEEN_LINES = 5.0
INTERRUPTED = 130


@contextmanager
def display(quiet: bool = False) -> Generator[Listener]:
    """A listener that shows each step on standard error; Ctrl-C ends the command with status 130."""
    try:
        with _listener(quiet) as listener:
            yield listener
    except KeyboardInterrupt:
        typer.echo("vestige: stopped; finished models are kept, run the same command to go on", err=True)
        raise typer.Exit(INTERRUPTED) from None


@contextmanager
def _listener(quiet: bool) -> Generator[Listener]:
    if quiet:
        yield silent
    elif sys.stderr.isatty():
        with Bars() as bars:
            yield bars.show
    else:
        yield Lines().show


class Bars:
    """One bar per stage: done of total, rate, time left."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<18}"),
            BarColumn(bar_width=28),
            TextColumn("{task.fields[amount]:>22}"),
            _Pace(),
            console=Console(stderr=True),
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "Bars":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, step: Step) -> None:
        """Move the stage's bar."""
        if step.stage not in self._tasks:
            self._tasks[step.stage] = self._progress.add_task(
                step.stage, total=step.total, amount="", pace=""
            )
        self._progress.update(
            self._tasks[step.stage],
            completed=step.done,
            total=step.total,
            amount=amount(step),
            pace=pace(step),
        )


class _Pace(ProgressColumn):
    """Rate and time left, as computed by the stage itself."""

    def render(self, task: Task) -> Text:
        """The text of the column."""
        return Text(f"{task.fields['pace']:<30}", style="cyan")


class Lines:
    """A plain line when a stage begins, then every few seconds, then when it ends."""

    def __init__(self) -> None:
        self._stage = ""
        self._last = 0.0
        self._finished = False

    def show(self, step: Step) -> None:
        """Write a line if it is time for one."""
        now = time.monotonic()
        new, ends = step.stage != self._stage, step.done >= step.total and not self._finished
        if new or ends or (not self._finished and now - self._last >= SECONDS_BETWEEN_LINES):
            print(" ".join(f"{step.stage}: {amount(step)} {pace(step)}".split()), file=sys.stderr, flush=True)
            self._last = now
        self._stage, self._finished = step.stage, step.done >= step.total


def amount(step: Step) -> str:
    """Done of total, with the unit."""
    return f"{step.done:.0f}/{step.total} {step.unit}"


def pace(step: Step) -> str:
    """Rate and time left; empty before anything was done or when all is."""
    if step.rate is None or step.seconds_left is None:
        return ""
    if step.done >= step.total:
        return f"done in {_clock(step.seconds)}"
    return f"{step.rate:.3g}/s, {_clock(step.seconds_left)} left"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
