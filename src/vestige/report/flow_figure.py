"""The flow of records between regions over training."""

import itertools

import numpy as np
from jaxtyping import Int

from vestige.report.colors import color_of
from vestige.report.figure import Axis, Figure, Flow, Stop, Table
from vestige.risk.plane import Plane

STAGES = 5
MOST_REGIONS = 12  # a flow between more regions cannot be read
GAP = 0.06  # of the figure's height, between regions


def flow_figure(plane: Plane) -> Figure | None:
    """Who went where between up to five checkpoints, without those who stay in the fullest region.

    None if no record ever changes its region, or if there are too many regions to draw.
    """
    chosen = stages(plane)
    counts = [_moves(plane, a, b) for a, b in itertools.pairwise(chosen)]
    fullest = int(plane.shares.sum(0).argmax())
    drawn = [one.copy() for one in counts]
    for one in drawn:
        one[fullest, fullest] = 0
    if len(plane.partition.names) > MOST_REGIONS or not any(one.any() for one in drawn):
        return None
    names, epochs = plane.partition.shown, [f"{plane.epochs[c]:g}" for c in chosen]
    return Figure(
        key="flow",
        title="Who goes where",
        caption=(
            "Bands are records on their way between regions, as wide as they are many, colored by where they "
            f"arrive. The records that stay in {names[fullest]} are left out, or nothing else could be seen."
        ),
        alt=_alt(plane, counts, epochs),
        x=Axis(title=""),
        y=Axis(title=""),
        marks=(_flow(plane, drawn, tuple(f"epoch {e}" for e in epochs)),),
        table=Table(
            header=("start_epoch", "end_epoch", "from", "to", "records"),
            rows=tuple(
                (float(plane.epochs[a]), float(plane.epochs[b]), names[i], names[j], int(one[i, j]))
                for (a, b), one in zip(itertools.pairwise(chosen), counts, strict=True)
                for i, j in np.argwhere(one)
            ),
        ),
        height=420,
    )


def stages(plane: Plane) -> list[int]:
    """The first and the last checkpoint, and up to three between that part the moves into equal shares."""
    last = len(plane.epochs) - 1
    moves = np.cumsum((plane.regions[1:] != plane.regions[:-1]).sum(1))
    shares = np.arange(1, STAGES - 1) / (STAGES - 1)
    between = np.searchsorted(moves, shares * moves[-1]) + 1
    return sorted({0, last, *(int(c) for c in between if 0 < c < last)})


def _moves(plane: Plane, start: int, end: int) -> Int[np.ndarray, "regions regions"]:
    regions = len(plane.partition.names)
    pairs = plane.regions[start].astype(np.int64) * regions + plane.regions[end]
    return np.bincount(pairs, minlength=regions**2).reshape(regions, regions)


def _flow(plane: Plane, counts: list[Int[np.ndarray, "regions regions"]], labels: tuple[str, ...]) -> Flow:
    sizes = _sizes(counts)
    order = sorted(range(len(plane.partition.names)), key=lambda r: (r not in plane.partition.vulnerable, -r))
    places = _places(sizes, order)
    number: dict[tuple[int, int], int] = {}
    stops: list[Stop] = []
    for column, row in enumerate(sizes):
        for region in order:
            if row[region]:
                number[column, region] = len(stops)
                stops.append(
                    Stop(
                        name=plane.partition.shown[region],
                        color=color_of(plane.partition, region),
                        column=column,
                        place=float(places[column, region]),
                    )
                )
    links = tuple(
        (number[column, int(i)], number[column + 1, int(j)], int(one[i, j]))
        for column, one in enumerate(counts)
        for i, j in np.argwhere(one)
    )
    return Flow(stages=labels, stops=tuple(stops), links=links)


def _sizes(counts: list[Int[np.ndarray, "regions regions"]]) -> Int[np.ndarray, "stages regions"]:
    """How many drawn records pass each stop: those that arrive or those that leave, if more."""
    leave = np.stack([one.sum(1) for one in counts] + [np.zeros_like(counts[0][0])])
    arrive = np.stack([np.zeros_like(counts[0][0])] + [one.sum(0) for one in counts])
    return np.maximum(leave, arrive)


def _places(sizes: Int[np.ndarray, "stages regions"], order: list[int]) -> np.ndarray:
    """The middle of each stop, regions below one another in the same order at every stage."""
    present = (sizes > 0).sum(1).max()
    scale = (1 - GAP * (present - 1)) / max(int(sizes.sum(1).max()), 1)
    places = np.zeros(sizes.shape)
    for column, row in enumerate(sizes):
        top = 0.0
        for region in order:
            if row[region]:
                places[column, region] = top + row[region] * scale / 2
                top += row[region] * scale + GAP
    return places


def _alt(plane: Plane, counts: list[Int[np.ndarray, "regions regions"]], epochs: list[str]) -> str:
    vulnerable = list(plane.partition.vulnerable)
    others = [r for r in range(len(plane.partition.names)) if r not in vulnerable]
    parts = [
        f"from epoch {a} to {b}, {one[np.ix_(others, vulnerable)].sum():,} enter the vulnerable regions and "
        f"{one[np.ix_(vulnerable, others)].sum():,} leave"
        for (a, b), one in zip(itertools.pairwise(epochs), counts, strict=True)
    ]
    return f"{'; '.join(parts)}."
