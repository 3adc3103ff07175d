"""Information on a terminal: the bracket of each quantity, and what the order of its parts says."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from vestige.report.estimates import shown
from vestige.report.information import BITS_PER_NAT, answer, failures, verdict
from vestige.risk.estimate import Estimate
from vestige.risk.information import Bracket, Information


def bracket_summary(found: Information, bits: bool = False) -> RenderableType:
    """One line per quantity, the inequalities that fail, and the mean divergence in a sentence."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("mean over records")
    for title in ("attacks show at least", *found.estimators, "at most", "order kept"):
        table.add_column(title, justify="right")
    for bracket in found.brackets:
        table.add_row(*_row(bracket, bits))
    told = [Text(f"Not in order: {sentence}", style="yellow") for sentence in failures(found)]
    gap = found.amount("loss_gap")
    extra = [] if gap is None else [Text(f"{gap.title}: mean {shown(gap.mean)} nats. {gap.definition}")]
    return Group(table, *told, *extra, Text(answer(found)))


def _row(bracket: Bracket, bits: bool) -> tuple[str, ...]:
    factor, unit = (BITS_PER_NAT, "bits") if bits and bracket.unit else (1.0, bracket.unit)

    def told(estimate: Estimate) -> str:
        return shown(estimate.scaled(factor))

    return (
        f"{bracket.title}{f', {unit}' if unit else ''}",
        told(bracket.lower),
        *(told(estimate) for estimate in bracket.estimates),
        "no limit" if bracket.upper.value is None else told(bracket.upper),
        verdict(bracket),
    )
