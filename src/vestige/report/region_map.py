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
SMALL = 15.0  # of a line of shares
OPACITY, UNCLEAR = 0.85, 0.3  # of all there is in one region; unclear where the interval holds 0


def region_map(boxes: Sequence[RegionBox], probes: Sequence[ProbeMap]) -> str:
    """A drawing whose columns are the regions, in the order of the network, and whose rows are the probes."""
    places, names = _places(boxes), [box.name for box in boxes]
    height, drawn = TOP + BOX + 26, ""
    for probe in probes:
        drawn += _probe(probe, names, places, height)
        height += PAIR + (SMALL if probe.shares else 0.0)
    return (
        f'<p class="sideways small">The drawing is wider than this screen: scroll it sideways to see all '
        f"{len(boxes)} regions.</p>"
        f'<div class="scroll" tabindex="0" role="region" aria-label="Regions by probe">'
        f'<svg class="regions" viewBox="0 0 {WIDTH:g} {height:g}" role="img" '
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


def _probe(probe: ProbeMap, names: Sequence[str], places: Sequence[tuple[float, float]], y: float) -> str:
    words = (
        f'<text class="probe" x="0" y="{y + 16:.1f}">{text(probe.name)}</text>'
        f'<text class="size end" x="{LEFT - 10}" y="{y + 16:.1f}">risk</text>'
        f'<text class="size end" x="{LEFT - 10}" y="{y + BAND + 18:.1f}">'
        f"{'fit' if probe.is_ratio else 'accuracy'}</text>"
    )
    risk = _band("risk", probe, probe.privacy, places, y)
    use = _band("use", probe, probe.generalization, places, y + BAND + 2)
    return f"<g>{words}{risk}{use}{_called(probe, names, places, y)}{_shares(probe, places, y)}</g>"


def _band(
    kind: str,
    probe: ProbeMap,
    estimates: Sequence[Estimate],
    places: Sequence[tuple[float, float]],
    y: float,
) -> str:
    cells: list[str] = []
    shares = shares_of(estimates, probe.neutral)
    for estimate, share, (x, width) in zip(estimates, shares, places, strict=True):
        title = (
            f"{probe.written(estimate)}{_interval(estimate)}; {100 * share:.0f} % of what is above "
            f"{probe.neutral:g}"
        )
        clear = " clear" if _is_clear(estimate, probe.neutral) else ""
        opacity = share * (OPACITY if clear else UNCLEAR)
        cells.append(
            f'<g><title>{text(title)}</title><rect class="cell" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
            f'height="{BAND}"/><rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
            f'height="{BAND}" fill-opacity="{opacity:.3f}"/>'
            f'<text class="figure{clear}" x="{x + width / 2:.1f}" y="{y + 17:.1f}">'
            f"{text(probe.written(estimate))}</text></g>"
        )
    return "".join(cells)


def _called(probe: ProbeMap, names: Sequence[str], places: Sequence[tuple[float, float]], y: float) -> str:
    """A frame around the risk of each region that is called risky."""
    return "".join(
        f'<rect class="called" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{BAND}"/>'
        for name, (x, width) in zip(names, places, strict=True)
        if name in probe.risky
    )


def _shares(probe: ProbeMap, places: Sequence[tuple[float, float]], y: float) -> str:
    """A line of small figures, where the probe has shares."""
    if not probe.shares:
        return ""
    line = y + 2 * BAND + 15
    figures = "".join(
        f'<text class="size" x="{x + width / 2:.1f}" y="{line:.1f}">'
        f"{'–' if one.value is None else text(f'{100 * one.value:.0f} %')}</text>"
        for one, (x, width) in zip(probe.shares, places, strict=True)
    )
    return f'<text class="size end" x="{LEFT - 10}" y="{line:.1f}">share of risk</text>{figures}'


def _interval(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    return f" ({estimate.low:.3f} to {estimate.high:.3f})"


def _is_clear(estimate: Estimate, neutral: float) -> bool:
    """Whether the whole interval lies on one side of neutral."""
    low, high = estimate.low, estimate.high
    return low is not None and high is not None and bool((low - neutral) * (high - neutral) > 0)


def _described(boxes: Sequence[RegionBox], probes: Sequence[ProbeMap]) -> str:
    names = [box.name for box in boxes]
    said = [
        f"{probe.name}: risk {_top(names, probe.privacy, probe.neutral)}, "
        f"{'fit' if probe.is_ratio else 'accuracy'} {_top(names, probe.generalization, probe.neutral)}, "
        f"called risky {', '.join(probe.risky) or 'none'}"
        for probe in probes
    ]
    return f"Regions from input to output: {', '.join(names)}. Most of it lies, by {'; '.join(said)}."


def _top(names: Sequence[str], estimates: Sequence[Estimate], neutral: float) -> str:
    shares = shares_of(estimates, neutral)
    return f"in {names[int(shares.argmax())]}" if shares.any() else "nowhere"
