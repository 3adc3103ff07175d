"""Softmax regression fitted to convergence by Newton's method, with its Hessian."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64
from numpy.typing import ArrayLike
from scipy import linalg, special

from vestige.core.errors import InputError
from vestige.leakage.blocks import blocks
from vestige.leakage.linear_shift import design, regularization
from vestige.leakage.newton import Factor, minimize, mirrored

Labels = Int64[np.ndarray, "records"]
Hessian = Float64[np.ndarray, "parameters parameters"]
LARGEST = 14_000  # parameters: two matrices of their square are 3.1 GB
STALE = 0.3  # a gradient that shrinks by less in a step wants a new Hessian


@dataclass(frozen=True, kw_only=True, eq=False)
class SoftmaxFit:
    """A softmax regression at its minimum.

    The objective is the mean over records of the cross-entropy, plus weight/2 |parameters|^2.
    """

    inputs: Float64[np.ndarray, "records features"]
    labels: Int64[np.ndarray, "records"]
    parameters: Float64[np.ndarray, "classes features"]
    weight: float

    @cached_property
    def probabilities(self) -> Float64[np.ndarray, "records classes"]:
        """The model's probability of each class."""
        return special.softmax(self.inputs @ self.parameters.T, axis=1)

    @property
    def slopes(self) -> Float64[np.ndarray, "records classes"]:
        """The derivative of each record's loss with respect to its logits."""
        slopes = self.probabilities.copy()
        slopes[np.arange(len(slopes)), self.labels] -= 1
        return slopes

    def hessian(self, records: int | None = None) -> Hessian:
        """Second derivative of the summed losses plus records * weight/2 |theta|^2 (records: all)."""
        count = len(self.inputs) if records is None else records
        result = _curvature(self.inputs, self.probabilities)
        result[np.diag_indices(len(result))] += count * self.weight
        return result


def softmax_fit(X: ArrayLike, y: ArrayLike, weight: int | float) -> SoftmaxFit:
    """The minimum of the mean cross-entropy plus weight/2 |theta|^2.

    X: [records features]. y: [records], classes 0, 1, ...

    Raises InputError for other labels, weight <= 0, or too many parameters.
    """
    inputs, labels = class_labels(X, y)
    weight = regularization(weight)
    shape = (int(labels.max()) + 1, inputs.shape[1])
    if shape[0] * shape[1] > LARGEST:
        raise InputError(
            f"{shape[0]} classes x {shape[1]} features are {shape[0] * shape[1]} parameters, more than the "
            f"{LARGEST} whose Hessian fits: reduce X by principal_components(X, {LARGEST // shape[0]})"
        )
    problem = SoftmaxProblem(inputs, labels, weight, shape)
    found = minimize(np.zeros(shape[0] * shape[1]), problem.objective, problem.direction)
    return problem.at(found)


def class_labels(X: ArrayLike, y: ArrayLike) -> tuple[Float64[np.ndarray, "records features"], Labels]:
    """Inputs as float64 and labels as integers.

    Raises InputError unless the labels are integers from 0 with at least two classes.
    """
    values = np.asarray(y)
    if values.dtype.kind not in "iuf" or not np.array_equal(values, np.round(values)) or values.min() < 0:
        raise InputError(
            "y must hold classes 0, 1, ...: give np.unique(y, return_inverse=True)[1] for other names"
        )
    if values.max() < 1 or values.max() >= max(len(values), 2):
        raise InputError(f"y holds classes up to {values.max()}: at least two classes and no gaps are needed")
    return design(X, values)[0], values.astype(np.int64)


class SoftmaxProblem:
    """The objective of one training set, and its derivatives; parameters are flat, class by class."""

    def __init__(self, inputs: np.ndarray, labels: np.ndarray, weight: float, shape: tuple[int, int]) -> None:
        self._inputs, self._labels, self._weight, self._shape = inputs, labels, weight, shape
        self._factor: Factor | None = None
        self._last = np.inf

    def objective(self, flat: np.ndarray) -> tuple[float, np.ndarray]:
        """The objective and its gradient."""
        parameters, every = flat.reshape(self._shape), np.arange(len(self._inputs))
        logits = self._inputs @ parameters.T
        log_totals = special.logsumexp(logits, axis=1)
        loss = float(np.mean(log_totals - logits[every, self._labels]))
        slopes = special.softmax(logits, axis=1)
        slopes[every, self._labels] -= 1
        gradient = slopes.T @ self._inputs / len(every) + self._weight * parameters
        return loss + self._weight / 2 * float(flat @ flat), gradient.ravel()

    def direction(self, flat: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """A Newton step; the last Hessian is kept while gradients fall fast with it."""
        size = float(np.linalg.norm(gradient))
        if self._factor is None or size > STALE * self._last:
            self._factor = None  # frees the old one before the new one is built
            self._factor = Factor(self.at(flat).hessian())
        self._last = size
        return -self._factor.solve(gradient * len(self._inputs))

    def at(self, flat: np.ndarray) -> SoftmaxFit:
        """The model with these parameters."""
        return SoftmaxFit(
            inputs=self._inputs,
            labels=self._labels,
            parameters=flat.reshape(self._shape),
            weight=self._weight,
        )


class SoftmaxFits:
    """Softmax regressions on many training sets of one size."""

    def __init__(self, inputs: np.ndarray, labels: np.ndarray, weight: float) -> None:
        self._inputs, self._labels, self._weight = inputs, labels, regularization(weight)
        self._shape = (int(labels.max()) + 1, inputs.shape[1])

    def __call__(self, rows: Int64[np.ndarray, "subsets size"]) -> Float64[np.ndarray, "subsets parameters"]:
        """The parameters of each training set, each fit begun where the last one ended."""
        found, start = [], np.zeros(self._shape[0] * self._shape[1])
        for subset in rows:
            problem = SoftmaxProblem(self._inputs[subset], self._labels[subset], self._weight, self._shape)
            start = minimize(start, problem.objective, problem.direction)
            found.append(start)
        return np.stack(found)


def _curvature(inputs: np.ndarray, probabilities: np.ndarray) -> Hessian:
    """The sum over records of (diag(p) - p p') times x x', by few and large products."""
    classes, features = probabilities.shape[1], inputs.shape[1]
    size = classes * features
    total = np.zeros((size, size), order="F")
    syrk: Any = linalg.get_blas_funcs("syrk", (total,))
    for part in blocks(len(inputs), size):
        rows, chances = inputs[part], probabilities[part]
        placed = (chances[:, :, None] * rows[:, None, :]).reshape(len(rows), size)
        total = syrk(-1.0, placed.T, beta=1.0, c=total, overwrite_c=1, lower=1)
    for one in range(classes):
        own = slice(one * features, (one + 1) * features)
        total[own, own] += (inputs * probabilities[:, one, None]).T @ inputs
    return mirrored(total)
