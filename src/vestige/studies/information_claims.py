"""What the study of information asks of its figures, claim by claim."""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from jaxtyping import Float64

from vestige.leakage.slope import log_log_slope
from vestige.studies.finding import Finding, Measured, finding

Claims = Callable[[pd.DataFrame], list[Finding]]
Levels = Float64[np.ndarray, "levels"]
Grid = Float64[np.ndarray, "seeds levels"]

FALLS, GROWS = "decreases", "increases"
EXACT_RATE = 0.02  # how far a slope that follows from the noise alone may lie from it
CURVED = "One power does not describe the whole range: the first and the last step are given beside it."
RATE = (
    "O(log^(1/2)(1/delta)/epsilon) is s. Which quantity it bounds is not known: sqrt(KL) and the advantage "
    "fall like 1/s, KL and mutual information like 1/s^2."
)
CALIBRATED = "The noise that epsilon asks for shrinks with size as fast as the effect of one record."
INTERPOLATION = "160 features are as many as records, where random features interpolate."
PREDICTIONS = "Tan et al. 2022, arXiv 2202.01243, by its abstract; which attack is a reconstruction."
FIXED = "The features were learned from other records and are the same at every size."


def grid(figures: pd.DataFrame, setting: str, quantity: str, axis: str | None = None) -> tuple[Levels, Grid]:
    """The places on the axis, increasing, and the values there, one row per seed."""
    kept = (figures.setting == setting) & (figures.quantity == quantity)
    if axis is not None:
        kept &= figures.axis == axis
    pivot = figures[kept].pivot(index="seed", columns="x", values="value")
    return pivot.columns.to_numpy(float), pivot.to_numpy(float)


def seeds_of(values: Float64[np.ndarray, "seeds"]) -> Measured:
    """A figure with one value per seed."""
    return Measured(np.asarray(values, np.float64), np.zeros(len(values)))


def slopes(x: Levels, values: Grid) -> Measured:
    """The log-log slope of each seed."""
    return seeds_of(np.array([log_log_slope(x, row).value for row in values]))


def steps(x: Levels, values: Grid) -> Float64[np.ndarray, "seeds steps"]:
    """The log-log slopes between neighboring places, per seed."""
    return np.diff(np.log(values), axis=1) / np.diff(np.log(x))


def _settings(figures: pd.DataFrame, axis: str | None = None) -> Iterator[str]:
    kept = figures if axis is None else figures[figures.axis == axis]
    return iter(dict.fromkeys(kept.setting))


def _size(figures: pd.DataFrame) -> list[Finding]:
    rows: list[Finding] = []
    for setting in _settings(figures):
        x, kl = grid(figures, setting, "kl mean")
        rows += [
            finding("slope of mean KL in n", FALLS, setting, slopes(x, kl).estimate, most=0.0),
            finding(
                "the flattest step from one n to the next",
                FALLS,
                setting,
                seeds_of(steps(x, kl).max(axis=1)).estimate,
                most=0.0,
            ),
            _information(figures, setting, f"n = {x[-1]:g} over n = {x[0]:g}"),
        ]
    return rows


def _weight(figures: pd.DataFrame) -> list[Finding]:
    rows: list[Finding] = []
    for setting in _settings(figures):
        x, kl = grid(figures, setting, "kl mean")
        between = steps(x, kl)
        rows += [
            finding(
                "the flattest step of mean KL from one weight to the next",
                FALLS,
                setting,
                seeds_of(between.max(axis=1)).estimate,
                most=0.0,
            ),
            finding("slope, smallest weights", "–", setting, seeds_of(between[:, 0]).estimate, note=CURVED),
            finding("slope, largest weights", "–", setting, seeds_of(between[:, -1]).estimate, note=CURVED),
            _information(figures, setting, f"weight {x[-1]:g} over {x[0]:g}"),
        ]
    return rows


def _information(figures: pd.DataFrame, setting: str, ends: str) -> Finding:
    """Mutual information at the last level over that at the first."""
    _, values = grid(figures, setting, "mutual_information mean")
    ratio = seeds_of(values[:, -1]).over(seeds_of(values[:, 0]))
    return finding(f"mean mutual information, {ends}", FALLS, setting, ratio, most=1.0)


def _sensitivity(figures: pd.DataFrame) -> list[Finding]:
    rows: list[Finding] = []
    for setting in _settings(figures):
        x, values = grid(figures, setting, "rank correlation")
        rows += [
            finding(
                f"rank correlation of KL and gradient, weight {weight:g}",
                "higher sensitivity, more leakage",
                setting,
                seeds_of(column).estimate,
                least=0.0,
            )
            for weight, column in zip(x, values.T, strict=True)
        ]
    return rows


def _complexity(figures: pd.DataFrame) -> list[Finding]:
    rows: list[Finding] = []
    for setting in _settings(figures):
        x, kl = grid(figures, setting, "kl mean")
        lowest = seeds_of(steps(x, kl).min(axis=1)).estimate
        rows += [
            finding(
                f"slope of mean KL in components, {x[0]:g} to {x[-1]:g}",
                GROWS,
                setting,
                slopes(x, kl).estimate,
                least=0.0,
            ),
            finding("the flattest step from one to the next", GROWS, setting, lowest, least=0.0),
        ]
    return rows


def _noise(figures: pd.DataFrame) -> list[Finding]:
    rows: list[Finding] = []
    for setting in _settings(figures, "s"):
        x, kl = grid(figures, setting, "kl mean", "s")
        _, advantage = grid(figures, setting, "advantage mean", "s")
        _, information = grid(figures, setting, "mutual_information mean", "s")
        _, largest = grid(figures, setting, "kl max", "s")
        shown = (
            ("mean KL", kl, -2.0),
            ("mean mutual information", information, -2.0),
            ("sqrt of mean KL", np.sqrt(kl), -1.0),
            ("mean advantage", advantage, -1.0),
        )
        rows += [
            finding(
                f"slope of {name} in s",
                "O(s^-1), s = sqrt(ln(1.25/delta))/epsilon",
                setting,
                slopes(x, values).estimate,
                most=rate + EXACT_RATE,
                note=RATE,
            )
            for name, values, rate in shown
        ]
        reached = seeds_of((largest * 4 * x**2).max(axis=1))  # KL of the worst record: 1 / (4 s^2)
        limit = reached.over(seeds_of(np.ones(len(largest))))
        rows.append(finding("largest KL over what epsilon allows", "at most 1", setting, limit, most=1.0))
    rows += [
        finding(
            "slope of mean KL in n at epsilon 1 in place of fixed noise",
            FALLS,
            setting,
            slopes(*grid(figures, setting, "kl mean", "size, epsilon 1")).estimate,
            note=CALIBRATED,
        )
        for setting in _settings(figures, "size, epsilon 1")
    ]
    return rows


def _limits(figures: pd.DataFrame) -> list[Finding]:
    return [*_interpolation(figures), *_predictions(figures)]


def _interpolation(figures: pd.DataFrame) -> list[Finding]:
    """Random features: up to the interpolation threshold, and beyond it."""
    rows: list[Finding] = []
    for setting in _settings(figures, "features"):
        x, kl = grid(figures, setting, "kl mean", "features")
        level = {int(place): seeds_of(kl[:, i]) for i, place in enumerate(x)}
        first, last, middle = min(level), max(level), 160
        rows += [
            finding(
                f"mean KL, {high} random features over {low}",
                GROWS,
                f"{setting}, 160 records",
                level[high].over(level[low]),
                least=1.0,
                note=INTERPOLATION,
            )
            for low, high in ((first, middle), (middle, last))
        ]
    return rows


def _predictions(figures: pd.DataFrame) -> list[Finding]:
    """More ridge, over-parameterized: what predictions tell, and what parameters do."""
    setting = next(iter(_settings(figures, "weight")), None)
    if setting is None:
        return []
    rows: list[Finding] = []
    asked = (
        ("advantage, prediction alone", "increases with ridge (Tan et al. 2022)", 0.0),
        ("advantage, residual", "–", None),
        ("advantage, prediction and target", "–", None),
    )
    for quantity, paper, least in asked:
        x, values = grid(figures, setting, quantity, "weight")
        change = seeds_of(values[:, -1]).minus(seeds_of(values[:, 0]))
        claim = f"{quantity}: weight {x[-1]:g} less {x[0]:g}"
        rows += [
            finding(claim, paper, setting, change, least=least, note=PREDICTIONS),
            *(
                finding(f"{quantity}, weight {weight:g}", "–", setting, seeds_of(column).share)
                for weight, column in zip(x, values.T, strict=True)
            ),
        ]
    x, kl = grid(figures, setting, "kl mean", "weight")
    steepest = seeds_of(steps(x, kl).max(axis=1)).estimate
    return [
        *rows,
        finding("the same models, parameters with noise: flattest step", FALLS, setting, steepest, most=0.0),
    ]


def _last_layer(figures: pd.DataFrame) -> list[Finding]:
    rows: list[Finding] = []
    for setting in _settings(figures):
        x, kl = grid(figures, setting, "kl mean", "size")
        ends = f"{x[0]:g} to {x[-1]:g} rows"
        slope = slopes(x, kl).estimate
        rows += [
            finding(f"slope of mean KL in n, {ends}", FALLS, setting, slope, most=0.0, note=FIXED),
            finding(
                "the slope's last step", "–", setting, seeds_of(steps(x, kl)[:, -1]).estimate, note=FIXED
            ),
            *(
                finding(f"mean KL in nats, n = {n:g}", "–", setting, seeds_of(column).estimate)
                for n, column in zip(x, kl.T, strict=True)
            ),
            *_validation(figures, setting),
        ]
    return rows


def _validation(figures: pd.DataFrame, setting: str) -> list[Finding]:
    x, ranks = grid(figures, setting, "rank correlation", "refits")
    _, ratios = grid(figures, setting, "mean ratio", "refits")
    told = f"against 20 fits without the record, n = {x[0]:g}"
    return [
        finding(f"rank correlation of KL {told}", "–", setting, seeds_of(ranks[:, 0]).estimate, least=0.95),
        finding(f"mean KL over exact mean {told}", "–", setting, seeds_of(ratios[:, 0]).estimate),
    ]


CLAIMS: dict[str, Claims] = {
    "size": _size,
    "weight": _weight,
    "sensitivity": _sensitivity,
    "complexity": _complexity,
    "noise": _noise,
    "limits": _limits,
    "last layer": _last_layer,
}
