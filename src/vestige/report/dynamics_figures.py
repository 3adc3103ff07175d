"""Figures of the motion on the plane: curves of every metric, flow between regions, and hardness."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from vestige.report.colors import line_color
from vestige.report.figure import Axis, Figure, Line, Table
from vestige.risk.dynamics import Association, Curve, Dynamics
from vestige.risk.estimate import Estimate


@dataclass(frozen=True, kw_only=True)
class Group:
    """Curves that share a figure, and how to read it; central ones stand in the page at once."""

    key: str
    title: str
    curves: tuple[str, ...]
    reading: str
    central: bool = False


GROUPS = (
    Group(
        key="exposure",
        title="How exposed the records are",
        curves=("mean_advantage", "high_share"),
        reading="Rising lines mean that membership shows more and more.",
        central=True,
    ),
    Group(
        key="early",
        title="How early the final picture stands",
        curves=("recall", "precision", "jaccard", "top_overlap", "rank_correlation"),
        reading="At 1 a checkpoint already tells what the last one will.",
        central=True,
    ),
    Group(
        key="speed",
        title="How fast membership is encoded",
        curves=("speed", "signed_speed", "debiased_speed", "debiased_step"),
        reading="High where records move most per epoch. The plain speed also holds the jitter of counting.",
        central=True,
    ),
    Group(
        key="hazard",
        title="When records become vulnerable",
        curves=("hazard", "hazard_per_epoch"),
        reading="The share of the records not yet vulnerable that become so; a peak is the critical time.",
        central=True,
    ),
    Group(
        key="displacement",
        title="How far the average record has moved",
        curves=("displacement",),
        reading="The distance of the mean place from where it was at the first checkpoint.",
    ),
    Group(
        key="entropy",
        title="How widely the records spread",
        curves=("entropy",),
        reading="0 bits: all in one cell of the plane. One bit more: twice as many cells are in use.",
    ),
    Group(
        key="clustering",
        title="Whether the records form groups",
        curves=("clark_evans", "silhouette"),
        reading="Clark-Evans below 1: closer together than at random. Silhouette near 1: separate groups.",
    ),
    Group(
        key="clusters",
        title="How many groups there are",
        curves=("clusters",),
        reading="The number of groups at each checkpoint.",
    ),
)


def curve_figures(found: Dynamics, *, central: bool) -> tuple[Figure, ...]:
    """A figure per group of curves that are there; curves of no group come by themselves, not centrally."""
    curves = {curve.name: curve for curve in found.curves if any(_known(curve))}
    grouped = {name for group in GROUPS for name in group.curves}
    alone = [
        Group(key=name, title=curve.title, curves=(name,), reading="")
        for name, curve in curves.items()
        if name not in grouped
    ]
    present = [
        (group, [curves[name] for name in group.curves if name in curves])
        for group in (*GROUPS, *alone)
        if group.central == central
    ]
    return tuple(_curve_figure(group, drawn) for group, drawn in present if drawn)


def association_figures(found: Dynamics) -> tuple[Figure, ...]:
    """One figure per outcome: its mean in each tenth of the records by hardness, a line per measure."""
    outcomes = dict.fromkeys(a.outcome for a in found.associations)
    return tuple(
        _association_figure([a for a in found.associations if a.outcome == outcome and a.bins])
        for outcome in outcomes
        if any(a.outcome == outcome and a.bins for a in found.associations)
    )


def _known(curve: Curve) -> list[bool]:
    return [e.value is not None for e in curve.estimates]


def _curve_figure(group: Group, curves: list[Curve]) -> Figure:
    values = [e.value for c in curves for e in c.estimates if e.value is not None]
    return Figure(
        key=f"curve-{group.key}",
        title=group.title,
        caption=f"{group.reading} Bands: 95 % intervals.".strip(),
        alt=" ".join(_alt(c) for c in curves),
        x=Axis(title="Epoch"),
        y=Axis(title=_units(curves), low=min(0.0, *values) * 1.05, high=None),
        marks=tuple(_line(curve, line_color(i)) for i, curve in enumerate(curves)),
        table=Table(
            header=("metric", "epoch", "value", "low", "high"),
            rows=tuple(
                (c.name, e, *_cells(x)) for c in curves for e, x in zip(c.epochs, c.estimates, strict=True)
            ),
        ),
        height=320,
    )


def _units(curves: list[Curve]) -> str:
    """The units of the curves; one that ends another's name goes without saying."""
    units = sorted({c.unit for c in curves} - {""})
    told = [u for u in units if not any(other != u and other.endswith(u) for other in units)]
    return " or ".join(told).capitalize()


def _line(curve: Curve, color: str) -> Line:
    known = np.array(_known(curve))
    ends = [_numbers([getattr(e, end) for e in curve.estimates])[known] for end in ("value", "low", "high")]
    value, low, high = ends
    banded = bool(np.isfinite(low).all() and np.isfinite(high).all())
    return Line(
        name=curve.title,
        x=np.array(curve.epochs, np.float64)[known],
        y=value,
        low=low if banded else None,
        high=high if banded else None,
        color=color,
        dotted=True,
    )


def _numbers(values: list[float | None]) -> Float64[np.ndarray, "values"]:
    return np.array([np.nan if v is None else v for v in values], np.float64)


def _cells(estimate: Estimate) -> tuple[float | str, ...]:
    return tuple("" if v is None else v for v in (estimate.value, estimate.low, estimate.high))


def _alt(curve: Curve) -> str:
    known = [(e, x.value) for e, x in zip(curve.epochs, curve.estimates, strict=True) if x.value is not None]
    (first, start), (last, end) = known[0], known[-1]
    peak_epoch, peak = max(known, key=lambda pair: pair[1])
    return (
        f"{curve.title}: {start:.3g} at epoch {first:g}, {end:.3g} at epoch {last:g}, "
        f"largest at epoch {peak_epoch:g} with {peak:.3g}."
    )


def _association_figure(rows: list[Association]) -> Figure:
    lines = tuple(_association_line(row, line_color(i)) for i, row in enumerate(rows))
    outcome = rows[0].outcome_title
    return Figure(
        key=f"hardness-{rows[0].outcome}",
        title=f"Hard records and {_lower(outcome)}",
        caption=(
            "Records are sorted by hardness and cut into tenths, the easiest at the left. Each point is the "
            "mean of one tenth; tenths of equal hardness are taken together. Where a line rises, hard "
            "records have more of it; the line does not say why."
        ),
        alt=" ".join(_association_alt(row) for row in rows),
        x=Axis(title="Tenth of the records, by rising hardness", low=0.5, high=10.5),
        y=Axis(
            title=outcome[:1].upper() + outcome[1:], low=min(0.0, *(float(line.y.min()) for line in lines))
        ),
        marks=lines,
        table=Table(
            header=("measure", "tenth", "hardness", "outcome", "records"),
            rows=tuple(
                (row.measure, i, b.hardness, b.outcome, b.samples)
                for row in rows
                for i, b in enumerate(row.bins, 1)
            ),
        ),
        height=340,
    )


def _association_line(row: Association, color: str) -> Line:
    """Tenths that share their hardness may be merged: a bin stands in the middle of the records it holds."""
    sizes = np.array([b.samples for b in row.bins], np.float64)
    middle = (np.cumsum(sizes) - sizes / 2) / max(sizes.sum(), 1.0)
    return Line(
        name=row.measure_title,
        x=0.5 + 10 * middle,
        y=np.array([b.outcome for b in row.bins], np.float64),
        color=color,
        dotted=True,
    )


def _association_alt(row: Association) -> str:
    first, last = row.bins[0].outcome, row.bins[-1].outcome
    return f"By {_lower(row.measure_title)}: {first:.3g} in the easiest tenth, {last:.3g} in the hardest."


def _lower(title: str) -> str:
    """The title inside a sentence; abbreviations keep their capitals."""
    return title if title[:2].isupper() else title[:1].lower() + title[1:]
