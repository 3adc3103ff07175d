"""The last words of a command: the call it made, warnings, verdict, five lines, and the exit status."""

import typer
from rich.console import Console

from vestige.audits.outcome import Audit
from vestige.report.terminal import summary


def close(outcome: Audit, call: str) -> None:
    """Print the end of an audit and leave with its exit status."""
    console = Console(highlight=False)
    console.soft_wrap = not console.is_terminal  # a line stays a line for whoever reads it by program
    console.print(f"Python: {call}", markup=False)
    console.print(summary(outcome.result))
    raise typer.Exit(outcome.exit_code)
