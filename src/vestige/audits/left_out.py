"""How far a figure moves when models are left out: the jackknife over groups of independent models."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64, Integer
from scipy import special

from vestige.risk.estimate import Estimate, unsupported

MOST_GROUPS = 16
FEWEST_GROUPS = 4  # with fewer, Student's factor says little more than that it is unknown

Grid = Float64[np.ndarray, "models samples"]
Rows = Float64[np.ndarray, "*samples"]


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Models in groups, dependent ones together; each group is left out once.

    A bootstrap would draw models twice, and an estimate of a divergence takes two equal models for a law
    that is narrower than it is: its replicates lie too high. Leaving out repeats no model.
    """

    groups: Int64[np.ndarray, "models"]

    @classmethod
    def of(cls, clusters: Integer[np.ndarray, "models"]) -> "LeftOut":
        """At most 16 groups of about equally many clusters."""
        _, number = np.unique(clusters, return_inverse=True)
        return cls(number.astype(np.int64) % MOST_GROUPS)

    @property
    def count(self) -> int:
        """How many groups there are."""
        return int(self.groups.max()) + 1

    def kept(self) -> Iterator[Bool[np.ndarray, "models"]]:
        """For each group the models that remain without it."""
        for group in range(self.count):
            yield self.groups != group

    def sums(self, values: Grid) -> Float64[np.ndarray, "groups samples"]:
        """The sum over models without each group in turn."""
        inside = np.zeros((self.count, len(self.groups)))
        inside[self.groups, np.arange(len(self.groups))] = 1.0
        return values.sum(0) - inside @ values

    def estimate(
        self,
        value: float,
        replicates: Float64[np.ndarray, "groups"],
        least: float = -np.inf,
        most: float = np.inf,
    ) -> Estimate:
        """The value with the 95 % interval that the replicates' spread gives, inside [least, most].

        Variance (G - 1) / G sum of squared deviations, Student's factor at G - 1 degrees of freedom.
        """
        count = self.count
        if not np.isfinite(value):
            return unsupported("It is not finite for some record.")
        if count < FEWEST_GROUPS or not np.isfinite(replicates).all():
            return Estimate(value=value, note=f"{count} independent groups of models carry no interval.")
        half = float(special.stdtrit(count - 1, 0.975)) * np.sqrt((count - 1) * replicates.var())
        return Estimate(
            value=value,
            low=float(min(value, max(least, value - half))),
            high=float(max(value, min(most, value + half))),
            method=f"jackknife over {count} groups of independent models",
        )


@dataclass(frozen=True, eq=False)
class Laws:
    """Mean and variance of each record's values over the models with it (1) and without it (0).

    variance: NaN where all models of a side agree. freedom: its degrees of freedom.
    """

    mean1: Rows
    variance1: Rows
    mean0: Rows
    variance0: Rows
    freedom1: Rows
    freedom0: Rows

    @property
    def shift(self) -> Rows:
        """The distance of the means in standard deviations, one for both sides."""
        squares = self.freedom1 * self.variance1 + self.freedom0 * self.variance0
        return np.abs(self.mean1 - self.mean0) / np.sqrt(squares / (self.freedom1 + self.freedom0))

    def of(self, records: Int64[np.ndarray, "_"]) -> tuple[Rows, Rows, Rows, Rows]:
        """Means and variances of some records: with, with, without, without."""
        mean1, variance1, mean0, variance0 = (
            end[..., records] for end in (self.mean1, self.variance1, self.mean0, self.variance0)
        )
        return mean1, variance1, mean0, variance0


def laws_left_out(values: Grid, mask: Bool[np.ndarray, "models samples"], left_out: LeftOut) -> Laws:
    """The laws without each group of models in turn, [groups samples]; a NaN value does not count."""
    known = np.isfinite(values)
    middle = np.nanmean(values, axis=0)  # or the squares lose their digits to a large mean
    centered = np.where(known, values - middle, 0.0)
    rows: list[Rows] = []
    for side in (mask & known, ~mask & known):
        count = left_out.sums(side.astype(np.float64))
        mean = left_out.sums(np.where(side, centered, 0.0)) / count
        variance = (left_out.sums(np.where(side, centered**2, 0.0)) - count * mean**2) / (count - 1)
        rows += [mean, np.where(variance > 0, variance, np.nan), count - 1]
    mean1, variance1, freedom1, mean0, variance0, freedom0 = rows
    return Laws(mean1, variance1, mean0, variance0, freedom1, freedom0)
