"""Results on a terminal: an audit in at most 15 lines, a design in one line per cell."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from vestige.report.protection_figures import ProtectionRow
from vestige.risk.result import AuditResult
from vestige.risk.sentences import terminal_lines

STYLES = {"exceeds": "bold red", "within": "bold green", "cannot tell": "bold yellow", "not tested": "bold"}
MOST_WARNINGS = 3
COMPARED = (
    ("displacement", "displacement"),
    ("mean speed", "mean_speed"),
    ("half-time", "half_time"),
    ("entropy change", "entropy_change"),
    ("vulnerable", "final_high_share"),
    ("AUC", "auc"),
)
PROTECTED = (
    ("test accuracy", ("utility", "test_accuracy")),
    ("AUC", ("lira-online-fixed", "auc")),
    ("TPR at 1 %", ("lira-online-fixed", "tpr@0.01")),
    ("best threshold", ("loss-powerful", "advantage")),
    ("distance AUC", ("distance", "auc")),
    ("time", ("utility", "time_ratio")),
)


def summary(result: AuditResult) -> RenderableType:
    """The first warnings, the verdict, and last of all five lines that a person understands."""
    verdict = result.verdict
    head = Text.assemble(("Verdict: ", "dim"), (verdict.word, STYLES[verdict.word]), f"  {verdict.sentence}")
    lines = [_line(line) for line in terminal_lines(result)]
    shown = [Text(f"Warning: {warning}", style="yellow") for warning in result.warnings[:MOST_WARNINGS]]
    hidden = len(result.warnings) - MOST_WARNINGS
    more = [Text(f"{hidden} more warnings are in the report.", style="yellow")] if hidden > 0 else []
    return Group(*shown, *more, head, *lines)


def comparison_table(cells: Sequence[tuple[str, AuditResult]]) -> RenderableType:
    """The cells of a design, one line each: their names and their main figures."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("cell")
    for title, _ in COMPARED:
        table.add_column(title, justify="right")
    for name, result in cells:
        moved = result.dynamics
        figures = {f.name: f.estimate.value for f in moved.figures} if moved else {}
        values = [result.headline.auc.value if key == "auc" else figures.get(key) for _, key in COMPARED]
        table.add_row(name, *("–" if value is None else f"{value:.3g}" for value in values))
    return table


def protection_table(rows: Sequence[ProtectionRow]) -> RenderableType:
    """Defenses, one line each: use, what leaks on average and at low error rates, and what attacks miss."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("defense")
    for title, _ in PROTECTED:
        table.add_column(title, justify="right")
    for row in rows:
        known = [row.estimates.get(key) for _, key in PROTECTED]
        values = ["–" if e is None or e.value is None else f"{e.value:.3g}" for e in known]
        table.add_row(row.name, *(values if not row.failure else ["failed", *[""] * (len(values) - 1)]))
    return table


def _line(line: str) -> Text:
    name, _, rest = line.partition(": ")
    return Text.assemble((f"{name}: ", "bold"), rest) if rest else Text(line)
