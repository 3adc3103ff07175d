"""Leakage of ridge regression, record by record."""

import numpy as np
from jaxtyping import Float64, Int64
from numpy.typing import ArrayLike

from vestige.leakage.blocks import blocks
from vestige.leakage.gibbs import gibbs_ridge
from vestige.leakage.leakage import Leakage
from vestige.leakage.linear_shift import (
    Indices,
    LinearFit,
    below_one,
    chosen_records,
    design,
    one_step_shift,
    regularization,
    released,
    row_space,
)
from vestige.leakage.newton import Factor
from vestige.leakage.randomness import GaussianOutput, Gibbs, Randomness, RandomSubset, require
from vestige.leakage.subset import random_subset


def ridge(
    X: ArrayLike,
    y: ArrayLike,
    weight: int | float,
    randomness: Randomness | None = None,
    *,
    prior: float = 0.5,
    records: Indices | None = None,
    renormalize: bool = True,
) -> Leakage:
    """The leakage of each record through ridge regression, in nats.

    X: [records features]. y: [records]. The objective is the mean of 1/2 (x'theta - y)^2, plus
    weight/2 |theta|^2, without intercept.
    randomness: GaussianOutput gives the exact leave-one-out value; Gibbs the exact one of the posterior of
    the summed loss, with the ridge term records * weight/2 on either side; RandomSubset an upper bound (see
    `random_subset` for estimates).
    records: indices of those wanted, all by default.
    renormalize: removal averages over one record less; False keeps the ridge term of the sum as it is.

    Raises InputError for any other randomness, and for dependent features at weight 0.
    """
    require(randomness, GaussianOutput, Gibbs, RandomSubset)
    inputs, targets = design(X, y)
    weight = regularization(weight, zero=True)
    chosen = chosen_records(records, len(inputs))
    if isinstance(randomness, RandomSubset):
        fits = RidgeFits(inputs, targets, weight)
        return random_subset(fits, len(inputs), randomness, records=chosen).leakage(prior)
    fit = ridge_fit(row_space(inputs) if weight else inputs, targets, weight)
    if isinstance(randomness, Gibbs):
        return _gibbs(fit, randomness, prior, chosen)
    assert isinstance(randomness, GaussianOutput)
    shifts = one_step_shift(fit, renormalize=renormalize)
    return released(np.linalg.norm(shifts[chosen], axis=1), randomness, prior, "exact")


def ridge_fit(
    X: ArrayLike,
    y: ArrayLike,
    weight: int | float,
    *,
    record_weights: Float64[np.ndarray, "records"] | None = None,
) -> LinearFit:
    """The minimum of the mean of 1/2 (x'theta - y)^2, plus weight/2 |theta|^2.

    record_weights: factors of the losses, which slopes and curvatures then contain.

    Raises InputError for dependent features at weight 0.
    """
    inputs, targets = design(X, y)
    weight = regularization(weight, zero=True)
    counts = np.ones(len(inputs)) if record_weights is None else record_weights
    weighted = (inputs * counts[:, None]).T
    gram = weighted @ inputs + len(inputs) * weight * np.eye(inputs.shape[1])
    parameters = Factor(gram).solve(weighted @ targets)
    return LinearFit(
        inputs=inputs,
        parameters=parameters,
        slopes=counts * (inputs @ parameters - targets),
        curvatures=counts.copy(),
        weight=weight,
    )


class RidgeFits:
    """Ridge regressions on many training sets of one size at once."""

    def __init__(self, inputs: np.ndarray, targets: np.ndarray, weight: float) -> None:
        self._inputs, self._targets, self._weight = inputs, targets, weight

    def __call__(self, rows: Int64[np.ndarray, "subsets size"]) -> Float64[np.ndarray, "subsets features"]:
        """The parameters of each training set."""
        gathered = rows.shape[1] * self._inputs.shape[1]
        return np.concatenate([self._block(rows[part]) for part in blocks(len(rows), gathered)])

    def _block(self, rows: np.ndarray) -> np.ndarray:
        inputs, targets = self._inputs[rows], self._targets[rows]
        across = inputs.transpose(0, 2, 1)
        grams = across @ inputs + rows.shape[1] * self._weight * np.eye(inputs.shape[2])
        return np.linalg.solve(grams, across @ targets[..., None])[..., 0]


def _gibbs(fit: LinearFit, randomness: Gibbs, prior: float, chosen: np.ndarray) -> Leakage:
    inputs = fit.inputs[chosen]
    leverages = below_one(np.einsum("nd,nd->n", inputs, Factor(fit.hessian()).solve(inputs.T).T))
    # from the fit with the record to that without: leverage and residual both grow by 1 / (1 - leverage)
    leverage, residual = leverages / (1 - leverages), -fit.slopes[chosen] / (1 - leverages)
    return gibbs_ridge(leverage, residual, randomness.temperature, prior)
