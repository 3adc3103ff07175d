"""Where risk and generalization live, on a terminal."""

from collections.abc import Sequence

from rich.console import RenderableType
from rich.table import Table

from vestige.report.region_rows import ProbeMap
from vestige.risk.estimate import Estimate


def region_table(names: Sequence[str], probes: Sequence[ProbeMap]) -> RenderableType:
    """Probes, one line each: for every region its risk and its generalization, with a mark where risky."""
    table = Table(box=None, header_style="bold", pad_edge=False, caption_justify="left")
    table.add_column("probe")
    for name in names:
        table.add_column(name, justify="right")
    for probe in probes:
        pairs = zip(names, probe.privacy, probe.generalization, strict=True)
        table.add_row(probe.name, *(_cell(probe, name, risk, use) for name, risk, use in pairs))
    table.caption = "risk, generalization; * is called risky"
    return table


def _cell(probe: ProbeMap, name: str, risk: Estimate, use: Estimate) -> str:
    mark = "*" if name in probe.risky else " "
    return f"{_number(risk, probe.is_share)}{mark}, {_number(use, probe.is_share)}"


def _number(estimate: Estimate, is_share: bool) -> str:
    if estimate.value is None:
        return "–"
    return f"{100 * estimate.value:.0f} %" if is_share else f"{estimate.value:+.3f}"
