"""Figures drawn by plotly; the only file that imports it."""

from functools import singledispatch
from typing import Any

import numpy as np
from plotly import graph_objects as go  # pyright: ignore[reportMissingTypeStubs]
from plotly.io import to_html  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]
from plotly.offline import get_plotlyjs  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

from vestige.report.figure import Area, Axis, Dots, Figure, Intervals, Line, Mark

# Mid-tones that keep apart from white and from near-black paper, and from each other for most color vision.
COLORS = {
    "ink": "#7a828f",
    "accent": "#1f8a83",
    "muted": "#9aa1ac",
    "blue": "#4a7fc1",
    "amber": "#cf8f1d",
    "violet": "#8b6bb8",
    "rose": "#c2608a",
    "green": "#6a9a3b",
    "slate": "#66707f",
    "Safe": "#8c98a8",
    "Ambiguous": "#8b6bb8",
    "Emerging": "#d9962a",
    "High": "#cc3f4f",
    "Inverted": "#4a7fc1",
}
SYMBOLS = {"Ambiguous": "diamond", "Emerging": "square", "High": "triangle-up", "Inverted": "triangle-down"}
FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif'
SMALLEST, LARGEST = 7.0, 28.0  # pixels: a circle with one sample, and the fullest


def library() -> str:
    """The drawing library's own source, to be written once into a page."""
    return str(get_plotlyjs())


def draw(figure: Figure) -> str:
    """The figure as an HTML element that needs the library in the same page and nothing else."""
    most = max((float(m.count.max(initial=1)) for m in _all_dots(figure)), default=1.0)
    drawn: Any = go.Figure(
        data=[t for mark in figure.marks for t in _traces(mark, most)], layout=_layout(figure)
    )
    drawn.frames = [
        go.Frame(name=frame.label, data=[t for mark in frame.marks for t in _traces(mark, most)])
        for frame in figure.frames
    ]
    return to_html(
        drawn,
        include_plotlyjs=False,
        full_html=False,
        div_id=f"plot-{figure.key}",
        auto_play=False,
        default_height=f"{figure.height}px",
        config={"displayModeBar": False, "responsive": True, "scrollZoom": False},
    )


def _all_dots(figure: Figure) -> list[Dots]:
    marks = [m for frame in figure.frames for m in frame.marks] or list(figure.marks)
    return [m for m in marks if isinstance(m, Dots)]


def _traces(mark: Mark, most: float) -> list[Any]:
    return _dots(mark, most) if isinstance(mark, Dots) else _drawn(mark)


@singledispatch
def _drawn(mark: Mark) -> list[Any]:
    raise TypeError(f"no drawing for {type(mark).__name__}")


@_drawn.register
def _(mark: Line) -> list[Any]:
    traces: list[Any] = []
    color = COLORS[mark.color]
    if mark.low is not None and mark.high is not None:
        band = {
            "x": np.concatenate([mark.x, mark.x[::-1]]).tolist(),
            "y": np.concatenate([mark.high, mark.low[::-1]]).tolist(),
        }
        traces.append(
            go.Scatter(
                **band,
                mode="lines",
                fill="toself",
                fillcolor=_faint(color),
                line_width=0,
                hoverinfo="skip",
                showlegend=False,
            )
        )
    style = {"color": color, "width": 1.4 if mark.dashed else 2.2, "dash": "dot" if mark.dashed else "solid"}
    traces.append(
        go.Scatter(
            x=mark.x.tolist(),
            y=mark.y.tolist(),
            mode="lines",
            name=mark.name,
            line=style,
            showlegend=mark.listed,
        )
    )
    return traces


@_drawn.register
def _(mark: Area) -> list[Any]:
    color = COLORS[mark.color]
    return [
        go.Scatter(
            x=mark.x.tolist(),
            y=mark.y.tolist(),
            mode="lines",
            name=mark.name,
            stackgroup="one",
            line={"color": color, "width": 0.8},
            fillcolor=_faint(color, 0.75),
        )
    ]


@_drawn.register
def _(mark: Intervals) -> list[Any]:
    return [
        go.Scatter(
            x=mark.value.tolist(),
            y=list(range(len(mark.rows))),
            text=[
                f"{v:.3f} ({a:.3f} to {b:.3f})"
                for v, a, b in zip(mark.value, mark.low, mark.high, strict=True)
            ],
            hovertemplate="%{text}<extra></extra>",
            mode="markers",
            name=mark.name,
            showlegend=False,
            marker={"color": COLORS[mark.color], "size": 9},
            error_x={
                "type": "data",
                "array": (mark.high - mark.value).tolist(),
                "arrayminus": (mark.value - mark.low).tolist(),
                "color": COLORS[mark.color],
                "thickness": 2,
                "width": 5,
            },
        )
    ]


def _dots(mark: Dots, most: float) -> list[Any]:
    if mark.ringed:
        marker = {"symbol": "circle-open", "size": 17, "color": COLORS[mark.color], "line": {"width": 1.6}}
    else:
        marker = {
            "symbol": SYMBOLS.get(mark.color, "circle"),
            "size": (SMALLEST + (LARGEST - SMALLEST) * np.sqrt(mark.count / most)).round(1).tolist(),
            "color": COLORS[mark.color],
            "opacity": 0.85,
            "line": {"width": 0},
        }
    return [
        go.Scatter(
            x=mark.x.round(5).tolist(),
            y=mark.y.round(5).tolist(),
            mode="markers",
            name=mark.name,
            text=list(mark.text),
            hovertemplate="%{text}<extra></extra>",
            marker=marker,
        )
    ]


def _layout(figure: Figure) -> dict[str, Any]:
    x, y = _axis(figure.x), _axis(figure.y)
    if figure.square:
        y |= {"scaleanchor": "x", "constrain": "domain"}
        x |= {"constrain": "domain"}
    return {
        "xaxis": x,
        "yaxis": y,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 13},
        "margin": {"l": 62, "r": 16, "t": 12, "b": 50},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "itemsizing": "constant"},
        "hoverlabel": {"font": {"family": FONT, "size": 12}},
        "dragmode": False,
    }


def _axis(axis: Axis) -> dict[str, Any]:
    found: dict[str, Any] = {
        "title": {"text": axis.title, "font": {"size": 13}},
        "zeroline": False,
        "automargin": True,
        "ticks": "outside",
    }
    if axis.log:
        found |= {"type": "log", "dtick": 1}
    if axis.percent:
        found |= {"tickformat": "~%"}
    if axis.low is not None or axis.high is not None:
        ends = [None if e is None else (float(np.log10(e)) if axis.log else e) for e in (axis.low, axis.high)]
        found |= {"range": ends}
    if axis.categories:
        count = len(axis.categories)
        found |= {
            "tickvals": list(range(count)),
            "ticktext": list(axis.categories),
            "range": [-0.6, count - 0.4],
            "showgrid": False,
        }
    return found


def _faint(color: str, opacity: float = 0.16) -> str:
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"
