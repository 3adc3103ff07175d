"""A figure as data: axes, marks, and the table behind them."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

# Names of colors and of marker shapes; the drawing chooses how they look.
INK, ACCENT, MUTED = "ink", "accent", "muted"

Cell = str | int | float


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One axis; limits in data units, also where `log` is true. ticks: where numbers stand.

    bare: without numbers, where they have no meaning. line: how many letters of a category's name stand in
    one line, if they are to be folded.
    """

    title: str
    low: float | None = None
    high: float | None = None
    log: bool = False
    percent: bool = False
    categories: tuple[str, ...] = ()
    ticks: tuple[float, ...] = ()
    bare: bool = False
    line: int | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Line:
    """A line through points, with a band if low and high are given; dotted marks each point."""

    name: str
    x: Float[np.ndarray, "points"]
    y: Float[np.ndarray, "points"]
    color: str
    low: Float[np.ndarray, "points"] | None = None
    high: Float[np.ndarray, "points"] | None = None
    dashed: bool = False
    listed: bool = True
    dotted: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Intervals:
    """One estimate with its interval per row of a vertical list."""

    name: str
    rows: tuple[str, ...]
    value: Float[np.ndarray, "rows"]
    low: Float[np.ndarray, "rows"]
    high: Float[np.ndarray, "rows"]
    color: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Area:
    """A layer of a stack of areas."""

    name: str
    x: Float[np.ndarray, "points"]
    y: Float[np.ndarray, "points"]
    color: str


@dataclass(frozen=True, kw_only=True)
class Stop:
    """A group at one stage of a flow; column counts stages from 0, place is its height from 0 (top) to 1."""

    name: str
    color: str
    column: int
    place: float


@dataclass(frozen=True, kw_only=True)
class Flow:
    """How many go from stop to stop; links hold the numbers of two stops and a count."""

    stages: tuple[str, ...]
    stops: tuple[Stop, ...]
    links: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Points:
    """Points with names and an interval along either axis.

    joined draws a line through them in their order. named writes their names beside them, as far as there is
    room; those of others show under the pointer.
    """

    name: str
    labels: tuple[str, ...]
    x: Float[np.ndarray, "points"]
    y: Float[np.ndarray, "points"]
    x_low: Float[np.ndarray, "points"]
    x_high: Float[np.ndarray, "points"]
    y_low: Float[np.ndarray, "points"]
    y_high: Float[np.ndarray, "points"]
    color: str
    joined: bool = False
    named: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Dots:
    """Many small points of one kind, without labels; ringed ones are larger, with a dark edge."""

    name: str
    x: Float[np.ndarray, "points"]
    y: Float[np.ndarray, "points"]
    color: str
    ringed: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Grid:
    """A number for each pair of a row and a column, from low to high."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: Float[np.ndarray, "rows columns"]
    low: float
    high: float


Mark = Line | Intervals | Area | Flow | Points | Dots | Grid


@dataclass(frozen=True, kw_only=True)
class Table:
    """Columns and rows, as they are written to CSV."""

    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """What is drawn, what it means, and the numbers behind it.

    alt: what a reader who cannot see the figure should know.
    """

    key: str
    title: str
    caption: str
    alt: str
    x: Axis
    y: Axis
    marks: tuple[Mark, ...]
    table: Table
    height: int = 380
