"""What each defense loses in use for what it gains in privacy, on the page that compares them."""

from collections.abc import Sequence

from vestige.report.defense_table import Columns, shown
from vestige.report.markup import paragraph, table
from vestige.report.protection_figures import Key, ProtectionRow
from vestige.risk.estimate import Estimate

LOST: Key = ("utility", "lost")
GAINED: Key = ("lira-online-fixed", "gained")
BY_LOSS: Key = ("loss", "gained")
COLUMNS: Columns = (
    ("Train loss", ("utility", "train_loss")),
    ("Test loss", ("utility", "test_loss")),
    ("Accuracy lost", LOST),
    ("LiRA AUC", ("lira-online-fixed", "auc")),
    ("LiRA AUC gained", GAINED),
    ("Loss AUC", ("loss", "auc")),
    ("Loss AUC gained", BY_LOSS),
)


def disparity(rows: Sequence[ProtectionRow]) -> list[str]:
    """A sentence on how to read it, and one table; empty where nothing is compared with no defense."""
    if not any(LOST in row.estimates for row in rows):
        return []
    columns = [(title, key) for title, key in COLUMNS if any(key in row.estimates for row in rows)]
    header = ("Defense", "AUC per accuracy", *(title for title, _ in columns))
    body = [(r.name, rate(r), *(shown(r.estimates.get(key)) for _, key in columns)) for r in rows]
    return [
        paragraph(
            "Defenses differ in what they cost for what they protect. Losses are mean cross-entropies in "
            "nats. Accuracy lost and AUC gained compare each model with the one trained on the same members "
            "without a defense: above 0, accuracy was lost, and the attack became weaker. AUC per accuracy "
            "divides the AUC gained (of LiRA, where it ran) by the accuracy, where that was lost by the "
            "whole interval; its ends are those of both intervals."
        ),
        table("Loss disparity", header, body, numeric=range(1, len(header))),
    ]


def rate(row: ProtectionRow) -> str:
    """AUC gained for each unit of accuracy lost, in words where that is no number."""
    lost, gained = row.estimates.get(LOST), row.estimates.get(GAINED, row.estimates.get(BY_LOSS))
    if lost is None or gained is None or lost.value is None or gained.value is None:
        return "–"
    if None in (lost.low, lost.high, gained.low, gained.high):
        return "no interval"
    if _end(lost.low) <= 0:
        return _without_loss(lost, gained)
    ends = [gain / loss for gain in (gained.low, gained.high) for loss in (lost.low, lost.high)]  # pyright: ignore
    return f"{gained.value / lost.value:.2f} ({min(ends):.2f} to {max(ends):.2f})"


def _without_loss(lost: Estimate, gained: Estimate) -> str:
    cost = "gains accuracy" if _end(lost.high) < 0 else "no clear loss"
    if _end(gained.low) > 0:
        return f"protects, {cost}"
    return f"leaks more, {cost}" if _end(gained.high) < 0 else cost


def _end(value: float | None) -> float:
    assert value is not None
    return value
