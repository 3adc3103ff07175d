"""Logarithms of normal and Student-t densities and tails."""

import numpy as np
from jaxtyping import Float64
from scipy import special

Array = Float64[np.ndarray, "..."]


def log_density(x: Array, mean: Array, variance: Array) -> Array:
    """The log density of the normal distribution."""
    return -0.5 * ((x - mean) ** 2 / variance + np.log(2 * np.pi * variance))


def log_density_ratio(x: Array, top: tuple[Array, Array], bottom: tuple[Array, Array]) -> Array:
    """log N(x; top) - log N(x; bottom), each given as (mean, variance); one logarithm instead of two."""
    (mean, variance), (other_mean, other_variance) = top, bottom
    ratio = (x - other_mean) ** 2 / other_variance
    ratio -= (x - mean) ** 2 / variance
    ratio += np.log(other_variance / variance)
    ratio *= 0.5
    return ratio


def log_upper_tail(x: Array, mean: Array, variance: Array) -> Array:
    """log P(X >= x) for a normal X, accurate far into the tail."""
    return special.log_ndtr((mean - x) / np.sqrt(variance))


def log_student_density(
    x: Array, location: Array, scale_squared: Array, constant: Array, freedom: Array
) -> Array:
    """The log density of Student's t with location and scale; `constant` is `student_constant(freedom)`."""
    squared = (x - location) ** 2 / (scale_squared * freedom)
    return constant - 0.5 * (np.log(scale_squared) + (freedom + 1) * np.log1p(squared))


def student_constant(freedom: Array) -> Array:
    """The part of the log density of Student's t that depends on its degrees of freedom only."""
    # poch is Gamma(a + 1/2) / Gamma(a): the difference of two log gammas would cancel for large freedom
    return np.log(special.poch(freedom / 2, 0.5) / np.sqrt(np.pi * freedom))
