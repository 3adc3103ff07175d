"""What the cells of a design gave, side by side."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from vestige.risk.estimate import Z_95, Estimate
from vestige.risk.result import AuditResult


@dataclass(frozen=True, kw_only=True)
class CellResult:
    """A cell's name and levels, its audit's result and its run folder."""

    name: str
    levels: tuple[tuple[str, Any], ...]
    result: AuditResult
    folder: Path


@dataclass(frozen=True, eq=False)
class Comparison:
    """The cells of a design, in its order; `folder` holds one run folder for each."""

    cells: tuple[CellResult, ...]
    folder: Path

    @property
    def table(self) -> pd.DataFrame:
        """One row per cell and metric: cell, a column per factor, metric, value, low, high, unit.

        Metrics: those of the dynamics, and of the end: auc, tpr@FPR, train_accuracy, test_accuracy.
        """
        rows = [
            {"cell": cell.name, **dict(cell.levels), "metric": name, "unit": unit, **_ends(estimate)}
            for cell in self.cells
            for name, unit, estimate in metrics(cell.result)
        ]
        return pd.DataFrame(rows)

    @property
    def curves(self) -> pd.DataFrame:
        """One row per cell, curve and epoch: cell, curve, epoch, value, low, high, unit."""
        rows = [
            {"cell": cell.name, "curve": curve.name, "epoch": epoch, "unit": curve.unit, **_ends(estimate)}
            for cell in self.cells
            if cell.result.dynamics
            for curve in cell.result.dynamics.curves
            for epoch, estimate in zip(curve.epochs, curve.estimates, strict=True)
        ]
        return pd.DataFrame(rows)

    def of(self, metric: str) -> pd.DataFrame:
        """The rows of one metric, indexed by cell."""
        table = self.table
        return table[table.metric == metric].set_index("cell")

    @property
    def report(self) -> Path:
        """The page that draws the comparison."""
        return self.folder / "comparison.html"


def metrics(result: AuditResult) -> list[tuple[str, str, Estimate]]:
    """Name, unit and estimate of everything that is compared."""
    moved = result.dynamics
    found = [(f.name, f.unit, f.estimate) for f in (moved.figures if moved else ())]
    headline = result.headline
    found.append(("auc", "", headline.auc))
    found += [(f"tpr@{rate.fpr:g}", "", rate.tpr) for rate in headline.rates]
    found += [(name, "", estimate) for name, estimate in accuracies(result).items()]
    return found


def accuracies(result: AuditResult) -> dict[str, Estimate]:
    """train_accuracy (on members) and test_accuracy (on non-members), with normal intervals over models."""
    names = {"members": "train_accuracy", "non-members": "test_accuracy"}
    found: dict[str, Estimate] = {}
    for accuracy in result.accuracies:
        if accuracy.part in names:
            half = Z_95 * (accuracy.sd or 0.0) / float(np.sqrt(accuracy.models))
            low, high = accuracy.mean - half, accuracy.mean + half
            found[names[accuracy.part]] = Estimate(
                value=accuracy.mean, low=low, high=high, method="normal, over models"
            )
    return found


def _ends(estimate: Estimate) -> dict[str, float]:
    return {
        end: np.nan if getattr(estimate, end) is None else float(getattr(estimate, end))
        for end in ("value", "low", "high")
    }
