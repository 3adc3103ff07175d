"""The network drawn from input to output, and below it what each probe found where."""

from collections.abc import Sequence

import numpy as np

from vestige.report.markup import text
from vestige.report.region_rows import ProbeMap, RegionBox, shares_of
from vestige.risk.estimate import Estimate

WIDTH, LEFT, GAP = 940.0, 206.0, 8.0
NARROWEST = 78.0  # a box that still holds its figure
TOP, BOX = 8.0, 44.0  # of the network itself
BAND, PAIR = 25.0, 66.0  # of a figure, and of the two of a probe with the space below
OPACITY, UNCLEAR = 0.85, 0.3  # of all there is in one region; unclear where the interval holds 0


def region_map(boxes: Sequence[RegionBox], probes: Sequence[ProbeMap]) -> str:
    """A drawing whose columns are the regions, in the order of the network, and whose rows are the probes."""
    places = _places(boxes)
    start = TOP + BOX + 26
    drawn = "".join(_probe(probe, places, start + PAIR * row) for row, probe in enumerate(probes))
    height = start + PAIR * len(probes)
    return (
        f'<div class="scroll"><svg class="regions" viewBox="0 0 {WIDTH:g} {height:g}" role="img" '
        f'aria-label="{text(_described(boxes, probes))}">{_network(boxes, places)}{drawn}</svg></div>'
    )


def _places(boxes: Sequence[RegionBox]) -> list[tuple[float, float]]:
    """Left edge and width of each column; widths grow with the square root of the parameters."""
    room = WIDTH - 2 - LEFT - GAP * (len(boxes) - 1)
    least = min(NARROWEST, room / len(boxes))
    roots = np.sqrt([box.parameters for box in boxes])
    widths = least + (room - least * len(boxes)) * roots / roots.sum()
    edges = LEFT + np.concatenate([[0.0], np.cumsum(widths + GAP)[:-1]])
    return [(float(x), float(width)) for x, width in zip(edges, widths, strict=True)]


def _network(boxes: Sequence[RegionBox], places: Sequence[tuple[float, float]]) -> str:
    middle = TOP + BOX / 2
    arrows = "".join(
        f'<line class="flow" x1="{x + width:.1f}" x2="{x + width + GAP:.1f}" y1="{middle}" y2="{middle}"/>'
        for x, width in places[:-1]
    )
    rows = zip(boxes, places, strict=True)
    drawn = "".join(
        f'<rect class="box" x="{x:.1f}" y="{TOP}" width="{width:.1f}" height="{BOX}" rx="5"/>'
        f'<text class="name" x="{x + width / 2:.1f}" y="{middle - 3}">{text(box.name)}</text>'
        f'<text class="size" x="{x + width / 2:.1f}" y="{middle + 13}">{box.parameters:,}</text>'
        for box, (x, width) in rows
    )
    words = (
        f'<text class="probe" x="0" y="{middle - 3}">Network</text>'
        f'<text class="size start" x="0" y="{middle + 13}">parameters, input at the left</text>'
    )
    return f"{words}{arrows}{drawn}"


def _probe(probe: ProbeMap, places: Sequence[tuple[float, float]], y: float) -> str:
    words = (
        f'<text class="probe" x="0" y="{y + 16:.1f}">{text(probe.name)}</text>'
        f'<text class="size end" x="{LEFT - 10}" y="{y + 16:.1f}">risk</text>'
        f'<text class="size end" x="{LEFT - 10}" y="{y + BAND + 18:.1f}">accuracy</text>'
    )
    risk = _band("risk", probe.privacy, probe.is_share, places, y)
    use = _band("use", probe.generalization, probe.is_share, places, y + BAND + 2)
    return f"<g>{words}{risk}{use}</g>"


def _band(
    kind: str,
    estimates: Sequence[Estimate],
    is_share: bool,
    places: Sequence[tuple[float, float]],
    y: float,
) -> str:
    shares = shares_of(estimates)
    cells: list[str] = []
    for estimate, share, (x, width) in zip(estimates, shares, places, strict=True):
        title = f"{_number(estimate, is_share)}{_interval(estimate)}; {100 * share:.0f} % of what is above 0"
        clear = " clear" if not is_share and _is_clear(estimate) else ""
        opacity = share * (OPACITY if is_share or clear else UNCLEAR)
        cells.append(
            f'<g><title>{text(title)}</title><rect class="cell" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
            f'height="{BAND}"/><rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
            f'height="{BAND}" fill-opacity="{opacity:.3f}"/>'
            f'<text class="figure{clear}" x="{x + width / 2:.1f}" y="{y + 17:.1f}">'
            f"{text(_number(estimate, is_share))}</text></g>"
        )
    return "".join(cells)


def _number(estimate: Estimate, is_share: bool) -> str:
    if estimate.value is None:
        return "–"
    return f"{100 * estimate.value:.0f} %" if is_share else f"{estimate.value:+.3f}"


def _interval(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    return f" ({estimate.low:.3f} to {estimate.high:.3f})"


def _is_clear(estimate: Estimate) -> bool:
    """Whether the whole interval lies on one side of 0."""
    return estimate.low is not None and estimate.high is not None and bool(estimate.low * estimate.high > 0)


def _described(boxes: Sequence[RegionBox], probes: Sequence[ProbeMap]) -> str:
    names = [box.name for box in boxes]
    said = [
        f"{probe.name}: risk {_top(names, probe.privacy)}, accuracy {_top(names, probe.generalization)}"
        for probe in probes
    ]
    return f"Regions from input to output: {', '.join(names)}. Most of it lies, by {'; '.join(said)}."


def _top(names: Sequence[str], estimates: Sequence[Estimate]) -> str:
    shares = shares_of(estimates)
    return f"in {names[int(shares.argmax())]}" if shares.any() else "nowhere"
