"""Entropy and divergence of yes-or-no events, in nats."""

import math

import numpy as np
from jaxtyping import Float64
from scipy import special

from vestige.core.errors import InputError
from vestige.leakage.bisection import largest
from vestige.leakage.numbers import Numbers

NATS_PER_BIT = math.log(2)

Values = Float64[np.ndarray, "..."]


def binary_entropy(p: Numbers) -> Values:
    """The entropy of an event of probability p, in nats, 0 to ln 2; NaN stays NaN.

    Raises InputError for a value outside [0, 1].
    """
    chance = _probabilities("p", p)
    return np.asarray(special.entr(chance) - special.xlog1py(1 - chance, -chance))


def inverse_binary_entropy(h: Numbers) -> Values:
    """The probability in [0, 1/2] whose binary entropy is h nats.

    Near ln 2 the curve is flat and half of the digits are lost; `limits.fano` goes another way.
    Raises InputError for a value outside [0, ln 2].
    """
    entropy = np.asarray(h, np.float64)
    if np.any((entropy < 0) | (entropy > NATS_PER_BIT)):
        raise InputError(f"h={_worst(entropy, 0.0, NATS_PER_BIT)} must lie between 0 and ln 2 nats")
    return largest(lambda p: binary_entropy(p) <= entropy, np.zeros_like(entropy), np.full_like(entropy, 0.5))


def binary_kl(p: Numbers, q: Numbers) -> Values:
    """KL(p || q) of two events of these probabilities, in nats, 0 to infinity.

    p, q: any shapes that broadcast. Raises InputError for a value outside [0, 1].
    """
    first, second = _probabilities("p", p), _probabilities("q", q)
    total = special.rel_entr(first, second) + special.rel_entr(1 - first, 1 - second)
    return np.asarray(np.maximum(total, 0.0))


def entropy_of_presence(prior: float) -> float:
    """What there is to know about a record that is in with this probability, in nats.

    Raises InputError unless 0 < prior < 1.
    """
    if not 0 < prior < 1:
        raise InputError(
            f"prior={prior} must lie strictly between 0 and 1: it is the chance that a record is in"
        )
    return float(binary_entropy(prior))


def _probabilities(name: str, values: Numbers) -> Values:
    chances = np.asarray(values, np.float64)
    if np.any((chances < 0) | (chances > 1)):
        raise InputError(f"{name}={_worst(chances, 0.0, 1.0)} must lie between 0 and 1: it is a probability")
    return chances


def _worst(values: Values, low: float, high: float) -> float:
    """One of the values outside the range."""
    return float(values[(values < low) | (values > high)].flat[0])
