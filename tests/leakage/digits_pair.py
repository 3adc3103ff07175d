"""Digits 3 against 8, in the order and scale that the reference figures were measured with."""

from functools import cache

import numpy as np
from sklearn.datasets import load_digits

SIGMA = 0.05


@cache
def digits_pair():
    """Inputs [357 features] of norm at most 1, and labels, -1 for a 3 and +1 for an 8."""
    digits = load_digits()
    pair = np.isin(digits.target, (3, 8))
    inputs, labels = digits.data[pair] / 16, np.where(digits.target[pair] == 8, 1.0, -1.0)
    order = np.random.default_rng(0).permutation(len(inputs))
    inputs = inputs[order] - inputs.mean(axis=0)
    return inputs / np.linalg.norm(inputs, axis=1).max(), labels[order]


def first(count):
    """The first records of the pair."""
    inputs, labels = digits_pair()
    return inputs[:count], labels[:count]
