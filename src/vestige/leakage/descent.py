"""Leakage of noisy gradient descent (DP-SGD), record by record, along training."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike
from scipy import special

from vestige.core import check, seeds
from vestige.core.errors import InputError
from vestige.leakage.fisher import LOSSES
from vestige.leakage.leakage import Leakage
from vestige.leakage.limits import advantage_limit
from vestige.leakage.linear_shift import design, regularization
from vestige.leakage.logistic_regression import signs
from vestige.leakage.randomness import NoisyGradientDescent, require

Curves = Float64[np.ndarray, "steps records"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Descent:
    """One run of noisy gradient descent.

    gradient_norms: of every record's loss at the start of each step, before clipping, in the batch or not.
    parameters: at the end.
    """

    gradient_norms: Float64[np.ndarray, "steps records"]
    parameters: Float64[np.ndarray, "features"]


def noisy_descent(gradient_norms: ArrayLike, randomness: NoisyGradientDescent, prior: float = 0.5) -> Leakage:
    """The leakage of each record through a run of noisy gradient descent, an upper bound for its last model.

    gradient_norms: [steps records], of a run on the training set with the records, before clipping; from
    `linear_descent` or any other model.
    kl: the divergence of the whole trajectories, of which this run is one draw: average over runs. It holds
    for the last model by data processing. kl_reverse: the largest that steps of this noise allow.

    Raises InputError for norms that do not fit the steps.
    """
    kl = divergence_curve(gradient_norms, randomness)[-1]
    reverse = np.full_like(kl, worst_case(randomness))
    bounds = Leakage(
        kl=kl,
        kl_reverse=reverse,
        mutual_information=np.zeros_like(kl),
        advantage=advantage_limit(kl, reverse),
        prior=prior,
        kind="upper bound",
        notes=(
            "upper bound for the last model: the whole trajectory's KL(P1||P0) along this one run with the "
            "records; KL(P0||P1) is the worst case of the noise, since no run without them was made",
        ),
    )
    return replace(bounds, mutual_information=bounds.mutual_information_bound)


def divergence_curve(gradient_norms: ArrayLike, randomness: NoisyGradientDescent) -> Curves:
    """KL(P1 || P0) in nats of the trajectory up to and with each step, [steps records].

    Per step it is mu^2 / 2 with mu = |clipped gradient| / (noise * clip); in a batch of probability q it
    is at most the smaller of q mu^2 / 2 and ln(1 + q^2 (e^(mu^2) - 1)).

    Raises InputError for norms that do not fit the steps.
    """
    require(randomness, NoisyGradientDescent)
    norms = np.asarray(gradient_norms, np.float64)
    if norms.ndim != 2 or len(norms) != randomness.steps:
        raise InputError(
            f"gradient_norms of shape {norms.shape} must be [steps records] with {randomness.steps} steps"
        )
    if not np.all(norms >= 0):
        raise InputError(
            "gradient_norms must be at least 0 and not NaN: training has diverged, or signs are wrong"
        )
    shifts = np.minimum(norms, randomness.clip) / (randomness.noise * randomness.clip)
    return np.cumsum(_step(shifts, randomness.sampling), axis=0)


def worst_case(randomness: NoisyGradientDescent) -> float:
    """The KL in nats, in either direction, that no record exceeds: each step's gradient at the clip.

    For full batches it is steps / (2 noise^2).
    """
    return randomness.steps * randomness.sampling / (2 * randomness.noise**2)


def linear_descent(
    X: ArrayLike,
    y: ArrayLike,
    weight: int | float,
    randomness: NoisyGradientDescent,
    loss: str = "logistic",
    *,
    seed: int = 0,
) -> Descent:
    """A run of noisy gradient descent on least squares or logistic regression, from zero.

    Each step adds the clipped gradients of the records in the batch, noise, and the ridge term
    sampling * records * weight * theta, and moves against the sum by the rate.
    X: [records features]. y: [records]; for "logistic" -1 or +1.

    Raises InputError for other labels, an unknown loss, or training that diverges.
    """
    require(randomness, NoisyGradientDescent)
    check.one_of("loss", loss, LOSSES)
    inputs, targets = design(X, signs(y) if loss == "logistic" else y)
    ridge = regularization(weight, zero=True) * len(inputs) * randomness.sampling
    noises = seeds.generator(seed, "descent noise")
    coins = seeds.generator(seed, "descent batches")
    parameters, lengths = np.zeros(inputs.shape[1]), np.linalg.norm(inputs, axis=1)
    norms: list[np.ndarray] = []
    for _ in range(randomness.steps):
        slopes = _slopes(inputs @ parameters, targets, loss)
        norms.append(np.abs(slopes) * lengths)
        kept = slopes * np.minimum(1, randomness.clip / np.maximum(norms[-1], np.finfo(np.float64).tiny))
        kept = kept * (coins.random(len(inputs)) < randomness.sampling)
        noise = randomness.noise * randomness.clip * noises.standard_normal(len(parameters))
        parameters = parameters - randomness.rate * (kept @ inputs + noise + ridge * parameters)
    if not np.isfinite(parameters).all():
        raise InputError(f"training diverged: rate={randomness.rate} is too large for {len(inputs)} records")
    return Descent(gradient_norms=np.stack(norms), parameters=parameters)


def _slopes(scores: np.ndarray, targets: np.ndarray, loss: str) -> Float64[np.ndarray, "records"]:
    if loss == "logistic":
        return -targets * special.expit(-targets * scores)
    return scores - targets


def _step(shifts: np.ndarray, sampling: float) -> np.ndarray:
    """The divergence of (1 - q) N(0, 1) + q N(mu, 1) from N(0, 1) at most; exact for q = 1."""
    by_convexity = sampling * shifts**2 / 2
    if sampling == 1:
        return by_convexity
    # beyond e^50 the other bound is the smaller one, and the exponential must not overflow
    by_chi_squared = np.log1p(sampling**2 * np.expm1(np.minimum(shifts**2, 50.0)))
    return np.where(shifts**2 < 50, np.minimum(by_convexity, by_chi_squared), by_convexity)
