"""Leakage of two-class logistic regression, record by record."""

from typing import Literal, get_args

import numpy as np
from jaxtyping import Float64, Int64
from numpy.typing import ArrayLike
from scipy import special

from vestige.core import check
from vestige.core.errors import InputError
from vestige.leakage.leakage import Leakage
from vestige.leakage.linear_shift import (
    Indices,
    LinearFit,
    chosen_records,
    design,
    one_step_shift,
    regularization,
    released,
    row_space,
)
from vestige.leakage.newton import Factor, minimize
from vestige.leakage.randomness import GaussianOutput, Randomness, RandomSubset, require
from vestige.leakage.subset import random_subset

Method = Literal["alo", "influence", "exact"]
METHODS: tuple[str, ...] = get_args(Method)


def logistic(
    X: ArrayLike,
    y: ArrayLike,
    weight: int | float,
    randomness: Randomness | None = None,
    method: str = "alo",
    *,
    prior: float = 0.5,
    records: Indices | None = None,
    renormalize: bool = True,
) -> Leakage:
    """The leakage of each record through logistic regression, in nats.

    X: [records features]. y: [records], -1 or +1. The objective is the mean of ln(1 + exp(-y x'theta)), plus
    weight/2 |theta|^2, without intercept.
    method: "alo" takes one Newton step with the Hessian without the record, "influence" with that of all
    records (too small where records have leverage), "exact" fits again without each. RandomSubset has no use
    for it: its training sets are all fitted.
    records: indices of those wanted, all by default.
    renormalize: removal averages over one record less; False keeps the ridge term of the sum as it is.

    Raises InputError for other labels, weight <= 0, an unknown method, or any other randomness.
    """
    require(randomness, GaussianOutput, RandomSubset)
    check.one_of("method", method, METHODS)
    labels = signs(y)
    inputs = row_space(design(X, labels)[0])
    chosen = chosen_records(records, len(inputs))
    weight = regularization(weight)
    if isinstance(randomness, RandomSubset):
        fits = LogisticFits(inputs, labels, weight)
        return random_subset(fits, len(inputs), randomness, records=chosen).leakage(prior)
    assert isinstance(randomness, GaussianOutput)
    fit = logistic_fit(inputs, labels, weight)
    if method == "exact":
        shifts = _refitted(fit, labels, chosen, renormalize)
        return released(np.linalg.norm(shifts, axis=1), randomness, prior, "exact")
    shifts = one_step_shift(fit, corrected=method == "alo", renormalize=renormalize)[chosen]
    return released(np.linalg.norm(shifts, axis=1), randomness, prior, "estimate")


def logistic_fit(
    X: ArrayLike,
    y: ArrayLike,
    weight: int | float,
    *,
    start: Float64[np.ndarray, "features"] | None = None,
    record_weights: Float64[np.ndarray, "records"] | None = None,
) -> LinearFit:
    """The minimum of the mean of ln(1 + exp(-y x'theta)), plus weight/2 |theta|^2, by Newton's method.

    y: [records], -1 or +1. start: where to begin, 0 by default. record_weights: factors of the losses, which
    slopes and curvatures then contain.

    Raises InputError for other labels or weight <= 0.
    """
    labels = signs(y)
    inputs = design(X, labels)[0]
    counts = np.ones(len(inputs)) if record_weights is None else record_weights
    begin = np.zeros(inputs.shape[1]) if start is None else start
    problem = _Problem(inputs, labels, regularization(weight), counts)
    return problem.at(minimize(begin, problem.objective, problem.direction))


def signs(y: ArrayLike) -> Float64[np.ndarray, "records"]:
    """Labels of -1 and +1 as float64.

    Raises InputError for other values.
    """
    values = np.unique(np.asarray(y))
    if values.dtype.kind not in "bif" or not set(values.tolist()) <= {-1, 1} or values.dtype.kind == "b":
        shown = ", ".join(map(str, values[:5].tolist())) + (", ..." if len(values) > 5 else "")
        raise InputError(
            f"y holds {shown}: logistic regression needs labels -1 and +1; for two classes give "
            f"np.where(y == positive, 1, -1), for more use softmax"
        )
    return np.asarray(y, np.float64)


class _Problem:
    """The objective of one training set, and its derivatives."""

    def __init__(self, inputs: np.ndarray, labels: np.ndarray, weight: float, counts: np.ndarray) -> None:
        self._inputs, self._labels, self._weight, self._counts = inputs, labels, weight, counts

    def objective(self, parameters: np.ndarray) -> tuple[float, np.ndarray]:
        margins = self._labels * (self._inputs @ parameters)
        loss = float(np.mean(self._counts * np.logaddexp(0, -margins)))
        slopes = -self._labels * special.expit(-margins) * self._counts
        gradient = slopes @ self._inputs / len(margins) + self._weight * parameters
        return loss + self._weight / 2 * float(parameters @ parameters), gradient

    def direction(self, parameters: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        return -Factor(self.at(parameters).hessian()).solve(gradient * len(self._labels))

    def at(self, parameters: np.ndarray) -> LinearFit:
        chances = special.expit(-self._labels * (self._inputs @ parameters))
        return LinearFit(
            inputs=self._inputs,
            parameters=parameters,
            slopes=-self._labels * chances * self._counts,
            curvatures=chances * (1 - chances) * self._counts,
            weight=self._weight,
        )


class LogisticFits:
    """Logistic regressions on many training sets of one size."""

    def __init__(self, inputs: np.ndarray, labels: np.ndarray, weight: float) -> None:
        self._inputs, self._labels, self._weight = inputs, labels, weight

    def __call__(self, rows: Int64[np.ndarray, "subsets size"]) -> Float64[np.ndarray, "subsets features"]:
        """The parameters of each training set, each fit begun where the last one ended."""
        found, start = [], None
        for subset in rows:
            fit = logistic_fit(self._inputs[subset], self._labels[subset], self._weight, start=start)
            start = fit.parameters
            found.append(start)
        return np.stack(found)


def _refitted(
    fit: LinearFit, labels: np.ndarray, chosen: np.ndarray, renormalize: bool
) -> Float64[np.ndarray, "chosen features"]:
    count = len(labels)
    weight = fit.weight if renormalize else fit.weight * count / (count - 1)
    without = [
        logistic_fit(
            np.delete(fit.inputs, record, axis=0), np.delete(labels, record), weight, start=fit.parameters
        )
        for record in chosen
    ]
    return fit.parameters - np.stack([other.parameters for other in without])
