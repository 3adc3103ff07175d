"""A table of estimates, one row per defense."""

from collections.abc import Sequence

from vestige.report.markup import table
from vestige.report.protection_figures import Key, ProtectionRow
from vestige.risk.estimate import Estimate

Columns = tuple[tuple[str, Key], ...]


def defense_table(caption: str, rows: Sequence[ProtectionRow], columns: Columns) -> str:
    """The estimates in these columns, as far as any row has them."""
    present = [(title, key) for title, key in columns if any(key in row.estimates for row in rows)]
    body = [(row.name, *(shown(row.estimates.get(key)) for _, key in present)) for row in rows]
    header = ("Defense", *(title for title, _ in present))
    return table(caption, header, body, numeric=range(1, len(header)))


def shown(estimate: Estimate | None) -> str:
    """The value with its interval, as far as there are any."""
    if estimate is None or estimate.value is None:
        return "–"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"
