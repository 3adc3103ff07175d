"""Figures as files for print, PNG or SVG, drawn by Matplotlib; the only file that imports it."""

from collections.abc import Mapping, Sequence
from functools import singledispatch
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int, UInt8

from vestige.core.errors import InputError
from vestige.core.files import replacing
from vestige.report.colors import COLORS
from vestige.report.figure import Area, Axis, Dots, Figure, Intervals, Line, Mark, Points

WIDTH = 6.4  # inches: one column and a half of a journal
PIXELS_PER_INCH = 200
PANEL = (2.4, 2.0)  # inches of one panel of several
RING = "#14181f"


def matplotlib() -> Any:
    """Matplotlib's figure class, an extra. Raises InputError where it is not installed."""
    try:
        from matplotlib import figure
    except ImportError as error:
        raise InputError('figures as files need Matplotlib; pip install "vestige[explain]"') from error
    return figure.Figure


def draw(figure: Figure, path: Path) -> Path:
    """Write the figure in one step as .png or .svg, by the path's suffix; its path.

    Raises InputError for another suffix, and where Matplotlib is not installed.
    """
    canvas = matplotlib()(figsize=(WIDTH, figure.height / 100 + 0.3), layout="constrained")
    axes = canvas.subplots()
    _fill(axes, figure)
    if len([mark for mark in figure.marks if _listed(mark)]) > 1:
        axes.legend(fontsize=7, frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return _save(canvas, path)


def draw_panels(figures: Sequence[Figure], path: Path, columns: int = 5) -> Path:
    """Write several figures side by side as one file, which all share the first one's legend; its path."""
    columns = min(columns, len(figures))
    rows = -(-len(figures) // columns)
    size = (PANEL[0] * columns, PANEL[1] * rows + 0.4)
    canvas = matplotlib()(figsize=size, layout="constrained")
    grid = canvas.subplots(rows, columns, squeeze=False).ravel()
    for axes, figure in zip(grid, figures, strict=False):
        _fill(axes, figure, small=True)
    for axes in grid[len(figures) :]:
        axes.set_axis_off()
    handles, labels = grid[0].get_legend_handles_labels()
    canvas.legend(handles, labels, fontsize=7, frameon=False, loc="outside lower center", ncols=len(labels))
    return _save(canvas, path)


def gallery(
    pictures: UInt8[np.ndarray, "pictured channels height width"],
    maps: Float[np.ndarray, "records map_height map_width"],
    rows: Mapping[str, Int[np.ndarray, "_"]],
    path: Path,
) -> Path:
    """Write rows of pictures, each with its map laid over as a second line, as one file; its path.

    rows: by title, which records stand in it.
    """
    columns = max(len(places) for places in rows.values())
    canvas = matplotlib()(figsize=(0.9 * columns, 2.0 * len(rows)), layout="constrained")
    grid = canvas.subplots(2 * len(rows), columns, squeeze=False)
    for axes in grid.ravel():
        axes.set_axis_off()
    for line, (title, places) in enumerate(rows.items()):
        grid[2 * line][0].set_title(title, fontsize=8, loc="left")
        for column, place in enumerate(places):
            picture = pictures[place].transpose(1, 2, 0).squeeze()
            for axes in grid[2 * line : 2 * line + 2, column]:
                axes.imshow(picture, cmap="gray", vmin=0, vmax=255)
            height, width = picture.shape[:2]
            around = (-0.5, width - 0.5, height - 0.5, -0.5)
            laid = {"cmap": "jet", "alpha": 0.45, "vmin": 0, "vmax": 1, "extent": around}
            grid[2 * line + 1, column].imshow(maps[place], interpolation="bilinear", **laid)
    return _save(canvas, path)


def _save(canvas: Any, path: Path) -> Path:
    if path.suffix not in (".png", ".svg"):
        raise InputError(f"path={path} must end in .png or .svg")
    path.parent.mkdir(parents=True, exist_ok=True)
    # the date would make equal figures differ
    metadata = {"Date": None} if path.suffix == ".svg" else None
    with replacing(path) as temporary, _named_alike():
        canvas.savefig(temporary, format=path.suffix[1:], dpi=PIXELS_PER_INCH, metadata=metadata)
    return path


def _named_alike() -> Any:
    """Within it, equal figures get equal names of their parts in SVG, which are random otherwise."""
    from matplotlib import rc_context

    return rc_context({"svg.hashsalt": "vestige"})


def _fill(axes: Any, figure: Figure, *, small: bool = False) -> None:
    for mark in figure.marks:
        _drawn(mark, axes)
    _dress(axes.xaxis, axes.set_xlim, axes.set_xscale, figure.x)
    _dress(axes.yaxis, axes.set_ylim, axes.set_yscale, figure.y)
    axes.set_title(figure.title, fontsize=7 if small else 9, loc="left")
    axes.set_xlabel(figure.x.title, fontsize=7 if small else 8)
    axes.set_ylabel(figure.y.title, fontsize=7 if small else 8)
    axes.tick_params(labelsize=6 if small else 7)
    axes.spines[["top", "right"]].set_visible(False)


def _dress(part: Any, limit: Any, scale: Any, axis: Axis) -> None:
    """The ticks, limits and scale of one axis."""
    if axis.log:
        scale("log")
    if axis.categories:
        part.set_ticks(range(len(axis.categories)), axis.categories)
        limit(-0.6, len(axis.categories) - 0.4)
        return
    limit(axis.low, axis.high)
    if axis.bare:
        part.set_ticks([])
    elif axis.ticks:
        part.set_ticks(list(axis.ticks))
    if axis.percent:
        part.set_major_formatter(_as_percent)


def _as_percent(value: float, _place: int) -> str:
    return f"{100 * value:.3g} %"


def _listed(mark: Mark) -> bool:
    return not isinstance(mark, Intervals) and getattr(mark, "listed", True)


@singledispatch
def _drawn(mark: Mark, axes: Any) -> None:
    raise TypeError(f"no drawing for {type(mark).__name__}")


@_drawn.register
def _(mark: Line, axes: Any) -> None:
    color = COLORS[mark.color]
    if mark.low is not None and mark.high is not None:
        axes.fill_between(mark.x, mark.low, mark.high, color=color, alpha=0.16, linewidth=0)
    style = {
        "linestyle": ":" if mark.dashed else "-",
        "marker": "o" if mark.dotted else None,
        "markersize": 3,
    }
    label = mark.name if mark.listed else None
    axes.plot(mark.x, mark.y, color=color, linewidth=1.0 if mark.dashed else 1.5, label=label, **style)


@_drawn.register
def _(mark: Area, axes: Any) -> None:
    axes.fill_between(mark.x, mark.y, color=COLORS[mark.color], alpha=0.75, linewidth=0, label=mark.name)


@_drawn.register
def _(mark: Intervals, axes: Any) -> None:
    ends = np.stack([mark.value - mark.low, mark.high - mark.value])
    style = {"fmt": "o", "markersize": 4, "capsize": 2, "linewidth": 1.0}
    axes.errorbar(mark.value, range(len(mark.rows)), xerr=ends, color=COLORS[mark.color], **style)


@_drawn.register
def _(mark: Points, axes: Any) -> None:
    across = np.stack([mark.x - mark.x_low, mark.x_high - mark.x])
    up = np.stack([mark.y - mark.y_low, mark.y_high - mark.y])
    style = {"fmt": "o:" if mark.joined else "o", "markersize": 4, "capsize": 2, "linewidth": 1.0}
    axes.errorbar(mark.x, mark.y, xerr=across, yerr=up, color=COLORS[mark.color], label=mark.name, **style)


@_drawn.register
def _(mark: Dots, axes: Any) -> None:
    style = {"s": 22, "edgecolors": RING, "linewidths": 0.7} if mark.ringed else {"s": 4, "alpha": 0.55}
    axes.scatter(mark.x, mark.y, color=COLORS[mark.color], label=mark.name, **style)
