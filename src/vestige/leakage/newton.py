"""Minima of smooth, strongly convex functions by damped Newton steps."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float64
from scipy import linalg

from vestige.core.errors import InputError
from vestige.leakage.blocks import blocks

Point = Float64[np.ndarray, "parameters"]
Matrix = Float64[np.ndarray, "parameters parameters"]
Objective = Callable[[Point], tuple[float, Point]]
Direction = Callable[[Point, Point], Point]
STEPS, HALVINGS = 500, 40
TOLERANCE = 1e-10  # of the last step, relative to 1 + |parameters|
ROUGH = 1e-6  # a step this small that no longer shrinks is rounding, not distance
SUFFICIENT = 1e-4  # share of the promised decrease that a step must keep (Armijo)


class Factor:
    """The Cholesky factor of a symmetric positive definite matrix, which it may overwrite.

    Raises InputError for a matrix that is singular to working precision, with the remedy.
    """

    def __init__(self, matrix: Matrix) -> None:
        parts = blocks(len(matrix), len(matrix))
        norm = max(float(np.abs(matrix[part]).sum(axis=1).max()) for part in parts)
        try:
            self._factor: tuple[np.ndarray, bool] = linalg.cho_factor(
                matrix, lower=True, overwrite_a=True, check_finite=False
            )
        except linalg.LinAlgError:
            raise _singular(0.0) from None
        condition: Any = linalg.get_lapack_funcs("pocon", (matrix,))
        reciprocal, _ = condition(self._factor[0], norm, uplo="L")
        if reciprocal < len(matrix) * np.finfo(np.float64).eps:
            raise _singular(float(reciprocal))

    def solve(self, right: np.ndarray) -> np.ndarray:
        """The solution for one right side [parameters] or several [parameters sides]."""
        return linalg.cho_solve(self._factor, right, check_finite=False)

    def inverse(self) -> Matrix:
        """The inverse matrix."""
        invert: Any = linalg.get_lapack_funcs("potri", (self._factor[0],))
        return mirrored(invert(self._factor[0], lower=True)[0])


def mirrored(lower: Matrix) -> Matrix:
    """The symmetric matrix with this lower triangle, in the same memory."""
    for part in blocks(len(lower), len(lower)):
        lower[: part.start, part] = lower[part, : part.start].T
        corner = np.tril(lower[part, part])
        lower[part, part] = corner + np.tril(corner, -1).T
    return lower


def minimize(start: Point, objective: Objective, direction: Direction) -> Point:
    """Where the objective is smallest.

    objective: value and gradient at a point. direction: the step at a point with this gradient, for example
    minus the inverse Hessian times the gradient; any fixed upper bound of the Hessian converges too, slower.

    Raises InputError if the steps do not shrink to TOLERANCE.
    """
    point, (value, gradient) = start, objective(start)
    last = np.inf
    for _ in range(STEPS):
        step = direction(point, gradient)
        length = float(np.linalg.norm(step)) / (1 + float(np.linalg.norm(point)))
        if length <= TOLERANCE or (length <= ROUGH and length >= last):
            return point + step if length < last else point
        point, value, gradient = _along(point, step, value, gradient, objective)
        last = length
    raise InputError(
        f"no minimum within {STEPS} Newton steps: raise weight, or scale the features to norms of about 1"
    )


def _along(
    point: Point, step: Point, value: float, gradient: Point, objective: Objective
) -> tuple[Point, float, Point]:
    slope = float(gradient @ step)
    slack = 1e-14 * abs(value)  # below this, decreases drown in rounding
    size = 1.0
    for _ in range(HALVINGS):
        trial = point + size * step
        new, new_gradient = objective(trial)
        if new <= value + SUFFICIENT * size * slope + slack:
            return trial, new, new_gradient
        size /= 2
    raise InputError("the objective does not fall along the Newton step: raise weight or scale the features")


def _singular(reciprocal: float) -> InputError:
    return InputError(
        f"the Hessian is singular to working precision (reciprocal condition number {reciprocal:.1e}): the "
        "design has linearly dependent features; give weight > 0 (or a larger one), or drop features"
    )
