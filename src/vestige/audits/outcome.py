"""What an audit gives back to Python."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from vestige.audits import tables
from vestige.audits.assessment import Assessment
from vestige.risk.result import AuditResult
from vestige.risk.sentences import terminal_lines


@dataclass(frozen=True, eq=False)
class Audit:
    """The findings of an audit as values: `result`, and the tables of its run folder as frames."""

    result: AuditResult
    assessment: Assessment
    folder: Path

    @cached_property
    def scores(self) -> pd.DataFrame:
        """target, sample, attack, member, score; at the last checkpoint; higher = more likely a member."""
        return pd.read_parquet(self.folder / "scores.parquet")

    @cached_property
    def plane(self) -> pd.DataFrame:
        """Each sample's (FPR, TPR) at each checkpoint under the headline attack."""
        return tables.plane(self.assessment)

    @cached_property
    def samples(self) -> pd.DataFrame:
        """One row per sample: vulnerability, difficulty, memorization, since which epoch."""
        return tables.samples(self.assessment)

    @cached_property
    def dynamics(self) -> pd.DataFrame:
        """Every figure, curve and association of the motion over training, with intervals."""
        return tables.dynamics(self.assessment.dynamics)

    @property
    def report(self) -> Path:
        """The HTML report."""
        return self.folder / "report.html"

    @property
    def exit_code(self) -> int:
        """0 within or not judged, 1 exceeds the policy, 3 a control failed, 4 cannot tell."""
        return self.result.exit_code

    def __str__(self) -> str:
        return "\n".join(terminal_lines(self.result))
