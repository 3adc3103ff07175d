"""What intervals tell of the order of regions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vestige.risk.estimate import Estimate

MOST = 3  # names in a list of what may hold more


@dataclass(frozen=True, kw_only=True)
class Order:
    """How regions follow one another by their figures, as far as the intervals tell.

    above: the regions whose whole interval lies above the neutral figure. rivals: those that may come first,
    as their interval reaches the lower end of the best above; none where no region lies above.
    """

    above: tuple[str, ...]
    rivals: tuple[str, ...]

    @property
    def first(self) -> str | None:
        """The region whose whole interval lies above those of all others."""
        return self.rivals[0] if len(self.rivals) == 1 else None

    @property
    def doubt(self) -> str:
        """In words why there is no first among those above; empty where there is one."""
        others = [name for name in self.rivals if name not in self.above]
        if others:
            several = listed(others, "or") if len(others) <= MOST else f"{len(others)} others"
            return f", though {several} may hold more"
        return ", in no clear order" if len(self.rivals) > 1 else ""


def order_of(estimates: Mapping[str, Estimate], neutral: float) -> Order:
    """The order of regions by name. A figure without an interval may come first, and is never above."""
    lows = {name: one.low for name, one in estimates.items() if one.low is not None and one.low > neutral}
    if not lows:
        return Order(above=(), rivals=())
    best = max(lows.values())
    return Order(
        above=tuple(lows),
        rivals=tuple(name for name, one in estimates.items() if _reaches(one, best)),
    )


def listed(names: Sequence[str], word: str = "and") -> str:
    """Names as a list in a sentence."""
    return f" {word} ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def _reaches(estimate: Estimate, value: float) -> bool:
    if estimate.value is None:
        return False
    return estimate.high is None or bool(estimate.high >= value)
