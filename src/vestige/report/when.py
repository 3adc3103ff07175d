"""Section 7: the plane over training."""

from vestige.report.arrays import ReportArrays
from vestige.report.dynamics_figures import association_figures, curve_figures
from vestige.report.explorer import explorer
from vestige.report.figures import accuracy_figure
from vestige.report.flow_figure import flow_figure
from vestige.report.markup import bullets, figure, more, paragraph, section, table
from vestige.report.motion import motion
from vestige.report.plane_figures import center_figure, shares_figure, trajectory_figure
from vestige.risk.dynamics import Dynamics
from vestige.risk.estimate import Estimate
from vestige.risk.plane import Plane
from vestige.risk.result import AuditResult
from vestige.risk.sentences import since_when

EARLIER = "An earlier checkpoint is not thereby protected; it would need an audit of its own."


def when(result: AuditResult, arrays: ReportArrays) -> str:
    """Section 7: the explorer first, then what it shows in words, then figures and tables."""
    found, plane, moved = result.exposure, arrays.plane, result.dynamics
    title = "When: the plane over training"
    if found is None or plane is None:
        return section("7", title, *_sentence(result), *_accuracy(arrays))
    parts = [explorer(found, arrays, plane)]
    if len(plane.epochs) < 2:
        return section("7", title, *parts, *_sentence(result), *_accuracy(arrays))
    parts += _sentence(result) if moved is None else [paragraph(motion(found, moved))]
    parts.append(paragraph(EARLIER, "small"))
    parts += _flow(plane)
    if moved is not None:
        parts += [figure(f) for f in curve_figures(moved, central=True)]
        parts += _hardness(moved)
    return section("7", title, *parts, *_rest(arrays, plane, moved))


def _sentence(result: AuditResult) -> list[str]:
    words = since_when(result.exposure).removeprefix("Since when: ")
    return [paragraph(words[:1].upper() + words[1:])]


def _accuracy(arrays: ReportArrays) -> list[str]:
    return [figure(accuracy_figure(arrays.accuracy))] if arrays.accuracy else []


def _flow(plane: Plane) -> list[str]:
    flow = flow_figure(plane)
    return [] if flow is None else [figure(flow)]


def _hardness(moved: Dynamics) -> list[str]:
    """Figures, and a table of rank correlations: a row per measure, a column per outcome."""
    if not moved.associations:
        return []
    found = {(a.measure, a.outcome): _interval(a.rank_correlation, "") for a in moved.associations}
    measures = {a.measure: a.measure_title for a in moved.associations}
    outcomes = {a.outcome: a.outcome_title for a in moved.associations}
    rows = [(shown, *(found.get((name, o), "–") for o in outcomes)) for name, shown in measures.items()]
    header = ("Hardness measured by", *(f"with the {shown}" for shown in outcomes.values()))
    named = "Rank correlation of hardness, over records, with 95 % intervals"
    numeric = range(1, len(header))
    return [*(figure(f) for f in association_figures(moved)), table(named, header, rows, numeric=numeric)]


def _rest(arrays: ReportArrays, plane: Plane, moved: Dynamics | None) -> list[str]:
    """What few readers need at once."""
    plain = [shares_figure(plane), center_figure(plane), trajectory_figure(arrays, plane)]
    parts = [more("The same in other pictures", *(figure(f) for f in plain), *_accuracy(arrays))]
    if moved is not None:
        further = [figure(f) for f in curve_figures(moved, central=False)]
        if further:
            parts.append(more("Further metrics: distance, spread and clustering", *further))
        parts.append(more("Every figure of the motion, with its definition", _figures(moved)))
    return parts


def _figures(moved: Dynamics) -> str:
    rows = [(f.title, _interval(f.estimate, f.unit), f.definition) for f in moved.figures]
    named = (
        f"{moved.attack}, records named {moved.named}; {moved.models:,} models, "
        f"{moved.replicates:,} resamplings"
    )
    figures = table(named, ("Figure", "Value (95 % interval)", "Definition"), rows, numeric=(1,))
    return figures + _definitions(moved) + (bullets(moved.notes) if moved.notes else "")


def _definitions(moved: Dynamics) -> str:
    curves = [(curve.title, curve.unit or "–", curve.definition) for curve in moved.curves]
    measures = [(f"{a.measure_title}, {a.outcome_title}", "–", a.definition) for a in moved.associations]
    header = ("Curve or measure", "Unit", "Definition")
    return table("What is drawn above", header, [*curves, *measures])


def _interval(estimate: Estimate, unit: str) -> str:
    """The value with its interval and unit, or why there is none."""
    if estimate.value is None:
        return estimate.note or "–"
    value = f"{estimate.value:.3g}{f' {unit}' if unit else ''}"
    if estimate.low is None or estimate.high is None:
        return value
    return f"{value} ({estimate.low:.3g} to {estimate.high:.3g})"
