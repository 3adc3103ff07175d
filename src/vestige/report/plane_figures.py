"""Figures of the FPR-TPR plane: where samples stand, and how they came there."""

import numpy as np

from vestige.report.arrays import ReportArrays
from vestige.report.colors import color_of
from vestige.report.figure import ACCENT, INK, MUTED, Area, Axis, Figure, Line, Table
from vestige.risk.exposure import ranking
from vestige.risk.plane import Plane

MOST = 10


def advantage_figure(arrays: ReportArrays, plane: Plane) -> Figure:
    """The records sorted by advantage at the last checkpoint."""
    order = ranking(plane)
    final = np.nan_to_num(plane.advantage[-1])[order]
    kept = np.unique(np.round(np.geomspace(1, len(final), min(len(final), 400))).astype(int)) - 1
    rank = (kept + 1).astype(np.float64)
    quarter = float(np.quantile(final, 0.99))
    return Figure(
        key="advantage",
        title="Records sorted by exposure",
        caption="Advantage is TPR − FPR of the record at the last checkpoint.",
        alt=f"The most exposed record has advantage {final[0]:.2f}, the median {np.median(final):.2f}; "
        f"one in a hundred is above {quarter:.2f}.",
        x=Axis(title="Rank of the record (1 = most exposed)", low=1.0, high=float(len(final)), log=True),
        y=Axis(title="Advantage", low=min(-0.05, float(final.min())), high=1.02),
        marks=(Line(name="advantage", x=rank, y=final[kept], color=ACCENT, listed=False),),
        table=Table(
            header=("rank", "record", "advantage"),
            rows=tuple((int(k) + 1, int(arrays.ids[order[k]]), float(final[k])) for k in kept),
        ),
        height=300,
    )


def shares_figure(plane: Plane) -> Figure:
    """The share of records in each region over training."""
    shares = plane.shares
    parts = plane.partition
    stacked = sorted(range(len(parts.names)), key=lambda region: (region not in parts.vulnerable, -region))
    areas = tuple(
        Area(name=parts.shown[r], x=plane.epochs, y=shares[:, r].copy(), color=color_of(parts, r))
        for r in stacked
    )
    high = plane.high.mean(1)
    return Figure(
        key="regions",
        title="Where the records stand over training",
        caption="The share of all records in each region of the plane, at each checkpoint.",
        alt=f"The share in vulnerable regions goes from {100 * high[0]:.1f} % to {100 * high[-1]:.1f} %.",
        x=Axis(title="Epoch"),
        y=Axis(title="Share of records", low=0.0, high=1.0, percent=True),
        marks=areas,
        table=Table(
            header=("epoch", *parts.shown),
            rows=tuple((float(e), *map(float, row)) for e, row in zip(plane.epochs, shares, strict=True)),
        ),
        height=320,
    )


def center_figure(plane: Plane) -> Figure:
    """Mean FPR, mean TPR and mean advantage over training."""
    center = plane.center_of_mass
    mean = np.nan_to_num(plane.advantage).mean(1)
    return Figure(
        key="center",
        title="The average record over training",
        caption="Mean over all records. Advantage is TPR − FPR.",
        alt=f"Mean advantage goes from {mean[0]:.3f} to {mean[-1]:.3f}.",
        x=Axis(title="Epoch"),
        y=Axis(title="Mean over records", low=min(0.0, float(mean.min()))),
        marks=(
            Line(name="TPR", x=plane.epochs, y=center[:, 1], color=ACCENT),
            Line(name="FPR", x=plane.epochs, y=center[:, 0], color="blue"),
            Line(name="advantage", x=plane.epochs, y=mean, color=INK, dashed=True),
        ),
        table=Table(
            header=("epoch", "fpr", "tpr", "advantage"),
            rows=tuple(
                (float(e), float(c[0]), float(c[1]), float(a))
                for e, c, a in zip(plane.epochs, center, mean, strict=True)
            ),
        ),
        height=300,
    )


def trajectory_figure(arrays: ReportArrays, plane: Plane) -> Figure:
    """Advantage of the most exposed records over training, before the spread of all records."""
    top = ranking(plane)[:MOST]
    advantage = np.nan_to_num(plane.advantage)
    low, middle, high = np.quantile(advantage, (0.1, 0.5, 0.9), axis=1)
    paths = tuple(
        Line(name=f"record {arrays.ids[i]}", x=plane.epochs, y=advantage[:, i], color="High", listed=False)
        for i in top
    )
    return Figure(
        key="trajectories",
        title=f"The {len(top)} most exposed records over training",
        caption="Each red line is one record. Gray: the median record, in a band with 80 % of all records.",
        alt=f"At the last checkpoint the ten lie between advantage {advantage[-1, top].min():.2f} and "
        f"{advantage[-1, top].max():.2f}; the median record at {middle[-1]:.2f}.",
        x=Axis(title="Epoch"),
        y=Axis(title="Advantage", low=min(-0.1, float(low.min())), high=1.02),
        marks=(Line(name="all records", x=plane.epochs, y=middle, low=low, high=high, color=MUTED), *paths),
        table=Table(
            header=("record", "epoch", "fpr", "tpr", "advantage"),
            rows=tuple(
                (int(arrays.ids[i]), float(e), *(float(np.nan_to_num(x)) for x in (f, t, t - f)))
                for i in top
                for e, f, t in zip(plane.epochs, plane.fpr[:, i], plane.tpr[:, i], strict=True)
            ),
        ),
        height=320,
    )
