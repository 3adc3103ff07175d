"""The page that compares the cells of a design: one file that works offline."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vestige.core.files import write_text
from vestige.report.colors import line_color
from vestige.report.figure import Axis, Figure, Intervals, Line, Table
from vestige.report.markup import figure, links, more, paragraph, table
from vestige.report.shell import document
from vestige.risk.dynamics import Curve
from vestige.risk.estimate import Estimate
from vestige.risk.result import AuditResult

# Each with the axis title; drawn one figure each, a row per cell.
FIGURES = (
    ("displacement", "Center-of-mass displacement (plane units)"),
    ("mean_speed", "Mean encoding speed (plane units per epoch)"),
    ("peak_hazard_per_epoch", "Peak hazard of becoming vulnerable, per epoch"),
    ("entropy_change", "Change of spatial entropy (bits)"),
    ("half_time", "Half-time of the mean advantage (epochs)"),
    ("early_recall", "Finally vulnerable known at 30 % of training (recall)"),
    ("final_high_share", "Share of records vulnerable at the end"),
)
CURVES = (
    ("mean_advantage", "Mean advantage"),
    ("displacement", "Center-of-mass displacement"),
    ("hazard_per_epoch", "Hazard per epoch"),
    ("entropy", "Spatial entropy (bits)"),
    ("recall", "Recall of the finally vulnerable"),
)
INTRODUCTION = (
    "Every cell is an audit of its own, with the same options but for what varies; its name leads to its "
    "report. Intervals are 95 % over the models of a cell, drawn again; they hold for its recipe and its "
    "records. Where intervals of two cells overlap widely, this design does not tell them apart."
)


@dataclass(frozen=True, kw_only=True)
class ComparedCell:
    """A cell: its name, its result, and the place of its own report relative to this page."""

    name: str
    result: AuditResult
    link: str


def render_comparison(cells: Sequence[ComparedCell], path: Path) -> Path:
    """Write the comparison in one step and return its path.

    Raises ValidityError when the text would hold a word that no audit can carry.
    """
    names = tuple(cell.name for cell in cells)
    write_text(path, document("Dynamics under varied conditions", _body(cells), given=names))
    return path


def _body(cells: Sequence[ComparedCell]) -> str:
    finals = [_forest(cells, "auc", "AUC of the headline attack at the end", [_auc(c) for c in cells])]
    moved = [
        _forest(cells, name, title, [_figure_of(c, name) for c in cells])
        for name, title in FIGURES
        if any(_figure_of(c, name) for c in cells)
    ]
    curves = [_curves(cells, name, title) for name, title in CURVES if any(_curve_of(c, name) for c in cells)]
    return (
        "<main><h1>Dynamics under varied conditions</h1>"
        f"{paragraph(INTRODUCTION)}{links((c.name, c.link) for c in cells)}{_overview(cells)}"
        f"<h2>Over training</h2>{''.join(figure(f) for f in curves)}"
        f"<h2>Figure by figure</h2>{''.join(figure(f) for f in (*finals, *moved))}"
        f"{more('What each figure means', _definitions(cells))}</main>"
    )


def _overview(cells: Sequence[ComparedCell]) -> str:
    header = ("Cell", "Displacement", "Mean speed", "Half-time", "Entropy change", "Vulnerable", "AUC")
    names = ("displacement", "mean_speed", "half_time", "entropy_change", "final_high_share")
    rows = [
        (cell.name, *(_with_interval(_figure_of(cell, name)) for name in names), _with_interval(_auc(cell)))
        for cell in cells
    ]
    return table("All cells", header, rows, numeric=range(1, len(header)))


def _definitions(cells: Sequence[ComparedCell]) -> str:
    found = next((c.result.dynamics for c in cells if c.result.dynamics), None)
    rows = [(f.title, f.definition, f.unit or "–") for f in found.figures] if found else []
    return table("Definitions", ("Figure", "Definition", "Unit"), rows)


def _auc(cell: ComparedCell) -> Estimate:
    return cell.result.headline.auc


def _figure_of(cell: ComparedCell, name: str) -> Estimate | None:
    found = cell.result.dynamics
    return next((f.estimate for f in found.figures if f.name == name), None) if found else None


def _curve_of(cell: ComparedCell, name: str) -> Curve | None:
    found = cell.result.dynamics
    return next((c for c in found.curves if c.name == name), None) if found else None


def _forest(
    cells: Sequence[ComparedCell], name: str, title: str, estimates: Sequence[Estimate | None]
) -> Figure:
    rows = [(cell.name, e) for cell, e in zip(cells, estimates, strict=True) if e and e.value is not None]
    rows.reverse()  # rows count upwards, and the first cell belongs on top
    value = np.array([e.value for _, e in rows], float)
    low = np.array([e.value if e.low is None else e.low for _, e in rows], float)
    high = np.array([e.value if e.high is None else e.high for _, e in rows], float)
    names = tuple(name for name, _ in rows)
    return Figure(
        key=f"compare-{name}",
        title=title,
        caption="One row per cell, with its 95 % interval.",
        alt="; ".join(f"{cell} {_with_interval(e)}" for cell, e in reversed(rows)),
        x=Axis(title=title),
        y=Axis(title="", categories=names),
        marks=(Intervals(name=title, rows=names, value=value, low=low, high=high, color="accent"),),
        table=Table(
            header=("cell", "value", "low", "high"),
            rows=tuple(
                (n, float(v), float(a), float(b)) for n, v, a, b in zip(names, value, low, high, strict=True)
            ),
        ),
        height=90 + 34 * len(rows),
    )


def _curves(cells: Sequence[ComparedCell], name: str, title: str) -> Figure:
    drawn = [(cell.name, curve) for cell in cells if (curve := _curve_of(cell, name))]
    lines = tuple(_line(cell, curve, line_color(i)) for i, (cell, curve) in enumerate(drawn))
    return Figure(
        key=f"over-{name}",
        title=title,
        caption=f"{drawn[0][1].definition}.".capitalize(),
        alt="; ".join(f"{line.name} ends at {line.y[-1]:.3g}" for line in lines if len(line.y)),
        x=Axis(title="Epoch"),
        y=Axis(title=title),
        marks=lines,
        table=Table(
            header=("cell", "epoch", "value"),
            rows=tuple(
                (line.name, float(x), float(y)) for line in lines for x, y in zip(line.x, line.y, strict=True)
            ),
        ),
    )


def _line(cell: str, curve: Curve, color: str) -> Line:
    known = [(x, e) for x, e in zip(curve.epochs, curve.estimates, strict=True) if e.value is not None]
    banded = bool(known) and all(e.low is not None and e.high is not None for _, e in known)
    low, high = (np.array([getattr(e, end) for _, e in known], float) if banded else None for end in ENDS)
    return Line(
        name=cell,
        x=np.array([x for x, _ in known], float),
        y=np.array([e.value for _, e in known], float),
        low=low,
        high=high,
        color=color,
    )


ENDS = ("low", "high")


def _with_interval(estimate: Estimate | None) -> str:
    if estimate is None or estimate.value is None:
        return "–"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.3g}"
    return f"{estimate.value:.3g} ({estimate.low:.3g}–{estimate.high:.3g})"
