"""The last words of a command: warnings, the call it made, five lines, and the exit status."""

import typer

from vestige.audits.outcome import Audit
from vestige.risk.sentences import terminal_lines


def close(outcome: Audit, call: str) -> None:
    """Print the end of an audit and leave with its exit status."""
    for warning in outcome.result.warnings:
        typer.echo(f"Warning: {warning}", err=True)
    typer.echo(f"Python: {call}")
    typer.echo(outcome.result.verdict.sentence)
    for line in terminal_lines(outcome.result):
        typer.echo(line)
    raise typer.Exit(outcome.exit_code)
