"""What the other members do to a sample's signal: measured on references, taken off the target.

The surrogate says how the others predict each sample; its response to a model's own training set, less that
to a training set of chance, shifts the sample's signal. Most of the variance that a likelihood ratio takes
for noise is of this kind.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

Shifts = Float64[np.ndarray, "models samples responses"]
Values = Float64[np.ndarray, "models samples"]
Mask = Bool[np.ndarray, "models samples"]
Coefficients = Float64[np.ndarray, "responses"]

ROUNDING = 1e-9  # of scaled logits, which are recorded in single precision
RIDGE = 1e-3  # against the mean square of each response
SCALES = (0.05, 2.0)  # of the variance that is left; outside them the pseudo-targets have told too little


def regress(
    responses: Shifts | Float64[np.ndarray, "rows responses"], values: Float64[np.ndarray, "..."]
) -> Coefficients:
    """The coefficients of values on responses, both about 0; zeros for values that are 0 but for rounding."""
    rows, target = responses.reshape(-1, responses.shape[-1]), values.reshape(-1)
    if not (np.abs(target) > ROUNDING).any():
        return np.zeros(rows.shape[1])
    gram = rows.T @ rows
    gram.flat[:: len(gram) + 1] *= 1 + RIDGE
    gram.flat[:: len(gram) + 1] += 1e-12
    return np.linalg.solve(gram, rows.T @ target)


def within(values: Values, chosen: Mask) -> Values:
    """The values less the mean of the chosen ones of the same sample; 0 where not chosen."""
    count = np.maximum(chosen.sum(0), 1)
    mean = np.where(chosen, values, 0.0).sum(0) / count
    return np.where(chosen, values - mean, 0.0)


def sensitivities(
    values: Values, shifts: Shifts, sides: tuple[Mask, Mask]
) -> tuple[Coefficients, Coefficients]:
    """How signals of OUT and of IN references follow the response to their own training sets.

    Both are taken about their mean over the references with the same coin, so that a sample's difficulty does
    not enter.
    """
    found: list[Coefficients] = []
    for chosen in sides:
        centered = np.stack([within(column, chosen) for column in np.moveaxis(shifts, -1, 0)], -1)
        found.append(regress(centered, within(values, chosen)))
    return found[0], found[1]


def taken_off(
    values: Values, shifts: Shifts, sides: tuple[Mask, Mask], coefficients: Sequence[Coefficients]
) -> Values:
    """The values of references without what their own training sets did to them."""
    result = values.copy()
    for chosen, slope in zip(sides, coefficients, strict=True):
        result -= np.where(chosen, shifts @ slope, 0.0)
    return result


@dataclass(frozen=True, eq=False)
class Conditioning:
    """How a target's signal follows the response to its guessed training set, OUT and IN.

    slopes: of the shift. scales: what is left of the variance.
    """

    slopes: tuple[Coefficients, Coefficients]
    scales: tuple[float, float]


def condition(
    residuals: tuple[Float64[np.ndarray, "pseudo samples"], Float64[np.ndarray, "pseudo samples"]],
    shifts: Float64[np.ndarray, "pseudo samples responses"],
    sides: tuple[Bool[np.ndarray, "pseudo samples"], Bool[np.ndarray, "pseudo samples"]],
    expected: tuple[tuple[Float64[np.ndarray, "pseudo samples"], Float64[np.ndarray, "pseudo samples"]], ...],
) -> Conditioning:
    """The conditioning that references show when each plays the target.

    residuals: their signals less the OUT and the IN mean that the other references give. shifts: the
    responses to their guessed training sets. sides: where they are OUT and where IN, which is known.
    expected: for OUT and for IN the variance of the mean and that of a signal about it.
    """
    slopes: list[Coefficients] = []
    scales: list[float] = []
    for residual, chosen, (doubt, variance) in zip(residuals, sides, expected, strict=True):
        slope = regress(shifts[chosen], residual[chosen])
        left = residual[chosen] - shifts[chosen] @ slope
        after = float(np.mean(left**2))
        scale = (after - float(doubt[chosen].mean())) / float(variance[chosen].mean())
        slopes.append(slope)
        scales.append(float(np.clip(scale, *SCALES)))
    return Conditioning((slopes[0], slopes[1]), (scales[0], scales[1]))
