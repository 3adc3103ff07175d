"""What an explanation gives back to Python."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from vestige.report.explanation_page import ExplanationPage


@dataclass(frozen=True, eq=False)
class Explanation:
    """Whom the models of a run give away, and what sets them apart.

    page: every figure of the report, as values.
    members: one row per member of the shown model: sample, label, predicted, whether each rule names it,
      its scores, and every measure.
    folder: where the report, the tables and the figures lie.
    """

    page: ExplanationPage
    members: pd.DataFrame
    folder: Path

    @property
    def report(self) -> Path:
        """The HTML report."""
        return self.folder / "report.html"

    @property
    def figures(self) -> Path:
        """The folder of figures: PNG, SVG and Parquet of each."""
        return self.folder / "figures"
