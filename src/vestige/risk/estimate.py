"""A figure with its interval, or the reason why there is none."""

from dataclasses import dataclass

# Two-sided 95 % and one-sided 80 % points of the standard normal.
Z_95 = 1.959964
Z_80 = 0.841621


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A value with its interval at the stated confidence.

    value: None when the data cannot carry the figure; `note` then says why.
    method: what the interval was made from, and so what it speaks of.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    confidence: float = 0.95
    method: str = ""
    note: str = ""

    @property
    def supported(self) -> bool:
        """Whether there is a value."""
        return self.value is not None

    @property
    def standard_error(self) -> float | None:
        """The standard error that a symmetric 95 % interval of this width would have."""
        if self.low is None or self.high is None:
            return None
        return (self.high - self.low) / (2 * Z_95)

    def scaled(self, factor: float, shift: float = 0.0) -> "Estimate":
        """The estimate of factor * value + shift, for a factor above zero."""

        def moved(x: float | None) -> float | None:
            return None if x is None else factor * x + shift

        return Estimate(
            value=moved(self.value),
            low=moved(self.low),
            high=moved(self.high),
            confidence=self.confidence,
            method=self.method,
            note=self.note,
        )


def unsupported(note: str) -> Estimate:
    """An estimate without a value, and the sentence that says why."""
    return Estimate(value=None, note=note)
