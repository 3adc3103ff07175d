"""A kernel between samples, as features: what a wide network makes of their inputs."""

import numpy as np
from jaxtyping import Float, Float64, Shaped
from numpy.typing import DTypeLike
from scipy import linalg

from vestige.core import seeds

Features = Float64[np.ndarray, "samples features"]
Mapped = Float[np.ndarray, "samples landmarks"]

SMALLEST = 1e-10  # of a landmark direction, against the largest: below it directions are rounding
ALIKE = 1e-6  # between directions: further than rounding of single precision takes copies apart
BLOCK = 2048  # rows of the kernel at once: they stay in cache, and memory does not grow by copies of all


def directions(inputs: Shaped[np.ndarray, "samples ..."]) -> Features:
    """Finite inputs as centered vectors of unit length; one that lies at the center becomes zero."""
    flat = np.array(inputs, np.float64).reshape(len(inputs), -1)  # one copy, changed in place
    flat -= flat.mean(0)
    lengths = np.sqrt(np.einsum("ij,ij->i", flat, flat))[:, None]
    flat /= np.where(lengths > 0, lengths, 1.0)
    return flat


def num_copied(units: Features) -> int:
    """How many samples have the direction of another one, so that the kernel cannot tell them apart.

    Along a random line copies are neighbors, and only neighbors are compared. Equal rounded entries would
    not do: of entries that differ by rounding some lie on two sides of a border.
    """
    line = seeds.generator(0, "copies").standard_normal(units.shape[1])
    order = np.argsort(units @ line)
    alike = np.zeros(len(units) + 1, bool)  # each with the one before it; nobody is before the first
    for start in range(1, len(units), BLOCK):
        steps = np.diff(units[order[start - 1 : start + BLOCK]], axis=0)
        alike[start : start + len(steps)] = np.einsum("ij,ij->i", steps, steps) < ALIKE**2
    return int((alike[:-1] | alike[1:]).sum())


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


def nystrom(units: Features, landmarks: int, seed: int, dtype: DTypeLike = np.float64) -> Mapped:
    """Features whose inner products are the kernel: exactly for as many landmarks as samples, else nearly.

    Their columns are orthogonal to one another, the longest last.
    landmarks: how many samples, drawn by the seed, span the features (Williams and Seeger 2001). No coin and
    no label enters. dtype: of the features; what they are made of is float64 always.
    """
    count = len(units)
    if landmarks >= count:
        chosen = np.arange(count)
    else:
        chosen = np.sort(seeds.generator(seed, "landmarks").choice(count, landmarks, replace=False))
    values, vectors = linalg.eigh(tangent_kernel(units[chosen], units[chosen]))
    kept = values > SMALLEST * values[-1]
    whitening = (vectors[:, kept] / np.sqrt(values[kept])).astype(dtype)
    mapped = np.empty((count, whitening.shape[1]), dtype)
    for start in range(0, count, BLOCK):
        rows = slice(start, start + BLOCK)
        mapped[rows] = tangent_kernel(units[rows], units[chosen]).astype(dtype) @ whitening
    return mapped @ linalg.eigh(mapped.T @ mapped)[1]
