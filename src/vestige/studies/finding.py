"""A claim, the figure it was published with, ours, and what follows."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64
from scipy import special

from vestige.core.errors import InputError
from vestige.designs.comparison import Comparison
from vestige.risk.estimate import Z_95, Estimate

REPRODUCED, CONTRADICTED, UNSURE, OBSERVED = "reproduced", "contradicted", "cannot tell", "observed"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One row of a study's table.

    claim: in words. paper: the published figure, or "none". setting: what was run here.
    ours: with its 95 % interval; bound: what the claim asks of it, in words.
    verdict: reproduced, contradicted or cannot tell, by the whole interval; observed where nothing is asked.
    """

    claim: str
    paper: str
    setting: str
    ours: Estimate
    bound: str
    verdict: str
    note: str = ""


@dataclass(frozen=True, eq=False)
class Measured:
    """A metric of one condition: a value per seed, and the bootstrap's standard error of each."""

    values: Float64[np.ndarray, "seeds"]
    errors: Float64[np.ndarray, "seeds"]

    @property
    def estimate(self) -> Estimate:
        """The mean over seeds; of a single seed the value with its bootstrap interval."""
        return _estimate(self.values, self.errors)

    @property
    def share(self) -> Estimate:
        """The same of a share, whose interval cannot leave 0 to 1."""
        found = self.estimate
        if found.low is None or found.high is None:
            return found
        return replace(found, low=max(0.0, found.low), high=min(1.0, found.high))

    def minus(self, other: "Measured") -> Estimate:
        """The difference, seed by seed."""
        return _estimate(self.values - other.values, np.hypot(self.errors, other.errors))

    def over(self, other: "Measured") -> Estimate:
        """The ratio, by way of the mean logarithm, seed by seed."""
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.log(self.values) - np.log(other.values)
            errors = np.hypot(self.errors / self.values, other.errors / other.values)
        found = _estimate(logs, errors)
        ends = (found.value, found.low, found.high)
        value, low, high = (None if end is None else float(np.exp(end)) for end in ends)
        return Estimate(value=value, low=low, high=high, method=found.method, note=found.note)


def measured(comparison: Comparison, metric: str, **levels: object) -> Measured:
    """A metric of the cells with these levels, one value per cell (that is, per seed).

    Raises InputError where there is no such cell.
    """
    table = comparison.table
    rows = table[table.metric == metric]
    for option, level in levels.items():
        rows = rows[rows[option] == level]
    if not len(rows):
        raise InputError(f"no cell has {metric} at {levels}")
    value, low, high = (np.asarray(rows[end], np.float64) for end in ("value", "low", "high"))
    return Measured(value, (high - low) / (2 * Z_95))


def judged(ours: Estimate, *, least: float | None = None, most: float | None = None) -> tuple[str, str]:
    """The verdict on an estimate that should be at least, or at most, so much; and the bound in words."""
    if least is None and most is None:
        return OBSERVED, "–"
    bound = f"at least {least:g}" if least is not None else f"at most {most:g}"
    low, high = ours.low, ours.high
    if ours.value is None or low is None or high is None:
        return UNSURE, bound
    held = low >= least if least is not None else high <= (most or 0.0)
    broken = high < least if least is not None else low > (most or 0.0)
    return (REPRODUCED if held else CONTRADICTED if broken else UNSURE), bound


def finding(
    claim: str,
    paper: str,
    setting: str,
    ours: Estimate,
    *,
    least: float | None = None,
    most: float | None = None,
    note: str = "",
) -> Finding:
    """A row with its verdict."""
    verdict, bound = judged(ours, least=least, most=most)
    return Finding(
        claim=claim, paper=paper, setting=setting, ours=ours, bound=bound, verdict=verdict, note=note
    )


def _estimate(values: Float64[np.ndarray, "seeds"], errors: Float64[np.ndarray, "seeds"]) -> Estimate:
    """The mean with a Student interval over seeds, or the bootstrap's interval of one seed."""
    value = float(values.mean())
    if not np.isfinite(value):
        return Estimate(value=None, note="Not determined in every seed.")
    if len(values) == 1:
        half, method = Z_95 * float(errors[0]), "bootstrap over models, one seed"
    else:
        factor = float(special.stdtrit(len(values) - 1, 0.975))
        half = factor * float(values.std(ddof=1)) / float(np.sqrt(len(values)))
        method = f"Student over {len(values)} seeds"
    if not np.isfinite(half):
        return Estimate(value=value, note="No interval.")
    return Estimate(value=value, low=value - half, high=value + half, method=method)
