"""A kernel between samples, as features: what a wide network makes of their inputs."""

import numpy as np
from jaxtyping import Float64, Shaped
from scipy import linalg

from vestige.core import seeds
from vestige.core.errors import InputError

Features = Float64[np.ndarray, "samples features"]
Mapped = Float64[np.ndarray, "samples landmarks"]

SMALLEST = 1e-10  # of a landmark direction, against the largest: below it directions are rounding


def directions(inputs: Shaped[np.ndarray, "samples ..."]) -> Features:
    """Inputs as centered vectors of unit length; one that lies at the center becomes zero.

    Raises InputError for values that are not finite.
    """
    flat = np.asarray(inputs, np.float64).reshape(len(inputs), -1)
    wrong = np.flatnonzero(~np.isfinite(flat).all(1))
    if len(wrong):
        raise InputError(f"features: sample {wrong[0]} is not finite; remove it or fill it in")
    centered = flat - flat.mean(0)
    lengths = np.sqrt((centered**2).sum(1, keepdims=True))
    return centered / np.where(lengths > 0, lengths, 1.0)


def tangent_kernel(
    one: Features, other: Float64[np.ndarray, "others features"]
) -> Float64[np.ndarray, "samples others"]:
    """k1(c) + c k0(c) of the cosines c: the neural tangent kernel of one wide layer of rectifiers.

    k0 = (pi - angle) / pi and k1 = (sin angle + (pi - angle) c) / pi are the arc-cosine kernels of Cho and
    Saul 2009 (equations 3 and 6); the sum is that of Jacot et al. 2018.
    """
    cosine = np.clip(one @ other.T, -1.0, 1.0)
    angle = np.arccos(cosine)
    result = np.sqrt(1 - cosine**2)
    result += 2 * (np.pi - angle) * cosine
    result /= np.pi
    return result


def nystrom(units: Features, landmarks: int, seed: int) -> Mapped:
    """Features whose inner products are the kernel: exactly for as many landmarks as samples, else nearly.

    landmarks: how many samples, drawn by the seed, span the features (Williams and Seeger 2001). No coin and
    no label enters.
    """
    count = len(units)
    if landmarks >= count:
        chosen = np.arange(count)
    else:
        chosen = np.sort(seeds.generator(seed, "landmarks").choice(count, landmarks, replace=False))
    values, vectors = linalg.eigh(tangent_kernel(units[chosen], units[chosen]))
    kept = values > SMALLEST * values[-1]
    return tangent_kernel(units, units[chosen]) @ (vectors[:, kept] / np.sqrt(values[kept]))
