"""Figures of the shown model, as data: scaled logits over training, and its members on a plane."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool

from vestige.report.colors import class_color
from vestige.report.explanation_page import ExplanationPage, Logits, Plot2D
from vestige.report.figure import MUTED, Axis, Dots, Figure, Line, Table
from vestige.risk.exposure import class_name

CHECKPOINTS = 6  # distributions shown, the first and the last among them
GIVEN_AWAY = "High"  # the color of members that are given away


def logit_figures(found: Logits) -> tuple[Figure, ...]:
    """The distributions of scaled logits of members and others at some checkpoints."""
    last = len(found.epochs) - 1
    rows = np.unique(np.linspace(0, last, min(CHECKPOINTS, last + 1)).round().astype(int))
    return tuple(_logits_at(found, int(row)) for row in rows)


def _logits_at(found: Logits, row: int) -> Figure:
    middles = (found.edges[:-1] + found.edges[1:]) / 2
    epoch = f"{found.epochs[row]:g}"
    sides = (("members", found.members[row], GIVEN_AWAY), ("others", found.nonmembers[row], "blue"))
    return Figure(
        key=f"logits-epoch-{epoch}",
        title=f"Epoch {epoch}: AUC {found.auc[row]:.3f}",
        caption=f"Advantage {found.advantage[row]:.3f}.",
        alt=f"One threshold on the scaled logit has an AUC of {found.auc[row]:.3f}.",
        x=Axis(title="scaled logit"),
        y=Axis(title="share", percent=True),
        marks=tuple(Line(name=name, x=middles, y=share, color=color) for name, share, color in sides),
        table=Table(
            header=("scaled_logit", "members", "others"),
            rows=tuple(
                (float(x), float(m), float(o))
                for x, m, o in zip(middles, found.members[row], found.nonmembers[row], strict=True)
            ),
        ),
        height=220,
    )


def plot_figure(plot: Plot2D, page: ExplanationPage) -> Figure:
    """All members on the plane, colored by class, with those given away marked."""
    classes = np.unique(plot.labels)
    marks = [
        Dots(
            name=class_name(int(c), page.class_names),
            x=plot.points[plot.labels == c, 0],
            y=plot.points[plot.labels == c, 1],
            color=class_color(int(c)),
        )
        for c in classes
    ]
    marks.append(_marked(plot, np.ones(len(plot.labels), bool)))
    return Figure(
        key="plane-of-features",
        title="The members as the model sees them (t-SNE)",
        caption=(
            f"Penultimate features, perplexity {plot.perplexity:g}. Only who is near to whom has a meaning: "
            "of "
            f"a record's ten nearest neighbors by features, {100 * plot.neighbors_kept:.0f} % are among its "
            "ten nearest here. Ringed: given away."
        ),
        alt=f"{int(plot.vulnerable.sum())} of {len(plot.labels)} members are marked as given away.",
        x=Axis(title="", bare=True),
        y=Axis(title="", bare=True),
        marks=tuple(marks),
        table=_plot_table(plot),
        height=560,
    )


def class_figures(plot: Plot2D, page: ExplanationPage) -> Iterator[Figure]:
    """One panel per class, each as near as its members allow."""
    for c in np.unique(plot.labels):
        own = plot.labels == c
        name = class_name(int(c), page.class_names)
        others = Dots(name="members", x=plot.points[own, 0], y=plot.points[own, 1], color=MUTED)
        yield Figure(
            key=f"plane-of-class-{int(c)}",
            title=name,
            caption=f"{int((own & plot.vulnerable).sum())} of {int(own.sum())} given away.",
            alt=f"The members of {name} on the plane.",
            x=Axis(title="", bare=True),
            y=Axis(title="", bare=True),
            marks=(others, _marked(plot, own)),
            table=_plot_table(plot, own),
            height=240,
        )


def _marked(plot: Plot2D, own: Bool[np.ndarray, "points"]) -> Dots:
    chosen = own & plot.vulnerable
    return Dots(
        name="given away",
        x=plot.points[chosen, 0],
        y=plot.points[chosen, 1],
        color=GIVEN_AWAY,
        ringed=True,
    )


def _plot_table(plot: Plot2D, own: np.ndarray | None = None) -> Table:
    rows = np.arange(len(plot.labels)) if own is None else np.flatnonzero(own)
    return Table(
        header=("sample", "label", "given_away", "x", "y"),
        rows=tuple(
            (int(plot.ids[r]), int(plot.labels[r]), int(plot.vulnerable[r]), *map(float, plot.points[r]))
            for r in rows
        ),
    )
