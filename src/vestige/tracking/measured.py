"""Precisions of early warnings that were measured on other data, shipped with the package."""

import json
import math
from dataclasses import dataclass
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, kw_only=True)
class MeasuredPrecision:
    """How often a list of one run's samples named records that turned out exposed, in a study.

    data, model, models, epochs: the study. at_share_of_training: when the list was drawn up, 0 to 1.
    share: of the members that were listed. signal: what they were ranked by.
    precision, low, high: mean over models with its 95 % interval. chance: what a random list reaches.
    """

    data: str
    model: str
    models: int
    epochs: int
    at_share_of_training: int | float
    share: int | float
    signal: str
    precision: int | float
    low: int | float
    high: int | float
    chance: int | float

    @property
    def setting(self) -> str:
        """The study in words."""
        when = f"{100 * self.at_share_of_training:.0f} % of training"
        return f"{self.data} ({self.models} models of {self.model}, {self.epochs} epochs, at {when})"


def shipped() -> tuple[MeasuredPrecision, ...]:
    """Every row of the table."""
    text = (files("vestige.tracking") / "measured.json").read_text(encoding="utf-8")
    table: dict[str, Any] = json.loads(text)
    return tuple(MeasuredPrecision(**row) for row in table["rows"])


def closest(rows: tuple[MeasuredPrecision, ...], signal: str, share: float) -> MeasuredPrecision | None:
    """The row of that signal with the nearest share; of several the one with the lowest precision."""
    fitting = [row for row in rows if row.signal == signal]
    return min(fitting, key=lambda row: (abs(math.log(row.share / share)), row.precision), default=None)
