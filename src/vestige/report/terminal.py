"""The result on a terminal, in at most 15 lines."""

from rich.console import Group, RenderableType
from rich.text import Text

from vestige.risk.result import AuditResult
from vestige.risk.sentences import terminal_lines

STYLES = {"exceeds": "bold red", "within": "bold green", "cannot tell": "bold yellow", "not tested": "bold"}
MOST_WARNINGS = 3


def summary(result: AuditResult) -> RenderableType:
    """The first warnings, the verdict, and last of all five lines that a person understands."""
    verdict = result.verdict
    head = Text.assemble(("Verdict: ", "dim"), (verdict.word, STYLES[verdict.word]), f"  {verdict.sentence}")
    lines = [_line(line) for line in terminal_lines(result)]
    shown = [Text(f"Warning: {warning}", style="yellow") for warning in result.warnings[:MOST_WARNINGS]]
    hidden = len(result.warnings) - MOST_WARNINGS
    more = [Text(f"{hidden} more warnings are in the report.", style="yellow")] if hidden > 0 else []
    return Group(*shown, *more, head, *lines)


def _line(line: str) -> Text:
    name, _, rest = line.partition(": ")
    return Text.assemble((f"{name}: ", "bold"), rest) if rest else Text(line)
