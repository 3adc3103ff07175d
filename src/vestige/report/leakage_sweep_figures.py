"""Figures of a sweep: leakage along an option on logarithmic axes, with the fitted powers."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from vestige.leakage.slope import Slope
from vestige.report.figure import ACCENT, MUTED, Axis, Figure, Line, Table

COLORS = {"mean": ACCENT, "q99": "amber", "max": "High"}
NAMES = {"mean": "mean", "q99": "99th percentile", "max": "largest"}
WORDS = {"size": "Records in training", "weight": "Regularization weight", "sigma": "Noise sigma"}


@dataclass(frozen=True, kw_only=True, eq=False)
class SweepCurve:
    """A statistic over records at each level, one row per seed, in the page's unit; and its fitted power."""

    statistic: str
    values: Float64[np.ndarray, "seeds levels"]
    slope: Slope | None


@dataclass(frozen=True, kw_only=True, eq=False)
class SweepPlot:
    """KL along one option, the others fixed as named; axis says what x counts."""

    option: str
    axis: str
    x: Float64[np.ndarray, "levels"]
    fixed: str
    curves: tuple[SweepCurve, ...]


@dataclass(frozen=True, kw_only=True)
class SweepRow:
    """One condition: values by quantity and statistic over records, means over seeds."""

    name: str
    values: Mapping[tuple[str, str], float]


@dataclass(frozen=True, kw_only=True, eq=False)
class SweepPage:
    """All that the page shows.

    exact: whether values are exact rather than estimates. known_laws: whether the TPRs are those of the best
    attack rather than limits that the divergences set.
    """

    dataset: str
    unit: str
    facts: tuple[tuple[str, str], ...]
    randomness: str
    exact: bool
    known_laws: bool
    seeds: int
    plots: tuple[SweepPlot, ...]
    rows: tuple[SweepRow, ...]
    notes: tuple[str, ...]


def sweep_figure(plot: SweepPlot, number: int, unit: str) -> Figure:
    """KL over the option: mean, 99th percentile and largest record, dotted the fitted power laws."""
    marks = [line for curve in plot.curves for line in _lines(plot, curve)]
    fixed = f" ({plot.fixed})" if plot.fixed else ""
    told = [f"{NAMES[c.statistic]}: {c.slope.sentence}" for c in plot.curves if c.slope is not None]
    title = WORDS.get(plot.axis, plot.axis[0].upper() + plot.axis[1:])
    rows = tuple(
        (curve.statistic, float(x), seed, float(y))
        for curve in plot.curves
        for seed, values in enumerate(curve.values)
        for x, y in zip(plot.x, values, strict=True)
    )
    return Figure(
        key=f"sweep-{number}",
        title=f"KL divergence per record along {plot.option}{fixed}",
        caption=(
            f"Both axes are logarithmic: a power law is a line. {'; '.join(told) or 'No power fitted'}."
            " The band runs from the lowest to the highest seed."
        ),
        alt=_alt(plot, unit),
        x=Axis(title=title, log=True, ticks=tuple(plot.x.tolist())),
        y=Axis(title=f"KL, {unit}", log=True),
        marks=tuple(marks),
        table=Table(header=("statistic", plot.axis, "repetition", f"kl_{unit}"), rows=rows),
        height=420,
    )


def _lines(plot: SweepPlot, curve: SweepCurve) -> list[Line]:
    mean = curve.values.mean(axis=0)
    several = len(curve.values) > 1
    lines = [
        Line(
            name=NAMES[curve.statistic],
            x=plot.x,
            y=mean,
            color=COLORS[curve.statistic],
            low=curve.values.min(axis=0) if several else None,
            high=curve.values.max(axis=0) if several else None,
            dotted=True,
        )
    ]
    if curve.slope is not None:
        center = np.log(plot.x) - np.log(plot.x).mean()
        fitted = np.exp(np.log(mean).mean() + curve.slope.value * center)
        lines.append(Line(name="fit", x=plot.x, y=fitted, color=MUTED, dashed=True, listed=False))
    return lines


def _alt(plot: SweepPlot, unit: str) -> str:
    return "; ".join(
        f"{NAMES[c.statistic]} from {c.values[:, 0].mean():.3g} to {c.values[:, -1].mean():.3g} {unit} as "
        f"{plot.axis} goes from {plot.x[0]:g} to {plot.x[-1]:g}"
        for c in plot.curves
    )
