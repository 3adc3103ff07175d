"""Figures of the FPR-TPR plane: where samples stand, and how they came there."""

import numpy as np
from jaxtyping import Float64, Int

from vestige.report.arrays import ReportArrays
from vestige.report.figure import ACCENT, INK, MUTED, Area, Axis, Dots, Figure, Frame, Line, Table
from vestige.risk.exposure import class_name, ranking
from vestige.risk.plane import Plane
from vestige.risk.region import REGIONS

MOST = 10
MOST_CELLS = 2000  # more circles than this can be neither drawn quickly nor told apart
COARSE = 50  # cells per axis when there are more
NAMED_PER_CELL = 6

PALETTE = ("blue", "amber", "violet", "rose", "green", "slate")
Cells = list[Int[np.ndarray, "_samples"]]


def plane_figure(arrays: ReportArrays, plane: Plane) -> Figure:
    """Every sample on the plane, one frame per checkpoint; circles grow with the samples they hold."""
    top = ranking(plane)[:MOST]
    frames = tuple(
        Frame(label=f"{plane.epochs[c]:g}", marks=_frame_marks(arrays, plane, c, top))
        for c in range(len(plane.epochs))
    )
    last = plane.shares[-1]
    shares = ", ".join(
        f"{name} {100 * share:.1f} %" for name, share in zip(plane.partition.shown, last, strict=True)
    )
    return Figure(
        key="plane",
        title="Every record on the FPR–TPR plane",
        caption=(
            "Each circle holds the records that are named equally often: up, by models trained with them "
            "(TPR); across, by models trained without them (FPR). Larger circles hold more records. On the "
            f"dashed line membership makes no difference. Rings mark the {len(top)} most exposed at the end. "
            "Step through training with the slider or the arrow keys."
        ),
        alt=f"At the last checkpoint the records lie in these regions: {shares}.",
        x=Axis(title="FPR: named by models trained without it", low=-0.03, high=1.03, percent=True),
        y=Axis(title="TPR: named by models trained with it", low=-0.03, high=1.03, percent=True),
        marks=frames[-1].marks,
        table=_cell_table(plane),
        frames=frames,
        height=620,
        square=True,
    )


def color_of(names: tuple[str, ...], region: int) -> str:
    """The color of a region: its own if it is one of the five, else by its number."""
    return names[region] if names[region] in REGIONS else PALETTE[region % len(PALETTE)]


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
        Area(name=parts.shown[r], x=plane.epochs, y=shares[:, r].copy(), color=color_of(parts.names, r))
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


def _frame_marks(
    arrays: ReportArrays, plane: Plane, checkpoint: int, top: Int[np.ndarray, "top"]
) -> tuple[Line | Dots, ...]:
    points = _points(plane, checkpoint)
    cells = _cells(points)
    x, y = (np.array([points[c[0], axis] for c in cells]) for axis in (0, 1))
    parts = plane.partition
    regions = parts.of(x, y)
    marks: list[Line | Dots] = [_diagonal()]
    for region, name in enumerate(parts.shown):
        inside = np.flatnonzero(regions == region)
        marks.append(
            Dots(
                name=name,
                x=x[inside],
                y=y[inside],
                color=color_of(parts.names, region),
                count=np.array([len(cells[i]) for i in inside], np.float64),
                text=tuple(_cell_text(arrays, cells[i], x[i], y[i]) for i in inside),
            )
        )
    marks.append(
        Dots(
            name="most exposed",
            x=points[top, 0],
            y=points[top, 1],
            color=INK,
            count=np.ones(len(top)),
            text=tuple(f"record {_named(arrays, int(i))}" for i in top),
            ringed=True,
        )
    )
    return tuple(marks)


def _diagonal() -> Line:
    ends = np.array([0.0, 1.0])
    return Line(name="no difference", x=ends, y=ends, color=MUTED, dashed=True, listed=False)


def _points(plane: Plane, checkpoint: int) -> Float64[np.ndarray, "samples 2"]:
    """FPR and TPR of each sample; coarser where the exact values make too many circles."""
    points = np.nan_to_num(np.stack([plane.fpr[checkpoint], plane.tpr[checkpoint]], 1))
    if len(np.unique(points.round(9), axis=0)) > MOST_CELLS:
        return np.round(points * COARSE) / COARSE
    return points


def _cells(points: Float64[np.ndarray, "samples 2"]) -> Cells:
    """The samples at each distinct point."""
    if len(points) == 0:
        return []
    _, index = np.unique(points.round(9), axis=0, return_inverse=True)
    order = np.argsort(index, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(index[order])) + 1)


def _cell_text(arrays: ReportArrays, cell: Int[np.ndarray, "_samples"], fpr: float, tpr: float) -> str:
    names = ", ".join(_named(arrays, int(i)) for i in cell[:NAMED_PER_CELL])
    more = f" and {len(cell) - NAMED_PER_CELL:,} more" if len(cell) > NAMED_PER_CELL else ""
    noun = "record" if len(cell) == 1 else "records"
    return f"FPR {100 * fpr:.1f} %, TPR {100 * tpr:.1f} %<br>{len(cell):,} {noun}: {names}{more}"


def _named(arrays: ReportArrays, position: int) -> str:
    if arrays.labels is None:
        return str(arrays.ids[position])
    return f"{arrays.ids[position]} ({class_name(int(arrays.labels[position]), arrays.class_names)})"


def _cell_table(plane: Plane) -> Table:
    rows: list[tuple[float, float, float, int]] = []
    for checkpoint, epoch in enumerate(plane.epochs):
        points = _points(plane, checkpoint)
        rows += [
            (float(epoch), float(points[c[0], 0]), float(points[c[0], 1]), len(c)) for c in _cells(points)
        ]
    return Table(header=("epoch", "fpr", "tpr", "records"), rows=tuple(rows))
