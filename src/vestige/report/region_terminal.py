"""Where risk and generalization live, on a terminal."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table

from vestige.report.region_rows import ProbeMap
from vestige.risk.estimate import Estimate


def region_table(names: Sequence[str], probes: Sequence[ProbeMap]) -> RenderableType:
    """Regions, one line each: their risk by each probe, marked where it is called so, then generalization."""
    risk = [[_marked(probe, *pair) for pair in zip(names, probe.privacy, strict=True)] for probe in probes]
    use = [[f"{probe.written(one)} " for one in probe.generalization] for probe in probes]
    last = _table("generalization", names, probes, use)
    ratios = ", ".join(probe.name.lower() for probe in probes if probe.is_ratio)
    last.caption = "* is called risky" + (f"; {ratios}: 1 is the network's mean" if ratios else "")
    return Group(_table("risk", names, probes, risk), "", last)


def _table(
    title: str, names: Sequence[str], probes: Sequence[ProbeMap], columns: Sequence[Sequence[str]]
) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, caption_justify="left", padding=(0, 1, 0, 0))
    table.add_column(title, no_wrap=True)
    for probe in probes:
        table.add_column(probe.name, justify="right")
    for name, *cells in zip(names, *columns, strict=True):
        table.add_row(name, *cells)
    return table


def _marked(probe: ProbeMap, name: str, risk: Estimate) -> str:
    return f"{probe.written(risk)}{'*' if name in probe.risky else ' '}"
