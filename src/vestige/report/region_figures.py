"""Figures of a page about regions: accuracy against leakage of protections, and how probes agree."""

from collections.abc import Sequence

import numpy as np

from vestige.report.figure import Axis, Figure, Grid, Points, Table
from vestige.report.region_rows import ProtectionTried, RegionPage, value_of
from vestige.risk.estimate import Estimate

LONE = ("blue", "violet", "rose", "green", "slate")  # colors of what no line joins


def protections_figure(page: RegionPage) -> Figure:
    """Accuracy against AUC, a point for each protection, those that grow from either end joined."""
    marks = [
        _points("from the output backward", [page.protection(w) for w in page.suffixes], "accent", True),
        _points("from the input forward", [page.protection(w) for w in page.prefixes], "amber", True),
    ]
    joined = {*page.suffixes, *page.prefixes}
    alone = [one for one in page.tried if one.words not in joined]
    marks += [_points(one.words, [one], LONE[place % len(LONE)], True) for place, one in enumerate(alone)]
    for words, color in (("none", "ink"), ("all", "High")):
        marks.append(_points(f"protect={words}", [page.protection(words)], color, False))
    return Figure(
        key="protections",
        title=f"{page.defense} in some regions: accuracy against the likelihood-ratio attack",
        caption=(
            "To the right: more accurate on records that were not trained on. Down: less leaked. Lines add "
            "one region after the other, from no defense to one everywhere. Intervals: 95 %, over models."
        ),
        alt=_described(page.tried),
        x=Axis(title="Accuracy on non-members"),
        y=Axis(title="AUC of the likelihood-ratio attack"),
        marks=tuple(marks),
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
        x=Axis(title="", categories=names),
        y=Axis(title="", categories=names),
        marks=(Grid(rows=names, columns=names, values=page.correlations, low=-1.0, high=1.0),),
        table=Table(header=("probe", "other", "spearman", "kendall"), rows=rows),
        height=110 + 42 * len(names),
    )


def _points(name: str, tried: Sequence[ProtectionTried], color: str, joined: bool) -> Points:
    known = [one for one in tried if np.isfinite(value_of(one.accuracy)) and np.isfinite(value_of(one.auc))]

    def ends(estimates: Sequence[Estimate]) -> list[np.ndarray]:
        return [
            np.array([value_of(e) if (found := getattr(e, end)) is None else found for e in estimates], float)
            for end in ("value", "low", "high")
        ]

    x, x_low, x_high = ends([one.accuracy for one in known])
    y, y_low, y_high = ends([one.auc for one in known])
    return Points(
        name=name,
        labels=tuple(one.words for one in known),
        x=x, y=y, x_low=x_low, x_high=x_high, y_low=y_low, y_high=y_high,
        color=color,
        joined=joined,
    )  # fmt: skip


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
