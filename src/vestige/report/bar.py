"""A small bar that shows an interval against chance and a limit, drawn without a library."""

from vestige.report.markup import text
from vestige.risk.estimate import Estimate
from vestige.risk.percent import percent

WIDTH, LEFT, RIGHT = 640.0, 12.0, 628.0


def interval_bar(estimate: Estimate, *, chance: float, limit: float | None) -> str:
    """The estimate and its interval on a line from 0, with marks at chance and at the limit."""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return ""
    top = _scale_end(max(estimate.high, chance, limit or 0.0))
    x = {
        k: _place(v, top)
        for k, v in {"low": estimate.low, "high": estimate.high, "value": estimate.value}.items()
    }
    marks = [(chance, f"chance {percent(chance)}", "chance")]
    if limit is not None:
        marks.append((limit, f"limit {percent(limit)}", "limit"))
    label = f"Interval {percent(estimate.low)} to {percent(estimate.high)}; " + "; ".join(m[1] for m in marks)
    drawn = "".join(_mark(_place(value, top), words, kind) for value, words, kind in marks)
    return (
        f'<svg class="bar" viewBox="0 0 {WIDTH:g} 74" role="img" aria-label="{text(label)}">'
        f'<line class="axis" x1="{LEFT}" x2="{RIGHT}" y1="38" y2="38"/>{drawn}'
        f'<line class="interval" x1="{x["low"]:.1f}" x2="{x["high"]:.1f}" y1="38" y2="38"/>'
        f'<circle class="value" cx="{x["value"]:.1f}" cy="38" r="6"/>'
        f'<text class="end" x="{LEFT}" y="68">0 %</text>'
        f'<text class="end" x="{RIGHT}" y="68" text-anchor="end">{percent(top)}</text></svg>'
    )


def _mark(x: float, words: str, kind: str) -> str:
    anchor = "start" if x < WIDTH / 2 else "end"
    height = 66 if kind == "limit" else 16  # the two never hide each other
    return (
        f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="23" y2="52"/>'
        f'<text class="{kind}" x="{x:.1f}" y="{height}" text-anchor="{anchor}">{text(words)}</text>'
    )


def _place(value: float, top: float) -> float:
    return LEFT + (RIGHT - LEFT) * min(max(value / top, 0.0), 1.0)


def _scale_end(largest: float) -> float:
    """The next of 0.1, 0.2, 0.5, 1 % ... 100 % above the largest value."""
    ends = [s * 10.0**p for p in range(-5, 0) for s in (1, 2, 5)]
    return next((e for e in ends if e >= 1.1 * largest), 1.0)
