"""A line of the table: what was measured, against what, and what it was meant to reach."""

from dataclasses import dataclass

from benchmarks.measure import Spread


@dataclass(frozen=True)
class Goal:
    """What a figure must reach (floor) and should reach (aim)."""

    floor: float
    aim: float | None = None
    smaller_is_better: bool = False

    def reached(self, value: float, goal: float) -> bool:
        return value <= goal if self.smaller_is_better else value >= goal


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure.

    ours, theirs: times or sizes in words; against: the alternative.
    value: the figure that is judged, in `unit`. quiet: whether the machine was left to us.
    """

    figure: str
    value: Spread | None = None
    unit: str = ""
    ours: str = ""
    against: str = ""
    theirs: str = ""
    goal: Goal | None = None
    quiet: bool = True
    note: str = ""

    @property
    def verdict(self) -> str:
        if self.goal is None or self.value is None:
            return ""
        if not self.quiet:
            return "no verdict"
        value, goal = self.value.median, self.goal
        if goal.aim is not None and goal.reached(value, goal.aim):
            return "aim met"
        met = "met" if goal.aim is None else "floor met"
        return met if goal.reached(value, goal.floor) else "below floor"

    @property
    def cells(self) -> tuple[str, ...]:
        """Figure, ours, against, theirs, value, range, floor, aim, verdict."""
        floor = quantity(self.goal.floor, self.unit) if self.goal else ""
        aim = quantity(self.goal.aim, self.unit) if self.goal and self.goal.aim is not None else ""
        value = quantity(self.value.median, self.unit) if self.value else self.note
        return (
            self.figure, self.ours, self.against, self.theirs, value, self._range(), floor, aim, self.verdict
        )  # fmt: skip

    def _range(self) -> str:
        spread = self.value
        if spread is None or spread.low == spread.high:
            return ""
        return f"{quantity(spread.low, self.unit)} to {quantity(spread.high, self.unit)}"


HEADINGS = ("figure", "ours", "against", "theirs", "value", "range", "floor", "aim", "verdict")


def quantity(value: float, unit: str) -> str:
    """A number with its unit, to three digits or so."""
    if unit == "%":
        return f"{100 * value:.0f} %"
    if unit == "error":
        return f"{value:.1e}"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    number = f"{value:,.{digits}f}"
    return f"{number}x" if unit == "x" else f"{number} {unit}".rstrip()


def milliseconds(wall: Spread, cpu: Spread) -> str:
    return f"{quantity(wall.median * 1e3, 'ms')} wall, {quantity(cpu.median * 1e3, 'ms')} CPU"
