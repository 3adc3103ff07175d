"""Count, mean and spread per sample, added row by row and taken away again in closed form."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from vestige.stats.exchange import exchange

Column = Float64[np.ndarray, "samples 1"]
Block = Float64[np.ndarray, "samples augmentations"]
Row = Float64[np.ndarray, "1 augmentations"]

# Samples handled at once: the float64 columns of this length that an attack works on stay in a core's cache.
BLOCK = 16384

# Taking a row away loses digits in proportion to what it held. Below this share of the former value
# fewer than about 10 digits are left, and the caller should compute afresh.
LOST = 1e-5


def blocks(length: int) -> Iterator[slice]:
    """Cache-sized slices that cover 0 .. length - 1."""
    for start in range(0, length, BLOCK):
        yield slice(start, min(start + BLOCK, length))


def column_sum(values: Block) -> Row:
    """The sum over samples, in an order that does not depend on how many columns there are."""
    return np.ascontiguousarray(values.T).sum(1)[None]


def column_mean(values: Block) -> Row:
    """The mean over samples, in an order that does not depend on how many columns there are."""
    return column_sum(values) / len(values)


@dataclass(frozen=True, eq=False)
class Moments:
    """The first two moments of each sample over some rows.

    count: [samples 1], how many rows.
    mean: [samples augmentations], NaN once the last row was taken away.
    squares: [samples augmentations], sum of squared deviations from the mean.
    """

    count: Column
    mean: Block
    squares: Block

    @property
    def freedom(self) -> Column:
        """The degrees of freedom of the variance, count - 1, not below 0."""
        return np.maximum(self.count - 1, 0)

    def variance(self) -> Block:
        """The unbiased variance, NaN below two rows."""
        freedom = self.count - 1
        return self.squares / np.where(freedom > 0, freedom, np.nan)

    def at(self, samples: slice) -> "Moments":
        """The moments of some of the samples, sharing memory."""
        return Moments(self.count[samples], self.mean[samples], self.squares[samples])

    def with_common_count(self) -> "Moments":
        """The same moments; a count that is equal for all samples becomes one number in memory."""
        if self.count.min() != self.count.max():
            return self
        return Moments(np.broadcast_to(self.count[:1], self.count.shape), self.mean, self.squares)

    def without(self, row: Block, present: Column | float) -> "Moments":
        """The moments after one row is taken away, where present is 1; unchanged where it is 0.

        mean' = mean - d / (n - 1) and squares' = squares - d^2 n / (n - 1) with d = row - mean.
        """
        count = self._brief_count - present
        deviation = self._deviation(row, present)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = deviation / count
        deviation *= step
        deviation *= self._brief_count
        squares = np.subtract(self.squares, deviation, out=deviation)
        np.maximum(squares, 0.0, out=squares)
        if count.min() < 2:
            squares[np.broadcast_to(count < 2, self.count.shape)[:, 0]] = 0.0
        return Moments(np.broadcast_to(count, self.count.shape), self.mean - step, squares)

    def mean_without(self, row: Block, present: Column | float) -> Block:
        """The mean that `without` gives, alone."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.mean - self._deviation(row, present) / (self._brief_count - present)

    def summed_loss(self, row: Block, present: Column | float) -> tuple[Row, float]:
        """What taking one row away costs in squares, and the degrees of freedom left, summed over samples."""
        count = self._brief_count - present
        deviation = self._deviation(row, present)
        deviation *= deviation
        deviation *= self._brief_count / np.where(count > 0, count, np.inf)
        repeats = len(self.count) // len(count)
        freedom = float(np.maximum(count - 1, 0).sum()) * repeats
        return column_sum(deviation), freedom

    def lost_digits(self, before: "Moments", all_positive: bool) -> Bool[np.ndarray, "samples"]:
        """Where cancellation since `before` left too few digits; means are judged if rows are positive."""
        lost = self.squares < LOST * before.squares
        if lost.any():
            lost &= self.count >= 2
        if all_positive:
            lost |= (self.mean < LOST * before.mean) & (self.count >= 1)
        return lost[:, 0] if lost.shape[1] == 1 else np.logical_or.reduce(lost, axis=1)

    @property
    def _brief_count(self) -> Float64[np.ndarray, "_ 1"]:
        """The count, a single one if it is common to all samples."""
        return self.count if self.count.strides[0] else self.count[:1]

    def _deviation(self, row: Block, present: Column | float) -> Block:
        deviation = row - self.mean
        if not isinstance(present, float):
            deviation *= present
        return deviation


@dataclass(frozen=True, eq=False)
class TwoSided:
    """Moments of the rows inside a group and of those outside it, per sample."""

    inside: Moments
    outside: Moments

    def at(self, samples: slice) -> "TwoSided":
        """The moments of some of the samples, sharing memory."""
        return TwoSided(self.inside.at(samples), self.outside.at(samples))

    def with_common_counts(self) -> "TwoSided":
        """The same moments; counts that are equal for all samples become one number in memory."""
        return TwoSided(self.inside.with_common_count(), self.outside.with_common_count())

    def mean_of_all(self) -> Block:
        """The mean over the rows of both sides; NaN where there is none."""
        inside, outside = self.inside, self.outside
        total = np.where(inside.count > 0, inside.mean * inside.count, 0.0)
        total += np.where(outside.count > 0, outside.mean * outside.count, 0.0)
        count = inside.count + outside.count
        return total / np.where(count > 0, count, np.nan)


def empty(samples: int, augmentations: int) -> TwoSided:
    """The moments of no rows, to which `add` adds."""

    def zeros() -> Moments:
        shape = (samples, augmentations)
        return Moments(np.zeros((samples, 1)), np.zeros(shape), np.zeros(shape))

    return TwoSided(zeros(), zeros())


def add(
    moments: TwoSided,
    row: Block,
    inside: Bool[np.ndarray, "samples"],
    usable: Bool[np.ndarray, "samples"] | None = None,
) -> None:
    """Add one row in place, each sample to its side (Welford's update: no large sums are subtracted).

    usable: where the row counts at all; None means everywhere.
    """
    side = inside[:, None]
    add_inside = side.astype(np.float64) if usable is None else (side & usable[:, None]).astype(np.float64)
    add_outside = 1.0 - add_inside if usable is None else usable[:, None] - add_inside
    first, second = moments.inside, moments.outside
    np.add(first.count, add_inside, out=first.count)
    np.add(second.count, add_outside, out=second.count)
    deviation = row - exchange(side, first.mean, second.mean)[0]
    step = deviation / np.maximum(exchange(side, first.count, second.count)[0], 1.0)
    deviation *= deviation - step
    for target, weight in ((first, add_inside), (second, add_outside)):
        np.add(target.mean, step * weight, out=target.mean)
        np.add(target.squares, deviation * weight, out=target.squares)
