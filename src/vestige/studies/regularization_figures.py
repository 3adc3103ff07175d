"""The figures of a comparison of defenses as a table in Markdown."""

from collections.abc import Sequence

from vestige.report.protection_figures import Key, ProtectionRow
from vestige.risk.estimate import Estimate

Columns = tuple[tuple[str, Key], ...]
COLUMNS: Columns = (
    ("train accuracy", ("utility", "train_accuracy")),
    ("test accuracy", ("utility", "test_accuracy")),
    ("time", ("utility", "time_ratio")),
    ("average", ("loss-average", "advantage")),
    ("best threshold", ("loss-powerful", "advantage")),
    ("adaptive", ("loss-adaptive", "advantage")),
    ("labels alone", ("label-only", "advantage")),
    ("LiRA TPR at 1 %", ("lira-online-fixed", "tpr@0.01")),
    ("adaptive LiRA", ("lira-adaptive", "tpr@0.01")),
    ("loss AUC", ("loss-same-records", "auc")),
    ("distance AUC", ("distance", "auc")),
)


def figures(rows: Sequence[ProtectionRow], columns: Columns = COLUMNS) -> str:
    """One line per defense, a column per measured figure, with half the width of its 95 % interval."""
    measured = [(title, key) for title, key in columns if any(key in row.estimates for row in rows)]
    lines = [("defense", *(title for title, _ in measured)), ("---",) * (1 + len(measured))]
    for row in rows:
        lines.append((f"`{row.name}`", *(_shown(row.estimates.get(key)) for _, key in measured)))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _shown(estimate: Estimate | None) -> str:
    if estimate is None or estimate.value is None:
        return "–"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} ± {(estimate.high - estimate.low) / 2:.3f}"
