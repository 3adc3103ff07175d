"""Figures of a page about regions: accuracy against leakage of protections, and how probes agree."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from vestige.report.figure import Axis, Figure, Grid, Line, Points, Table
from vestige.report.region_rows import ProtectionTried, RegionPage, value_of, values_of
from vestige.risk.estimate import Estimate

BACKWARD, FORWARD, ALONE = "from the output backward", "from the input forward", "one region alone"
LEAST = 0.01  # of an axis, so that nothing is drawn apart where all is alike
Values = Float64[np.ndarray, "estimates"]


def protections_figure(page: RegionPage) -> Figure:
    """Accuracy against AUC, a point for each protection, those that grow from either end joined."""
    kinds = ((BACKWARD, page.suffixes, "accent"), (FORWARD, page.prefixes, "amber"))
    lines = [_line(name, [page.protection(w) for w in words], color) for name, words, color in kinds]
    drawn = {words: (name, color) for name, several, color in kinds for words in several}
    drawn |= {"none": ("protect=none", "ink"), "all": ("protect=all", "High")}
    groups: dict[tuple[str, str], list[ProtectionTried]] = {}
    for one in page.tried[::-1]:  # none and all come first there, and belong on top
        groups.setdefault(drawn.get(one.words, (ALONE, "blue")), []).append(one)
    marks = [_points(name, tried, color) for (name, color), tried in groups.items()]
    return Figure(
        key="protections",
        title=f"{page.defense} in some regions: accuracy against the likelihood-ratio attack",
        caption=(
            "To the right: more accurate on records that were not trained on. Down: less leaked. Lines add "
            "one region after the other, from no defense to one everywhere. Intervals: 95 %, over models; "
            "those that reach the frame go on beyond it. Names without room show under the pointer."
        ),
        alt=_described(page.tried),
        x=_axis("Accuracy on non-members", [one.accuracy for one in page.tried]),
        y=_axis("AUC of the likelihood-ratio attack", [one.auc for one in page.tried]),
        marks=(*lines, *marks),
        table=_table(page.tried),
        height=460,
    )


def agreement_figure(page: RegionPage) -> Figure:
    """The rank correlations of every two probes."""
    names = tuple(probe.name for probe in page.probes)
    pairs = [(one, other) for one in range(len(names)) for other in range(len(names))]
    rows = tuple(
        (names[i], names[j], float(page.correlations[i, j]), float(page.kendall[i, j])) for i, j in pairs
    )
    return Figure(
        key="agreement",
        title="Do probes rank the regions alike?",
        caption="Spearman's rank correlation of privacy risk over regions, from -1 to 1.",
        alt=page.agreement,
        x=Axis(title="", categories=names, line=12),
        y=Axis(title="", categories=names, line=14),
        marks=(Grid(rows=names, columns=names, values=page.correlations, low=-1.0, high=1.0),),
        table=Table(header=("probe", "other", "spearman", "kendall"), rows=rows),
        height=110 + 42 * len(names),
    )


def _points(name: str, tried: Sequence[ProtectionTried], color: str) -> Points:
    known = _known(tried)
    x, x_low, x_high = _ends([one.accuracy for one in known])
    y, y_low, y_high = _ends([one.auc for one in known])
    return Points(
        name=name,
        labels=tuple(one.words for one in known),
        x=x, y=y, x_low=x_low, x_high=x_high, y_low=y_low, y_high=y_high,
        color=color,
        named=True,
    )  # fmt: skip


def _line(name: str, tried: Sequence[ProtectionTried], color: str) -> Line:
    known = _known(tried)
    x, y = (values_of([getattr(one, metric) for one in known]) for metric in ("accuracy", "auc"))
    return Line(name=name, x=x, y=y, color=color, dashed=True, listed=False)


def _known(tried: Sequence[ProtectionTried]) -> list[ProtectionTried]:
    return [one for one in tried if np.isfinite(value_of(one.accuracy)) and np.isfinite(value_of(one.auc))]


def _ends(estimates: Sequence[Estimate]) -> list[Values]:
    """The values, the lower and the upper ends; the value itself where there is no interval."""
    return [
        np.array([value_of(e) if (found := getattr(e, end)) is None else found for e in estimates], float)
        for end in ("value", "low", "high")
    ]


def _axis(title: str, estimates: Sequence[Estimate]) -> Axis:
    """An axis with all intervals, or as much of them as leaves the values half of its length."""
    values, lows, highs = _ends([one for one in estimates if one.value is not None])
    if not len(values):
        return Axis(title=title)
    room = 0.5 * max(float(np.ptp(values)), LEAST)
    low, high = (max(lows.min(), values.min() - room), min(highs.max(), values.max() + room))
    edge = 0.06 * (high - low)
    return Axis(title=title, low=float(low - edge), high=float(high + edge))


def _described(tried: Sequence[ProtectionTried]) -> str:
    rows = [f"{one.words}: {value_of(one.accuracy):.3f} and {value_of(one.auc):.3f}" for one in tried]
    return f"Accuracy and AUC by protected regions. {'; '.join(rows)}."


def _table(tried: Sequence[ProtectionTried]) -> Table:
    metrics = ("accuracy", "auc", "tpr", "loss_auc", "privacy", "generalization")
    header = ("protect", *(f"{metric}{end}" for metric in metrics for end in ("", "_low", "_high")))
    rows = tuple(
        (
            one.words,
            *(
                float("nan") if (found := getattr(getattr(one, metric), end)) is None else float(found)
                for metric in metrics
                for end in ("value", "low", "high")
            ),
        )
        for one in tried
    )
    return Table(header=header, rows=rows)
