"""Fisher information loss: what released parameters tell about the values of each record."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike

from vestige.core import check
from vestige.leakage.blocks import blocks
from vestige.leakage.linear_shift import Indices, LinearFit, chosen_records, design
from vestige.leakage.logistic_regression import logistic_fit, signs
from vestige.leakage.newton import Factor
from vestige.leakage.ridge_regression import ridge_fit

Records = Float64[np.ndarray, "records"]
LOSSES = ("least squares", "logistic")
STEADY = 1e-6  # least weight of a record relative to the mean: a weight of zero never comes back


def fisher_information_loss(
    X: ArrayLike,
    y: ArrayLike,
    weight: int | float,
    sigma: int | float,
    loss: str = "logistic",
    *,
    record_weights: ArrayLike | None = None,
) -> Records:
    """The Fisher information loss of each record, spectral norm of its influence Jacobian over sigma.

    X: [records features]. y: [records]; for "logistic" -1 or +1. weight: of the ridge term of the mean
    objective. sigma: noise on the released parameters. record_weights: factors of the losses, 1 by default.

    An unbiased estimate of any attribute from the release has variance at least 1 / loss^2 (Hannun, Guo and
    van der Maaten 2021).

    Raises InputError as `ridge` and `logistic` do, and for an unknown loss.
    """
    check.positive("sigma", sigma)
    fit, counts = _fitted(X, y, weight, loss, record_weights)
    return _norms(fit, counts) / sigma


def influence_jacobians(
    X: ArrayLike,
    y: ArrayLike,
    weight: int | float,
    loss: str = "logistic",
    *,
    record_weights: ArrayLike | None = None,
    records: Indices | None = None,
) -> Float64[np.ndarray, "records features attributes"]:
    """The derivative of the fitted parameters with respect to each record's features and, last, its target.

    For "logistic" the target is the label as 0 or 1, which enters the loss linearly. Others as of
    `fisher_information_loss`; records: indices of those wanted, all by default.
    """
    fit, counts = _fitted(X, y, weight, loss, record_weights)
    inverse = Factor(fit.hessian()).inverse()
    return _jacobians(fit, counts, inverse, chosen_records(records, len(counts)))


def fisher_information(
    jacobians: Float64[np.ndarray, "records features attributes"], sigma: int | float
) -> Float64[np.ndarray, "records attributes attributes"]:
    """The Fisher information of the release about each record's attributes, J'J / sigma^2.

    It is the curvature of leakage: changing a record by a small dz moves the release by a KL of
    dz' information dz / 2 nats.
    """
    check.positive("sigma", sigma)
    return jacobians.transpose(0, 2, 1) @ jacobians / sigma**2


def sigma_for(unscaled: ArrayLike, target: int | float) -> float:
    """The noise at which the largest Fisher information loss is the target, from losses at sigma = 1."""
    check.positive("target", target)
    return float(np.max(np.asarray(unscaled, np.float64)) / target)


@dataclass(frozen=True, kw_only=True, eq=False)
class Reweighting:
    """Factors of the losses that even the Fisher information loss out, and the loss after each round.

    record_weights: mean 1. losses: at sigma = 1, the first with equal weights, the last with these.
    """

    record_weights: Float64[np.ndarray, "records"]
    losses: Float64[np.ndarray, "rounds records"]

    @property
    def spread(self) -> Float64[np.ndarray, "rounds"]:
        """Standard deviation over mean of the loss, after each round."""
        return self.losses.std(axis=1) / self.losses.mean(axis=1)


def reweight(
    X: ArrayLike, y: ArrayLike, weight: int | float, loss: str = "logistic", *, rounds: int = 15
) -> Reweighting:
    """Iteratively reweighted Fisher information loss (IRFIL, Hannun, Guo and van der Maaten 2021).

    In each round every record's weight is divided by its loss, the weights are scaled to mean 1, and the
    model is fitted again.

    Raises InputError for rounds < 1 and as `fisher_information_loss` does.
    """
    check.at_least("rounds", rounds, 1)
    weights = np.ones(len(np.asarray(y)))
    losses = [fisher_information_loss(X, y, weight, 1.0, loss)]
    for _ in range(rounds):
        # a record without influence has loss 0: it may grow by a bounded factor only
        weights = weights / np.maximum(losses[-1], STEADY * losses[-1].max())
        weights = np.maximum(weights / weights.mean(), STEADY)
        weights = weights / weights.mean()
        losses.append(fisher_information_loss(X, y, weight, 1.0, loss, record_weights=weights))
    return Reweighting(record_weights=weights, losses=np.stack(losses))


def _fitted(
    X: ArrayLike, y: ArrayLike, weight: int | float, loss: str, record_weights: ArrayLike | None
) -> tuple[LinearFit, Records]:
    check.one_of("loss", loss, LOSSES)
    inputs, targets = design(X, signs(y) if loss == "logistic" else y)
    counts = np.ones(len(targets)) if record_weights is None else np.asarray(record_weights, np.float64)
    if loss == "logistic":
        return logistic_fit(inputs, targets, weight, record_weights=counts), counts
    return ridge_fit(inputs, targets, weight, record_weights=counts), counts


def _jacobians(
    fit: LinearFit, counts: Records, inverse: np.ndarray, chosen: np.ndarray
) -> Float64[np.ndarray, "chosen features attributes"]:
    """-H^-1 (slope I + curvature x theta') for the features; H^-1 x times the weight for the target."""
    solved = fit.inputs[chosen] @ inverse
    by_input = -fit.slopes[chosen, None, None] * inverse
    by_input -= (fit.curvatures[chosen, None] * solved)[:, :, None] * fit.parameters
    return np.concatenate([by_input, (counts[chosen, None] * solved)[:, :, None]], axis=2)


def _norms(fit: LinearFit, counts: Records) -> Records:
    inverse = Factor(fit.hessian()).inverse()
    every, numbers = np.arange(len(counts)), len(inverse) * (len(inverse) + 1)
    parts = [every[part] for part in blocks(len(counts), numbers)]
    return np.concatenate([_spectral(_jacobians(fit, counts, inverse, part)) for part in parts])


def _spectral(jacobians: np.ndarray) -> Records:
    grams = jacobians @ jacobians.transpose(0, 2, 1)
    return np.sqrt(np.maximum(np.linalg.eigvalsh(grams)[:, -1], 0))
