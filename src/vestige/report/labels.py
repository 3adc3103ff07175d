"""Names in figures: in how many lines, and where beside a point, so that none hides another."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from vestige.report.figure import Axis, Figure, Points

WIDTH, AROUND = 780.0, 90.0  # of what is drawn in, in pixels, and of what stands above and below it
LETTER, HEIGHT = 6.4, 14.0  # of a name
POINT = 7.0  # half of what a point takes
DISTANCES = (15.0, 24.0, 36.0, 50.0, 66.0, 84.0, 104.0)
ANGLES = np.deg2rad([270, 90, 315, 225, 45, 135, 0, 180, 292, 248, 68, 112])  # above and below come first

Boxes = Float64[np.ndarray, "boxes 4"]  # left, top, right and bottom
Place = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Label:
    """A name, the point that it belongs to, and how far right and down of it the name stands in pixels."""

    name: str
    x: float
    y: float
    right: float
    down: float
    color: str


def folded(name: str, length: int) -> str:
    """The name in lines of at most that many letters, as far as there are places to break it."""
    lines = [""]
    for part in re.findall(r"[^ /:+;,_]+[ /:+;,_]?", name):
        if lines[-1] and len(lines[-1]) + len(part.rstrip()) > length:
            lines.append("")
        lines[-1] += part
    return "<br>".join(line.rstrip() for line in lines)


def labels(figure: Figure) -> list[Label]:
    """The names of named points, as far as there is room for them."""
    marks = [mark for mark in figure.marks if isinstance(mark, Points)]
    if not any(mark.named and mark.labels for mark in marks):
        return []
    points = [
        (name if mark.named else "", float(x), float(y), mark.color)
        for mark in marks
        for name, x, y in zip(mark.labels, mark.x, mark.y, strict=True)
    ]
    size = (WIDTH, figure.height - AROUND)
    across = _along(figure.x, [e for m in marks for e in (m.x_low, m.x_high)], [x for _, x, *_ in points])
    up = _along(figure.y, [e for m in marks for e in (m.y_low, m.y_high)], [y for *_, y, _ in points])
    places = beside(np.column_stack([across, 1 - up]) * size, [name for name, *_ in points], size)
    return [
        Label(name=name, x=x, y=y, right=place[0], down=place[1], color=color)
        for (name, x, y, color), place in zip(points, places, strict=True)
        if place is not None
    ]


def beside(points: Float64[np.ndarray, "points 2"], names: Sequence[str], size: Place) -> list[Place | None]:
    """How far right and down of its point the middle of each name stands; None where there is no room.

    points: in pixels, from the upper left corner of a drawing of this size. An empty name is not placed.
    """
    taken = np.column_stack([points - POINT, points + POINT])
    found: list[Place | None] = []
    for point, name in zip(points, names, strict=True):
        place = next(_free(point, name, taken, size), None) if name else None
        found.append(place)
        if place is not None:
            taken = np.vstack([taken, _box(point + place, name)])
    return found


def _along(
    axis: Axis, ends: Sequence[Float64[np.ndarray, "_"]], values: Sequence[float]
) -> Float64[np.ndarray, "points"]:
    """Where values stand on an axis, from 0 to 1: between its limits, or else those of the intervals."""
    every = np.concatenate(ends)
    low = float(every.min()) if axis.low is None else axis.low
    high = float(every.max()) if axis.high is None else axis.high
    return (np.array(values) - low) / max(high - low, np.finfo(float).tiny)


def _free(point: Float64[np.ndarray, "2"], name: str, taken: Boxes, size: Place) -> Iterator[Place]:
    """The free places around a point, near ones first."""
    half = LETTER * len(name) / 2
    for distance in DISTANCES:
        for angle in ANGLES:
            right, down = float(np.cos(angle)), float(np.sin(angle))
            place = (right * (distance + half * abs(right)), down * distance)
            box = _box(point + place, name)
            inside = box[0] >= 0 and box[1] >= 0 and box[2] <= size[0] and box[3] <= size[1]
            if inside and not _overlaps(box, taken).any():
                yield place


def _box(middle: Float64[np.ndarray, "2"], name: str) -> Float64[np.ndarray, "4"]:
    half = np.array([LETTER * len(name) / 2, HEIGHT / 2])
    return np.concatenate([middle - half, middle + half])


def _overlaps(box: Float64[np.ndarray, "4"], others: Boxes) -> Bool[np.ndarray, "boxes"]:
    return np.all((box[:2] < others[:, 2:]) & (others[:, :2] < box[2:]), axis=1)
