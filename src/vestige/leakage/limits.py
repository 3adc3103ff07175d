"""What a divergence leaves to any adversary: limits of advantage, TPR and success, at equal priors."""

from typing import Literal

import numpy as np
from jaxtyping import Float64

from vestige.core import check
from vestige.core.errors import InputError
from vestige.leakage.bisection import largest
from vestige.leakage.entropy import NATS_PER_BIT, binary_kl
from vestige.leakage.numbers import Numbers

Values = Float64[np.ndarray, "..."]


def pinsker(kl: Numbers) -> Values:
    """The largest advantage TPR - FPR under a divergence in nats, min(1, sqrt(KL / 2)) (Pinsker).

    Here and below either direction of the divergence may be given, and an estimate below 0 counts as 0.
    """
    return np.asarray(np.minimum(1.0, np.sqrt(_nats(kl) / 2)))


def bretagnolle_huber(kl: Numbers) -> Values:
    """The largest advantage TPR - FPR under a divergence in nats, sqrt(1 - exp(-KL)).

    Bretagnolle and Huber 1979; below 1 for every finite divergence, where Pinsker's limit says nothing.
    """
    return np.asarray(np.sqrt(-np.expm1(-_nats(kl))))


def advantage_limit(kl: Numbers, kl_reverse: Numbers | None = None) -> Values:
    """The smallest of Pinsker's and Bretagnolle and Huber's limits over the directions that are given."""
    smallest = np.minimum(pinsker(kl), bretagnolle_huber(kl))
    if kl_reverse is not None:
        smallest = np.minimum(smallest, advantage_limit(kl_reverse))
    return np.asarray(smallest)


def max_tpr(kl: Numbers, fpr: Numbers, kl_reverse: Numbers | None = None) -> Values:
    """The largest TPR that any attack can have at this FPR.

    Data processing: kl_bin(TPR || FPR) <= KL(P1 || P0) and kl_bin(FPR || TPR) <= KL(P0 || P1).
    kl: KL(P1 || P0) in nats. kl_reverse: KL(P0 || P1); None if unknown. Shapes broadcast.

    Raises InputError for an FPR outside [0, 1].
    """
    reverse = np.inf if kl_reverse is None else kl_reverse
    forward, rate, backward = np.broadcast_arrays(_nats(kl), np.asarray(fpr, np.float64), _nats(reverse))
    if not np.all((rate >= 0) & (rate <= 1)):
        raise InputError(f"fpr={fpr} must lie between 0 and 1")

    def attainable(tpr: Values) -> np.ndarray:
        return np.asarray((binary_kl(tpr, rate) <= forward) & (binary_kl(rate, tpr) <= backward))

    found = largest(attainable, rate, np.ones_like(forward))
    # at divergence 0 the rounding of kl_bin, near 1e-17, would still let the rate move by 1e-9
    found = np.where(np.minimum(forward, backward) == 0, rate, found)
    return np.asarray(np.where(np.isnan(forward + backward), np.nan, found))


def fano(mutual_information: Numbers) -> Values:
    """The largest success probability of any attack at prior 1/2, 1 - h^-1(ln 2 - I) (binary Fano)."""
    information = np.minimum(_nats(mutual_information), NATS_PER_BIT)
    advantage = largest(
        lambda a: _entropy_below_coin(a) <= information, np.zeros_like(information), np.ones_like(information)
    )
    return np.asarray(np.where(np.isnan(information), np.nan, (1 + advantage) / 2))


def hellman_raviv(mutual_information: Numbers) -> Values:
    """The success probability at prior 1/2 that the best attack has at least, 1/2 + I / (2 ln 2).

    Hellman and Raviv 1970.
    """
    return np.asarray((1 + np.minimum(_nats(mutual_information) / NATS_PER_BIT, 1.0)) / 2)


def stein_exponent(kl: Numbers, kl_reverse: Numbers, fixed: Literal["fpr", "fnr"] = "fpr") -> Values:
    """The rate in nats per release at which the other error of the best attack falls (Chernoff-Stein).

    Over m independent releases: with the FPR fixed, -ln(FNR) / m tends to KL(P0 || P1); with the FNR fixed,
    -ln(FPR) / m tends to KL(P1 || P0). The approach is slow, of order 1 / sqrt(m).

    Raises InputError for another name.
    """
    check.one_of("fixed", fixed, ("fpr", "fnr"))
    return _nats(kl_reverse if fixed == "fpr" else kl)


def _nats(values: Numbers) -> Values:
    return np.asarray(np.maximum(np.asarray(values, np.float64), 0.0))


def _entropy_below_coin(advantage: Values) -> Values:
    """ln 2 - h((1 + advantage) / 2), without the loss of digits that the difference has near 0."""
    return binary_kl((1 + advantage) / 2, 0.5)
