"""How strongly each record pulls on a linear model, and the leakage between whose bounds that puts it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from vestige.core import check
from vestige.leakage.linear_shift import LinearFit

Records = Float64[np.ndarray, "records"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Sensitivity:
    """Sensitivity of each record, and KL in nats to first order in its removal.

    gradient: norm of the derivative, with respect to the parameters, of the record's loss plus
    weight/2 |theta|^2. kl: |H^-1 gradient|^2 / (2 n^2 sigma^2), H the Hessian of the mean objective.
    low, high: gradient^2 / (2 n^2 sigma^2 l^2) with l the largest and the smallest eigenvalue of H; kl lies
    between. freedom: effective number of parameters, the sum of leverages.
    """

    gradient: Float64[np.ndarray, "records"]
    kl: Float64[np.ndarray, "records"]
    low: Float64[np.ndarray, "records"]
    high: Float64[np.ndarray, "records"]
    freedom: float


def linear_sensitivity(fit: LinearFit, sigma: int | float) -> Sensitivity:
    """The sensitivity of every record of a fit whose parameters are released with noise of deviation sigma.

    Raises InputError unless sigma is above 0.
    """
    check.positive("sigma", sigma)
    count = len(fit.inputs)
    values, vectors = np.linalg.eigh(fit.hessian() / count)
    along = (fit.inputs * fit.slopes[:, None] + fit.weight * fit.parameters) @ vectors
    squares = np.sum(along**2, axis=1)
    scale = 1 / (2 * count**2 * sigma**2)
    return Sensitivity(
        gradient=np.sqrt(squares),
        kl=scale * np.sum((along / values) ** 2, axis=1),
        low=scale * squares / values[-1] ** 2,
        high=scale * squares / values[0] ** 2,
        freedom=float(np.sum(1 - fit.weight / values)),
    )


def worst_case_kl(
    gradient: int | float, records: int, weight: int | float, sigma: int | float, *, renormalize: bool = True
) -> float:
    """The largest KL in nats that removal of any record can cause in a strongly convex objective.

    gradient: a bound of the norm of every record's loss gradient, for logistic regression the largest input
    norm. records: in the training set. weight: of the ridge term; the loss must be convex.
    The shift is at most 2 gradient / (records weight), half of it without renormalization.

    Raises InputError for values out of range.
    """
    check.at_least("records", records, 2)
    for name, value in (("gradient", gradient), ("weight", weight), ("sigma", sigma)):
        check.positive(name, value)
    shift = (2 if renormalize else 1) * gradient / (records * weight)
    return float(shift**2 / (2 * sigma**2))
