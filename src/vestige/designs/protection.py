"""What a comparison of defenses found: one row per defense, seed, attack and metric."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import special

from vestige.report.protection_figures import ProtectionRow
from vestige.risk.estimate import Z_95, Estimate

SIGNED = ("advantage", "gain", "_change", "lost", "gained")
UNBOUNDED = ("time_ratio", "train_loss", "test_loss")
MANY_SEEDS = 6  # from here Student's factor over seeds is below 2.6, and it needs no models within


@dataclass(frozen=True, kw_only=True)
class MeasuredRow:
    """One figure of one defense under one seed."""

    defense: str
    seed: int
    attack: str
    metric: str
    estimate: Estimate


@dataclass(frozen=True, eq=False)
class Protection:
    """Defenses under the same attacks, on the same coins.

    failures: by defense and seed, why a cell could not be trained or measured; the others stand.
    notes: by defense, statements of its own.
    """

    rows: tuple[MeasuredRow, ...]
    folder: Path
    failures: Mapping[tuple[str, int], str] = field(default_factory=dict[tuple[str, int], str])
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    @property
    def defenses(self) -> tuple[str, ...]:
        """As written, in their order, "none" first."""
        named = [row.defense for row in self.rows] + [defense for defense, _ in self.failures]
        return tuple(dict.fromkeys(named))

    @property
    def seeds(self) -> int:
        """How many seeds there are."""
        return len({row.seed for row in self.rows})

    @property
    def table(self) -> pd.DataFrame:
        """defense, seed, attack, metric, value, low, high; NaN where there is no figure or no interval."""
        rows = [
            (r.defense, r.seed, r.attack, r.metric, *(_end(r.estimate, e) for e in ("value", "low", "high")))
            for r in self.rows
        ]
        columns = ["defense", "seed", "attack", "metric", "value", "low", "high"]
        return pd.DataFrame(rows, columns=columns)

    def over_seeds(self, defense: str) -> dict[tuple[str, str], Estimate]:
        """By (attack, metric) the mean over seeds with its interval; of one seed its own estimate."""
        found: dict[tuple[str, str], list[Estimate]] = {}
        for row in self.rows:
            if row.defense == defense:
                found.setdefault((row.attack, row.metric), []).append(row.estimate)
        return {key: _clipped(mean_of(estimates), key[1]) for key, estimates in found.items()}

    @property
    def summary(self) -> tuple[ProtectionRow, ...]:
        """One row per defense, for the page and the terminal."""
        return tuple(
            ProtectionRow(
                name=defense,
                mechanism=mechanism(defense),
                estimates=self.over_seeds(defense),
                notes=self.notes.get(defense, ()),
                failure=self._failure(defense),
            )
            for defense in self.defenses
        )

    @property
    def report(self) -> Path:
        """The page that draws the comparison."""
        return self.folder / "comparison.html"

    def _failure(self, defense: str) -> str:
        """Why nothing of the defense was measured; empty if something was."""
        if any(row.defense == defense for row in self.rows):
            return ""
        return next(why for (name, _), why in self.failures.items() if name == defense)


def with_time_ratios(rows: Sequence[MeasuredRow]) -> tuple[MeasuredRow, ...]:
    """The rows, with seconds per model turned into their ratio to those of "none" under the same seed."""
    base = {row.seed: row.estimate.value for row in rows if row.metric == "seconds" and row.defense == "none"}
    found: list[MeasuredRow] = []
    for row in rows:
        if row.metric != "seconds":
            found.append(row)
            continue
        own, none = row.estimate.value, base.get(row.seed)
        ratio = Estimate(value=own / none if own and none else None)
        found.append(replace(row, metric="time_ratio", estimate=ratio))
    return tuple(found)


def mechanism(defense: str) -> str:
    """A defense as written without its parameters."""
    return "+".join(part.partition(":")[0] for part in defense.split("+"))


def mean_of(estimates: Iterable[Estimate]) -> Estimate:
    """The mean over seeds with its interval; of a single one itself, of none with a value the note.

    From six seeds on it is Student's over seeds, and so without intervals within seeds. With fewer, each
    seed's own interval tells how far models scatter: the mean's follows from these, widened by the Birge
    ratio where seeds differ by more than that (Particle Data Group, review of averages).
    """
    known = [e for e in estimates if e.value is not None]
    if len(known) < 2:
        return known[0] if known else Estimate(value=None, note="Not measured under any seed.")
    values = np.array([e.value for e in known], float)
    errors = np.array([np.nan if e.standard_error is None else e.standard_error for e in known])
    mean, number = float(values.mean()), len(values)
    if number < MANY_SEEDS and np.isfinite(errors).all() and (errors > 0).all():
        birge = np.sqrt(((values - mean) ** 2 / errors**2).sum() / (number - 1))
        half = Z_95 * float(np.sqrt((errors**2).sum())) / number * max(1.0, float(birge))
        method = f"{number} seeds, over models within each"
    else:
        factor = float(special.stdtrit(number - 1, 0.975))
        half = factor * float(values.std(ddof=1)) / float(np.sqrt(number))
        method = f"Student over {number} seeds"
    return Estimate(value=mean, low=mean - half, high=mean + half, method=method)


def _clipped(estimate: Estimate, metric: str) -> Estimate:
    """The interval within what the metric can be: differences of rates from -1 to 1, the others from 0."""
    if estimate.low is None or estimate.high is None:
        return estimate
    least, most = (-1.0, 1.0) if metric.endswith(SIGNED) else (0.0, np.inf if metric in UNBOUNDED else 1.0)
    return replace(estimate, low=max(least, estimate.low), high=min(most, estimate.high))


def _end(estimate: Estimate, end: str) -> float:
    value = getattr(estimate, end)
    return np.nan if value is None else float(value)
