"""The Gaussian that moves: exact leakage of output perturbation, and what an attack sees of it."""

import numpy as np
from jaxtyping import Float64
from scipy import linalg, special

from vestige.core.errors import InputError
from vestige.leakage.entropy import entropy_of_presence
from vestige.leakage.leakage import Leakage
from vestige.leakage.normal_pair import Relative, mutual_information
from vestige.leakage.numbers import Numbers

Values = Float64[np.ndarray, "..."]

SEEN = 100.0  # standard deviations from which on one bit is told, to every digit


def gaussian_shift(mu: Numbers, prior: float = 0.5) -> Leakage:
    """The exact leakage of N(0, I) that the record moves by mu standard deviations.

    mu: [*records], at least 0; for parameters released with noise of deviation sigma it is
    |theta(with) - theta(without)| / sigma. Infinity is allowed, NaN stays NaN.
    KL = mu^2 / 2 both ways, advantage = 2 Phi(mu / 2) - 1, mutual information near mu^2 / 8 for a small mu.

    Raises InputError for a negative mu or a prior outside (0, 1).
    """
    entropy_of_presence(prior)
    shift = _shifts(mu)
    seen = np.asarray(np.minimum(shift, SEEN))
    with np.errstate(over="ignore"):
        kl = np.asarray(shift**2 / 2)
    return Leakage(
        kl=kl,
        kl_reverse=kl,
        mutual_information=mutual_information(Relative(np.ones_like(seen), seen), np.full_like(seen, prior)),
        advantage=np.asarray(special.erf(shift / np.sqrt(8))),
        shift=shift,
        prior=prior,
    )


def gaussian_auc(mu: Numbers) -> Values:
    """The AUC of the best attack on a Gaussian moved by mu, Phi(mu / sqrt 2)."""
    return np.asarray(special.ndtr(_shifts(mu) / np.sqrt(2)))


def gaussian_tpr(mu: Numbers, fpr: Numbers) -> Values:
    """The TPR of the best attack at this FPR, Phi(Phi^-1(FPR) + mu); shapes broadcast.

    Raises InputError for an FPR outside [0, 1].
    """
    return np.asarray(special.ndtr(special.ndtri(_rates(fpr)) + np.minimum(_shifts(mu), SEEN)))


def gaussian_stein(mu: Numbers, fpr: Numbers, releases: Numbers) -> Values:
    """-ln(FNR) / m of the best attack over m independent releases at this FPR; it tends to mu^2 / 2.

    Raises InputError for an FPR outside [0, 1] or fewer than 1 release.
    """
    count = np.asarray(releases, np.float64)
    if not np.all(count >= 1):
        raise InputError(f"releases={releases} must be at least 1")
    return np.asarray(-special.log_ndtr(-special.ndtri(_rates(fpr)) - _shifts(mu) * np.sqrt(count)) / count)


def gaussian_kl(mean1: Numbers, covariance1: Numbers, mean0: Numbers, covariance0: Numbers) -> float:
    """KL(N(mean1, covariance1) || N(mean0, covariance0)) in nats.

    Means: [features]. Covariances: [features features].

    Raises InputError where a covariance is not positive definite.
    """
    difference = np.atleast_1d(np.asarray(mean1, np.float64) - np.asarray(mean0, np.float64))
    root1, root0 = _cholesky("covariance1", covariance1), _cholesky("covariance0", covariance0)
    spread = linalg.solve_triangular(root0, root1, lower=True)
    moved = linalg.solve_triangular(root0, difference, lower=True)
    log_determinants = np.log(np.diag(root0)).sum() - np.log(np.diag(root1)).sum()
    return float((np.sum(spread**2) + moved @ moved - len(moved)) / 2 + log_determinants)


def _shifts(mu: Numbers) -> Values:
    shift = np.array(mu, np.float64)
    if np.any(shift < 0):
        raise InputError(f"mu={shift.min()} must be at least 0: it is a distance; give its absolute value")
    return shift


def _rates(fpr: Numbers) -> Values:
    rate = np.asarray(fpr, np.float64)
    if not np.all((rate >= 0) & (rate <= 1)):
        raise InputError(f"fpr={fpr} must lie between 0 and 1")
    return rate


def _cholesky(name: str, covariance: Numbers) -> Float64[np.ndarray, "features features"]:
    try:
        return np.linalg.cholesky(np.atleast_2d(np.asarray(covariance, np.float64)))
    except np.linalg.LinAlgError as error:
        raise InputError(
            f"{name} must be positive definite; add a little to its diagonal, or drop constant features"
        ) from error
