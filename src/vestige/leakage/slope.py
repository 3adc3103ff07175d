"""The power in a power law: slope of ln y over ln x, with an interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike
from scipy import stats

from vestige.core import seeds
from vestige.core.errors import InputError

Points = Float64[np.ndarray, "points"]


@dataclass(frozen=True, kw_only=True)
class Slope:
    """A fitted power, and where it lies with this confidence.

    kind: "points" for Student's t from the scatter of the points about the line, "records" for a bootstrap
    over records.
    """

    value: float
    low: float
    high: float
    confidence: float
    kind: str

    @property
    def sentence(self) -> str:
        """The slope in words."""
        return (
            f"slope {self.value:.2f}, {100 * self.confidence:g} % interval {self.low:.2f} to {self.high:.2f}"
        )


def log_log_slope(
    x: ArrayLike | Sequence[Any],
    y: ArrayLike | Sequence[Any],
    *,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Slope:
    """The least-squares slope of ln y over ln x.

    x: [points]. y: [points], or for each point the values of its records, whose mean is taken: the interval
    is then a percentile bootstrap, with the same records drawn at every point where all have the same number.

    Raises InputError for fewer than three points, values that are not finite and above 0, or equal x.
    """
    sizes = _positive("x", x)
    per_point = [np.atleast_1d(_positive("y", values)) for values in _rows(y)]
    if sizes.ndim != 1 or len(sizes) != len(per_point) or len(sizes) < 3 or np.ptp(sizes) == 0:
        raise InputError(
            f"x with {sizes.size} and y with {len(per_point)} points: give at least three points of both, at "
            "different x"
        )
    means = np.array([values.mean() for values in per_point])
    value = float(_slopes(sizes, means[None])[0])
    if all(len(values) == 1 for values in per_point):
        half = _student_half_width(sizes, means, confidence)
        return Slope(value=value, low=value - half, high=value + half, confidence=confidence, kind="points")
    drawn = _slopes(sizes, _resampled(per_point, resamples, seed))
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Slope(value=value, low=float(low), high=float(high), confidence=confidence, kind="records")


def _slopes(x: Points, y: Float64[np.ndarray, "fits points"]) -> Float64[np.ndarray, "fits"]:
    around = np.log(x) - np.log(x).mean()
    return np.log(y) @ around / (around @ around)


def _student_half_width(x: Points, y: Points, confidence: float) -> float:
    around, logs = np.log(x) - np.log(x).mean(), np.log(y)
    residuals = logs - logs.mean() - float(_slopes(x, y[None])[0]) * around
    error = np.sqrt(residuals @ residuals / (len(x) - 2) / (around @ around))
    return float(error * stats.t.ppf((1 + confidence) / 2, len(x) - 2))


def _resampled(
    per_point: list[np.ndarray], resamples: int, seed: int
) -> Float64[np.ndarray, "resamples points"]:
    generator = seeds.generator(seed, "slope")
    counts = [len(values) for values in per_point]
    same = generator.integers(counts[0], size=(resamples, counts[0])) if len(set(counts)) == 1 else None
    columns = [
        values[generator.integers(len(values), size=(resamples, len(values))) if same is None else same].mean(
            1
        )
        for values in per_point
    ]
    return np.stack(columns, axis=1)


def _rows(y: ArrayLike | Sequence[Any]) -> list[Any]:
    if isinstance(y, np.ndarray):
        return list(y)
    return list(y) if isinstance(y, Sequence) else [y]


def _positive(name: str, values: Any) -> Float64[np.ndarray, "..."]:
    array = np.asarray(values, np.float64)
    if not array.size or not np.all(np.isfinite(array) & (array > 0)):
        raise InputError(f"{name} must hold finite values above 0: a logarithm is taken")
    return array
