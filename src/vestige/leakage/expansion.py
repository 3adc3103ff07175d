"""More or fewer features from given ones, for sweeps over a linear model's complexity."""

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike

from vestige.core import check, seeds
from vestige.core.errors import InputError

Expanded = Float64[np.ndarray, "records expanded"]


def relu_features(X: ArrayLike, number: int, seed: int = 0) -> Expanded:
    """Random features max(0, x'w) with w ~ N(0, I), divided by sqrt(number) so that norms do not grow.

    X: [records features]. Features are drawn one after another: up to the factor, fewer are the first of
    more.

    Raises InputError for number < 1 or X without two dimensions.
    """
    check.at_least("number", number, 1)
    inputs = _inputs(X)
    directions = seeds.generator(seed, "relu features").standard_normal((number, inputs.shape[1]))
    return np.maximum(inputs @ directions.T, 0) / np.sqrt(number)


def principal_components(X: ArrayLike, number: int, *, center: bool = True) -> Expanded:
    """Coordinates along the directions of largest variance, largest first.

    X: [records features]. center: take the mean off first; without it, directions of largest second moment.
    Each direction points to where its largest loading is positive.

    Raises InputError unless number is between 1 and the smaller side of X.
    """
    inputs = _inputs(X)
    check.within("number", number, 1, min(inputs.shape))
    around = inputs - inputs.mean(axis=0) if center else inputs
    directions = np.linalg.svd(around, full_matrices=False)[2][:number]
    largest = np.argmax(np.abs(directions), axis=1)
    signs = np.where(directions[np.arange(number), largest] < 0, -1.0, 1.0)
    return around @ (directions * signs[:, None]).T


def _inputs(X: ArrayLike) -> Float64[np.ndarray, "records features"]:
    inputs = np.asarray(X, np.float64)
    if inputs.ndim != 2 or not inputs.size or not np.isfinite(inputs).all():
        raise InputError(f"X of shape {inputs.shape} must be finite numbers [records features]")
    return inputs
