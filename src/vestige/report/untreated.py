"""Members that a defense treats apart, beside those that it does not."""

from collections.abc import Sequence

from vestige.report.defense_table import Columns, defense_table
from vestige.report.markup import paragraph
from vestige.report.protection_figures import Key, ProtectionRow
from vestige.risk.percent import percent

RATE, AUC = "tpr@0.01", "auc"
TITLE = "Members that were not treated"


def untreated(rows: Sequence[ProtectionRow], headline: str) -> list[str]:
    """Whether members that were left alone are more exposed than before; empty where nobody is treated."""
    measured = [row for row in rows if (headline, f"{RATE}_untreated") in row.estimates]
    if not measured:
        return []
    return [
        paragraph(
            f"Treating some members may expose others. {_said(measured, headline)} Each target is attacked "
            "at the threshold of its own non-members, and compared with itself: the same members of the same "
            "model, trained without the defense. A dropped record still counts as a member."
        ),
        defense_table(TITLE, measured, _columns(headline, "untreated")),
        defense_table("Members that were treated", measured, _columns(headline, "treated")),
    ]


def _columns(headline: str, group: str) -> Columns:
    return tuple(
        (f"{title}, {when}", (headline, f"{metric}_{group}{ending}"))
        for title, metric in (("TPR at 1 %", RATE), ("AUC", AUC))
        for when, ending in (("before", "_before"), ("after", ""), ("change", "_change"))
    )


def _said(rows: Sequence[ProtectionRow], headline: str) -> str:
    """One sentence: with which defenses others became more exposed, by the whole interval of a change."""
    compared = [row for row in rows if _change(headline, RATE) in row.estimates]
    if not compared:
        return 'Without the figures of "none", a change cannot be told.'
    worse = [
        f"{row.name} (TPR at 1 % FPR {_rate(row, headline, '_before')} before, {_rate(row, headline)} after)"
        for row in compared
        if _rose(row, _change(headline, RATE)) or _rose(row, _change(headline, AUC))
    ]
    if not worse:
        return "Here no defense made those that it did not treat more exposed, by a whole interval."
    return f"Those that were not treated became more exposed, by a whole interval, with {', '.join(worse)}."


def _change(headline: str, metric: str) -> Key:
    return headline, f"{metric}_untreated_change"


def _rose(row: ProtectionRow, key: Key) -> bool:
    found = row.estimates.get(key)
    return found is not None and found.low is not None and found.low > 0


def _rate(row: ProtectionRow, headline: str, ending: str = "") -> str:
    return percent(row.value((headline, f"{RATE}_untreated{ending}")))
