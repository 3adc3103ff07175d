"""A sweep on a terminal: one line per condition, then the fitted powers."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from vestige.report.leakage_sweep_figures import NAMES, SweepPage

COLUMNS = (
    ("KL mean", ("kl", "mean")),
    ("q99", ("kl", "q99")),
    ("largest", ("kl", "max")),
    ("mutual information", ("mutual_information", "mean")),
    ("advantage", ("advantage", "mean")),
    ("largest", ("advantage", "max")),
    ("TPR at 1 %", ("tpr@0.01", "mean")),
    ("largest", ("tpr@0.01", "max")),
)


def sweep_summary(page: SweepPage) -> RenderableType:
    """The conditions as lines of a table, and each slope with its interval."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column(f"{page.unit}, mean over seeds")
    for title, _ in COLUMNS:
        table.add_column(title, justify="right")
    for row in page.rows:
        table.add_row(row.name, *(f"{row.values[key]:.3g}" for _, key in COLUMNS))
    fitted = [
        Text(
            f"KL over {plot.axis}{f' ({plot.fixed})' if plot.fixed else ''}, {NAMES[curve.statistic]}: "
            f"{curve.slope.sentence}"
        )
        for plot in page.plots
        for curve in plot.curves
        if curve.slope is not None
    ]
    return Group(table, *fitted, Text(page.randomness))
