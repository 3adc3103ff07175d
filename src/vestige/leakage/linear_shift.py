"""How far the parameters of a linear model move when one record is removed, to the first Newton step."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64, Int64
from numpy.typing import ArrayLike

from vestige.core.errors import InputError
from vestige.leakage.leakage import Kind, Leakage
from vestige.leakage.newton import Factor
from vestige.leakage.randomness import GaussianOutput
from vestige.leakage.shift import gaussian_shift

Records = Float64[np.ndarray, "records"]
Inputs = Float64[np.ndarray, "records features"]
Chosen = Int64[np.ndarray, "chosen"]
Indices = ArrayLike | Sequence[int]


@dataclass(frozen=True, kw_only=True, eq=False)
class LinearFit:
    """A linear model fitted to records, with what its loss does there.

    The objective is the mean over records of loss(x'theta, y), plus weight/2 |theta|^2.
    slopes, curvatures: first and second derivative of each record's loss with respect to x'theta.
    """

    inputs: Float64[np.ndarray, "records features"]
    parameters: Float64[np.ndarray, "features"]
    slopes: Float64[np.ndarray, "records"]
    curvatures: Float64[np.ndarray, "records"]
    weight: float

    def hessian(self, records: int | None = None) -> Float64[np.ndarray, "features features"]:
        """Second derivative of the summed losses plus records * weight/2 |theta|^2 (records: all)."""
        count = len(self.inputs) if records is None else records
        gram = (self.inputs * self.curvatures[:, None]).T @ self.inputs
        return gram + count * self.weight * np.eye(len(gram))


def one_step_shift(
    fit: LinearFit, *, corrected: bool = True, renormalize: bool = True
) -> Float64[np.ndarray, "records features"]:
    """Parameters with all records minus the parameters without each, after one Newton step from the fit.

    corrected: use the Hessian without the record (approximate leave-one-out); exact for squared loss. False
    is the plain influence function: the Hessian of all records.
    renormalize: after removal the losses are averaged over one record less, so that the ridge term of the sum
    falls by weight/2 |theta|^2 too. False keeps it at records * weight/2.
    """
    inputs, removed = fit.inputs, int(renormalize and corrected)
    factor = Factor(fit.hessian(len(inputs) - removed))
    solved = factor.solve(inputs.T).T
    # with one record less the ridge term falls: this pulls every shift by the same vector
    pull = factor.solve(fit.weight * fit.parameters) if renormalize else np.zeros_like(fit.parameters)
    slopes = fit.slopes
    if corrected:
        leverages = fit.curvatures * np.einsum("nd,nd->n", inputs, solved)
        slopes = (slopes + fit.curvatures * (inputs @ pull)) / (1 - below_one(leverages))
    return -(solved * slopes[:, None] + pull)


def released(
    distances: Records, randomness: GaussianOutput, prior: float, kind: Kind, notes: Sequence[str] = ()
) -> Leakage:
    """The leakage of parameters that move by these distances and are released with Gaussian noise."""
    leakage = gaussian_shift(distances / randomness.sigma, prior)
    return replace(leakage, kind=kind, notes=(*leakage.notes, *notes))


def design(X: ArrayLike, y: ArrayLike) -> tuple[Inputs, Records]:
    """Inputs and targets as float64.

    Raises InputError for wrong dimensions, unequal lengths, fewer than two records, or values not finite.
    """
    inputs, targets = np.asarray(X, np.float64), np.asarray(y, np.float64)
    if inputs.ndim != 2 or targets.ndim != 1 or len(inputs) != len(targets):
        raise InputError(
            f"X of shape {inputs.shape} and y of shape {targets.shape}: give X as [records features] and "
            "y as [records]"
        )
    if len(inputs) < 2 or inputs.shape[1] < 1:
        raise InputError(f"X of shape {inputs.shape} needs at least two records and one feature")
    if not (np.isfinite(inputs).all() and np.isfinite(targets).all()):
        raise InputError("X and y must be finite: drop or impute records with NaN or infinity")
    return inputs, targets


def regularization(weight: int | float, *, zero: bool = False) -> float:
    """The weight as a float.

    Raises InputError unless it is finite and above 0, or 0 where that is allowed.
    """
    if not np.isfinite(weight) or weight < 0 or (weight == 0 and not zero):
        least = "at least 0" if zero else "above 0, or the fit may have no minimum"
        raise InputError(f"weight={weight} must be finite and {least}; try weight=0.01")
    return float(weight)


def row_space(inputs: Inputs) -> Float64[np.ndarray, "records directions"]:
    """The inputs in coordinates of the space that they span, where that has fewer dimensions.

    Ridge-regularized fits never leave this space, so that norms of shifts are the same.
    """
    if inputs.shape[1] <= len(inputs):
        return inputs
    left, values, _ = np.linalg.svd(inputs, full_matrices=False)
    return left * values


def chosen_records(records: Indices | None, count: int) -> Chosen:
    """The indices of the records asked for, all by default.

    Raises InputError for an index out of range.
    """
    if records is None:
        return np.arange(count, dtype=np.int64)
    chosen = np.atleast_1d(np.asarray(records))
    if not np.issubdtype(chosen.dtype, np.integer) or chosen.ndim != 1 or not len(chosen):
        raise InputError(f"records={records!r} must be integer indices")
    if chosen.min() < 0 or chosen.max() >= count:
        raise InputError(f"records from {chosen.min()} to {chosen.max()} must lie between 0 and {count - 1}")
    return chosen.astype(np.int64)


def below_one(leverages: Records) -> Records:
    """The leverages, each below 1.

    Raises InputError where one is not: without that record there is no single fit.
    """
    alone = np.flatnonzero(leverages > 1 - 1e-10)
    if len(alone):
        raise InputError(
            f"without record {alone[0]} the design is singular ({len(alone)} such records): give weight > 0"
        )
    return leverages
