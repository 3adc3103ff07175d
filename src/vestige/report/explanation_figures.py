"""Figures of an explanation, as data: who is given away, and what sets them apart."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from vestige.report.colors import line_color
from vestige.report.explanation_page import ExplanationPage
from vestige.report.explanation_panels import class_figures, logit_figures, plot_figure
from vestige.report.figure import ACCENT, MUTED, Axis, Cell, Figure, Intervals, Line, Points, Table
from vestige.risk.estimate import Estimate
from vestige.vulnerability.contrast import Contrast
from vestige.vulnerability.disparity import Disparity

MOST_GROUPS = 30  # shown in one figure, the most exposed first


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """What is drawn in one file: a figure, or several side by side."""

    key: str
    figures: tuple[Figure, ...]


def explanation_sheets(page: ExplanationPage) -> tuple[Sheet, ...]:
    """Every figure that there is something to draw for."""
    sheets = [Sheet(key=figure.key, figures=(figure,)) for figure in _figures(page)]
    if page.logits is not None:
        sheets.append(Sheet(key="scaled-logits", figures=logit_figures(page.logits)))
    if page.plot is not None:
        panels = tuple(class_figures(page.plot, page))
        sheets.append(Sheet(key="plane-by-class", figures=panels))
    return tuple(sheets)


def _figures(page: ExplanationPage) -> Iterator[Figure]:
    for kind, found in (("class", page.by_class), ("group", page.by_group)):
        if found is not None:
            yield group_figure(found, kind)
    if any(difference.percentiles for difference in page.differences):
        yield percentile_figure(page)
    contrasts = headline_contrasts(page)
    if contrasts:
        yield contrast_figure("differences", "What sets them apart", contrasts)
    if page.plot is not None:
        yield plot_figure(page.plot, page)
    if page.attributions is not None and page.attributions.contrasts:
        yield contrast_figure("attention", "Where the model looks", page.attributions.contrasts)
    if page.rankings:
        yield ranking_figure(page)


def headline_contrasts(page: ExplanationPage) -> tuple[Contrast, ...]:
    """The contrasts of the rule that decides, the largest first."""
    title = {rule.key: rule.title for rule in page.rules}[page.headline]
    found = next((d.contrasts for d in page.differences if d.rule == title), ())
    return tuple(sorted(found, key=lambda one: -abs(one.dominance.value or 0.0)))


def group_figure(found: Disparity, kind: str) -> Figure:
    """How exposed each class or group is, with intervals over its records."""
    groups = found.groups[:MOST_GROUPS][::-1]
    means = [group.mean for group in groups]
    names = tuple(group.name for group in groups)
    return Figure(
        key=f"by-{kind}",
        title=f"Members given away, by {kind}",
        caption=(
            "The mean share of the models trained on a record that give it away. Intervals: 95 % over "
            "records. Over random groups of these sizes the largest and the smallest mean differ by "
            f"{100 * found.chance_spread:.2g} points on average; here by {100 * found.spread:.2g}."
        ),
        alt=f"{groups[-1].name} is the most exposed, {groups[0].name} the least of those shown.",
        x=Axis(title="share given away", percent=True, low=0.0, high=_beyond(means)),
        y=Axis(title="", categories=names),
        marks=(Intervals(name="share given away", rows=names, color=ACCENT, **_ends(means)),),
        table=Table(
            header=(kind, "records", "given_away", "low", "high", "p"),
            rows=tuple((g.name, g.records, *_numbers(g.mean), g.p) for g in groups[::-1]),
        ),
        height=max(200, 60 + 26 * len(groups)),
    )


def percentile_figure(page: ExplanationPage) -> Figure:
    """Where the members that each rule names lie among all members, by measure."""
    measures = list(dict.fromkeys(name for d in page.differences for name, _ in d.percentiles))[::-1]
    marks: list[Points] = []
    rows: list[tuple[Cell, ...]] = []
    count = len(page.differences)
    for number, difference in enumerate(page.differences):
        places = dict(difference.percentiles)
        shown = [m for m in measures if m in places and places[m].value is not None]
        # rules stand one above the other within a measure
        heights = np.array([measures.index(m) + 0.18 * ((count - 1) / 2 - number) for m in shown])
        ends = _ends([places[m] for m in shown])
        marks.append(
            Points(
                name=difference.rule,
                labels=tuple(shown),
                x=ends["value"],
                y=heights,
                x_low=ends["low"],
                x_high=ends["high"],
                y_low=heights,
                y_high=heights,
                color=line_color(number),
            )
        )
        rows += [(difference.rule, m, *_numbers(places[m])) for m in shown]
    return Figure(
        key="places",
        title="Where the members that each rule names lie among all members",
        caption=(
            "The mean place of the named members among all members of their model, from 0 (lowest) to 1 "
            "(highest); one half is average. Intervals: 95 % over models."
        ),
        alt=_said(rows),
        x=Axis(title="mean place among members", low=0.0, high=1.0, ticks=(0.0, 0.25, 0.5, 0.75, 1.0)),
        y=Axis(title="", categories=tuple(measures)),
        marks=(_upright("average", 0.5, len(measures)), *marks),
        table=Table(header=("rule", "measure", "place", "low", "high"), rows=tuple(rows)),
        height=110 + 44 * len(measures),
    )


def contrast_figure(key: str, title: str, contrasts: tuple[Contrast, ...]) -> Figure:
    """Cliff's delta of each measure, members given away against the others."""
    shown = contrasts[::-1]
    names = tuple(one.measure for one in shown)
    return Figure(
        key=key,
        title=title,
        caption=(
            "Cliff's delta: the chance that a member given away has the higher value, less the chance that "
            f"it has the lower one; {shown[0].vulnerable:,} members against {shown[0].others:,} others of "
            "one "
            "model. Intervals: 95 %, over records."
        ),
        alt=f"The largest difference is in {names[-1]}.",
        x=Axis(title="Cliff's delta", low=-1.0, high=1.0, ticks=(-1.0, -0.5, 0.0, 0.5, 1.0)),
        y=Axis(title="", categories=names),
        marks=(
            _upright("no difference", 0.0, len(names)),
            Intervals(name="Cliff's delta", rows=names, color=ACCENT, **_ends([c.dominance for c in shown])),
        ),
        table=Table(
            header=("measure", "delta", "low", "high", "p", "p_corrected"),
            rows=tuple((c.measure, *_numbers(c.dominance), c.p, c.p_corrected) for c in shown[::-1]),
        ),
        height=90 + 30 * len(shown),
    )


def ranking_figure(page: ExplanationPage) -> Figure:
    """The precision of cheap rankings at their top."""
    marks = tuple(
        Line(
            name=ranking.title,
            x=np.array([top.share for top in ranking.top]),
            y=np.array([_value(top.precision) for top in ranking.top]),
            color=line_color(number),
            dotted=True,
        )
        for number, ranking in enumerate(page.rankings)
    )
    first = page.rankings[0].top
    chance = Line(
        name="chance",
        x=np.array([top.share for top in first]),
        y=np.array([top.chance for top in first]),
        color=MUTED,
        dashed=True,
    )
    return Figure(
        key="rankings",
        title="How many of a ranking's first records LiRA names",
        caption=(
            "Precision of the first records of each ranking against the members that LiRA names at an FPR of "
            "0.1 %, or the lowest that the non-members carry; mean over models."
        ),
        alt=f"At the top {100 * first[0].share:g} %: "
        + ", ".join(f"{r.title} {100 * _value(r.top[0].precision):.0f} %" for r in page.rankings),
        x=Axis(title="share of members ranked first", percent=True, ticks=tuple(t.share for t in first)),
        y=Axis(title="named by LiRA", percent=True, low=0.0, high=1.04),
        marks=(*marks, chance),
        table=Table(
            header=("ranking", "share", "precision", "low", "high", "chance", "ceiling"),
            rows=tuple(
                (r.title, t.share, *_numbers(t.precision), t.chance, t.ceiling)
                for r in page.rankings
                for t in r.top
            ),
        ),
        height=340,
    )


def _ends(estimates: list[Estimate]) -> dict[str, Float[np.ndarray, "rows"]]:
    """Values and the ends of their intervals; where there is none, the value itself."""
    values = np.array([_value(e) for e in estimates])
    low = np.array([v if e.low is None else e.low for v, e in zip(values, estimates, strict=True)])
    high = np.array([v if e.high is None else e.high for v, e in zip(values, estimates, strict=True)])
    return {"value": values, "low": low, "high": high}


def _beyond(estimates: list[Estimate]) -> float:
    """A little beyond the highest end, and 0.05 at least."""
    return max(0.05, 1.05 * float(np.nanmax(_ends(estimates)["high"])))


def _upright(name: str, x: float, rows: int) -> Line:
    """A dashed line over all rows."""
    ends = np.array([-0.6, rows - 0.4])
    return Line(name=name, listed=False, x=np.full(2, x), y=ends, color=MUTED, dashed=True)


def _numbers(estimate: Estimate) -> tuple[float, ...]:
    return tuple(np.nan if end is None else end for end in (estimate.value, estimate.low, estimate.high))


def _value(estimate: Estimate) -> float:
    return np.nan if estimate.value is None else estimate.value


def _said(rows: list[tuple[Cell, ...]]) -> str:
    return "; ".join(f"{rule}, {measure}: {place:.2f}" for rule, measure, place, *_ in rows) + "."
