"""Figures drawn by plotly; the only file that imports it."""

from functools import singledispatch
from typing import Any

import numpy as np
from plotly import graph_objects as go  # pyright: ignore[reportMissingTypeStubs]
from plotly.io import to_html  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]
from plotly.offline import get_plotlyjs  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

from vestige.report.colors import COLORS
from vestige.report.figure import Area, Axis, Dots, Figure, Flow, Grid, Intervals, Line, Mark, Points
from vestige.report.labels import Label, folded, labels

FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif'

RINGED = {"opacity": 1.0, "line": {"color": "#14181f", "width": 1.0}}
GAP = "\u00a0"  # names that touch do not count as overlapping, and so would not be turned
FEW = 150  # ringed dots that can be large without hiding each other


def library() -> str:
    """The drawing library's own source, to be written once into a page."""
    return str(get_plotlyjs())


def draw(figure: Figure) -> str:
    """The figure as an HTML element that needs the library in the same page and nothing else."""
    drawn: Any = go.Figure(data=[t for mark in figure.marks for t in _drawn(mark)], layout=_layout(figure))
    return to_html(
        drawn,
        include_plotlyjs=False,
        full_html=False,
        div_id=f"plot-{figure.key}",
        auto_play=False,
        default_height=f"{figure.height}px",
        config={"displayModeBar": False, "responsive": True, "scrollZoom": False},
    )


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
            mode="lines+markers" if mark.dotted else "lines",
            name=mark.name,
            line=style,
            marker_size=5,
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


@_drawn.register
def _(mark: Points) -> list[Any]:
    color = COLORS[mark.color]
    shared = {"x": mark.x.tolist(), "y": mark.y.tolist(), "legendgroup": mark.name}

    def whiskers(value: Any, low: Any, high: Any) -> dict[str, Any]:
        ends = {"array": (high - value).tolist(), "arrayminus": (value - low).tolist()}
        return {"type": "data", **ends, "color": _faint(color, 0.5), "thickness": 1.2, "width": 3}

    intervals = go.Scatter(
        **shared,
        mode="markers",
        marker={"size": 9, "opacity": 0},
        error_x=whiskers(mark.x, mark.x_low, mark.x_high),
        error_y=whiskers(mark.y, mark.y_low, mark.y_high),
        zorder=-1,  # below every point, so that none is hidden
        hoverinfo="skip",
        showlegend=False,
    )
    points = go.Scatter(
        **shared,
        text=list(mark.labels),
        mode="lines+markers" if mark.joined else "markers",
        name=mark.name,
        line={"color": color, "width": 1.4, "dash": "dot"},
        marker={"color": color, "size": 9},
        hovertemplate="%{text}: %{x:.3f}, %{y:.3f}<extra></extra>",
    )
    return [intervals, points]


@_drawn.register
def _(mark: Dots) -> list[Any]:
    return [
        go.Scatter(
            x=mark.x.tolist(),
            y=mark.y.tolist(),
            mode="markers",
            name=mark.name,
            marker=_dot(mark),
            hovertemplate="%{x:.3g}, %{y:.3g}",
        )
    ]


def _dot(mark: Dots) -> dict[str, Any]:
    color = COLORS[mark.color]
    if not mark.ringed:
        return {"color": color, "size": 5, "opacity": 0.55}
    return RINGED | {"color": color, "size": 8 if len(mark.x) <= FEW else 5}


@_drawn.register
def _(mark: Grid) -> list[Any]:
    known = [["" if np.isnan(v) else f"{v:.2f}" for v in row] for row in mark.values]
    return [
        go.Heatmap(
            x=list(mark.columns),
            y=list(mark.rows),
            z=[[None if np.isnan(v) else float(v) for v in row] for row in mark.values],
            text=known,
            texttemplate="%{text}",
            zmin=mark.low,
            zmax=mark.high,
            colorscale=[[0, "rgba(31,138,131,0.06)"], [1, "rgba(31,138,131,0.85)"]],
            hovertemplate="%{y}, %{x}: %{text}<extra></extra>",
            showscale=False,
        )
    ]


@_drawn.register
def _(mark: Flow) -> list[Any]:
    columns = max(len(mark.stages) - 1, 1)
    node = {
        "label": [stop.name for stop in mark.stops],
        "color": [COLORS[stop.color] for stop in mark.stops],
        "x": [min(max(stop.column / columns, 0.001), 0.999) for stop in mark.stops],
        "y": [min(max(stop.place, 0.001), 0.999) for stop in mark.stops],
        "pad": 14,
        "thickness": 12,
        "line": {"width": 0},
        "hovertemplate": "%{label}: %{value:,} records<extra></extra>",
    }
    link = {
        "source": [start for start, _, _ in mark.links],
        "target": [end for _, end, _ in mark.links],
        "value": [count for *_, count in mark.links],
        "color": [_faint(COLORS[mark.stops[end].color], 0.4) for _, end, _ in mark.links],
        "hovertemplate": "%{value:,} records: %{source.label} to %{target.label}<extra></extra>",
    }
    return [go.Sankey(arrangement="fixed", node=node, link=link)]


def _layout(figure: Figure) -> dict[str, Any]:
    return {
        "xaxis": _axis(figure.x),
        "yaxis": _axis(figure.y),
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 13},
        "margin": {"l": 62, "r": 16, "t": 12, "b": 50},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "itemsizing": "constant"},
        "hoverlabel": {"font": {"family": FONT, "size": 12}},
        "dragmode": False,
        "annotations": [
            *(note for mark in figure.marks if isinstance(mark, Flow) for note in _stages(mark)),
            *map(_named, labels(figure)),
        ],
    }


def _named(label: Label) -> dict[str, Any]:
    """The name of a point, led to it by a thin line."""
    return {
        "text": label.name,
        "font": {"size": 11},
        "x": label.x,
        "y": label.y,
        "ax": label.right,
        "ay": label.down,
        "showarrow": True,
        "arrowhead": 0,
        "arrowwidth": 0.8,
        "arrowcolor": _faint(COLORS[label.color], 0.7),
        "standoff": 5,
        "borderpad": 0,
    }


def _stages(mark: Flow) -> list[dict[str, Any]]:
    columns = max(len(mark.stages) - 1, 1)
    return [
        {
            "text": stage,
            "x": column / columns,
            "xanchor": "left" if column == 0 else "right" if column == columns else "center",
            "y": -0.03,
            "yanchor": "top",
            "xref": "paper",
            "yref": "paper",
            "showarrow": False,
        }
        for column, stage in enumerate(mark.stages)
    ]


def _axis(axis: Axis) -> dict[str, Any]:
    found: dict[str, Any] = {
        "title": {"text": axis.title, "font": {"size": 13}},
        "zeroline": False,
        "automargin": True,
        "ticks": "outside",
    }
    if axis.log:
        found |= {"type": "log", "dtick": 1, "tickformat": "~g"}
    if axis.bare:
        found |= {"showticklabels": False, "ticks": "", "showgrid": False}
    if axis.ticks:
        found |= {
            "tickmode": "array",
            "tickvals": list(axis.ticks),
            "ticktext": [f"{100 * t:g}%" if axis.percent else f"{t:g}" for t in axis.ticks],
        }
    if axis.percent:
        found |= {"tickformat": "~%"}
    if axis.low is not None or axis.high is not None:
        ends = [None if e is None else (float(np.log10(e)) if axis.log else e) for e in (axis.low, axis.high)]
        found |= {"range": ends}
    if axis.categories:
        count = len(axis.categories)
        found |= {
            "tickvals": list(range(count)),
            "ticktext": [
                folded(name, axis.line) if axis.line else f"{GAP}{name}{GAP}" for name in axis.categories
            ],
            "range": [-0.6, count - 0.4],
            "showgrid": False,
        }
    return found


def _faint(color: str, opacity: float = 0.16) -> str:
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"
