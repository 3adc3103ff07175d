"""The powers with which leakage follows the options of a sweep."""

import itertools
import math
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float64
from scipy import special

from vestige.designs.design import Factor
from vestige.designs.feature_map import features_from
from vestige.leakage.slope import Slope, log_log_slope

QUANTITIES = ("kl", "mutual_information", "advantage")
STATISTICS = ("mean", "q99", "max")
FEWEST = 3  # levels, and seeds whose spread makes an interval

Grid = Float64[np.ndarray, "seeds levels"]


def axis_of(factor: Factor) -> tuple[str, tuple[float, ...]] | None:
    """What the levels measure and how much of it each is; None where they are no numbers above 0.

    A delta counts as ln(1.25/delta), the form in which it enters the noise of the classical calibration.
    """
    if factor.option == "features":
        found = [features_from(text) for text in factor.levels]
        kinds = {one.kind for one in found}
        names = {"pca": "principal components", "relu": "random ReLU features"}
        kind = kinds.pop()
        if kinds or kind not in names:
            return None
        return names[kind], tuple(float(one.number) for one in found)
    if factor.option == "delta":
        return "ln(1.25/delta)", tuple(math.log(1.25 / level) for level in factor.levels)
    if any(level <= 0 for level in factor.levels):
        return None
    return factor.option, tuple(float(level) for level in factor.levels)


def slopes(table: pd.DataFrame, factors: tuple[Factor, ...]) -> pd.DataFrame:
    """One row per option with at least three levels in numbers, levels of the others, quantity and statistic.

    table: of a sweep. Columns: option, axis, those of the other options, quantity, statistic, slope, low,
    high, interval, and the slopes between the first two and the last two levels, first and last.
    """
    rows: list[dict[str, Any]] = []
    for factor in factors:
        axis = axis_of(factor)
        if axis is None or len(factor.levels) < FEWEST:
            continue
        others = [other for other in factors if other is not factor]
        for levels in itertools.product(*(other.levels for other in others)):
            fixed = {other.option: level for other, level in zip(others, levels, strict=True)}
            rows += _of_option(table, factor, axis, fixed)
    return pd.DataFrame(rows)


def grid(table: pd.DataFrame, factor: Factor, fixed: dict[str, Any], quantity: str, statistic: str) -> Grid:
    """A quantity's statistic at each level of the factor, one row per seed, the other options fixed."""
    kept = (table.quantity == quantity) & (table.statistic == statistic)
    for option, level in fixed.items():
        kept &= table[option] == level
    pivot = table[kept].pivot(index="seed", columns=factor.option, values="value")
    return pivot[list(factor.levels)].to_numpy(np.float64)


def slope_over_seeds(x: tuple[float, ...], values: Grid) -> Slope:
    """The slope of ln value over ln x: mean over seeds with Student's interval.

    With fewer than three seeds that of the mean over seeds, its interval from the scatter of the points.
    """
    if len(values) < FEWEST:
        return log_log_slope(x, values.mean(axis=0))
    found = np.array([log_log_slope(x, row).value for row in values])
    half = float(special.stdtrit(len(found) - 1, 0.975) * found.std(ddof=1) / np.sqrt(len(found)))
    value = float(found.mean())
    return Slope(value=value, low=value - half, high=value + half, confidence=0.95, kind="seeds")


def steps(x: tuple[float, ...], values: Grid) -> Float64[np.ndarray, "seeds steps"]:
    """The slopes between neighboring levels, in the order of x."""
    order = np.argsort(x)
    return np.diff(np.log(values[:, order]), axis=1) / np.diff(np.log(np.asarray(x)[order]))


def _of_option(
    table: pd.DataFrame, factor: Factor, axis: tuple[str, tuple[float, ...]], fixed: dict[str, Any]
) -> list[dict[str, Any]]:
    title, x = axis
    rows: list[dict[str, Any]] = []
    for quantity, statistic in itertools.product(QUANTITIES, STATISTICS):
        values = grid(table, factor, fixed, quantity, statistic)
        if not np.all(np.isfinite(values) & (values > 0)):
            continue
        slope, between = slope_over_seeds(x, values), steps(x, values).mean(axis=0)
        rows.append(
            {
                "option": factor.option, "axis": title, **fixed, "quantity": quantity, "statistic": statistic,
                "slope": slope.value, "low": slope.low, "high": slope.high, "interval": slope.kind,
                "first": float(between[0]), "last": float(between[-1]),
            }
        )  # fmt: skip
    return rows
