"""A function over many items in fresh processes."""

import os

import numpy as np
import pytest
import torch
from scipy.spatial import KDTree

from vestige.population.executors import each


def squared(number):
    if number == 3:
        raise ValueError("three")
    return number**2, os.getpid(), torch.get_num_threads()


def nearest(count):
    """Few places, many points: the tree splits next to 0, at a denormal."""
    points = np.zeros((count, 2))
    points[: count // 3] = 0.5
    return float(KDTree(points).query(points, k=2)[0].max())


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_item_comes_back_with_its_outcome_or_its_exception(jobs):
    found = dict(each(squared, [1, 2, 3, 4], jobs))
    assert isinstance(found.pop(3), ValueError)
    assert {item: outcome[0] for item, outcome in found.items()} == {1: 1, 2: 4, 4: 16}
    elsewhere = {outcome[1] for outcome in found.values()} - {os.getpid()}
    assert bool(elsewhere) == (jobs > 1)
    assert jobs == 1 or {outcome[2] for outcome in found.values()} == {1}


def test_processes_keep_denormals():
    assert dict(each(nearest, [500, 600], 2)) == {500: 0.0, 600: 0.0}


def test_nothing_is_nothing():
    assert list(each(squared, [], 2)) == []
