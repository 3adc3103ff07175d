"""Factors of Hessians and damped Newton steps."""

import numpy as np
import pytest

from vestige.core.errors import InputError
from vestige.leakage.blocks import blocks
from vestige.leakage.newton import Factor, minimize, mirrored


def positive(size, seed=0):
    root = np.random.default_rng(seed).normal(size=(size, size + 3))
    return root @ root.T


@pytest.mark.parametrize("block", [10, 1 << 22])
def test_solutions_and_the_inverse(monkeypatch, block):
    monkeypatch.setattr("vestige.leakage.blocks.BLOCK", block)
    matrix, right = positive(7), np.arange(7.0)
    factor = Factor(matrix.copy())
    np.testing.assert_allclose(matrix @ factor.solve(right), right, atol=1e-10)
    np.testing.assert_allclose(factor.inverse(), np.linalg.inv(matrix), atol=1e-10)
    np.testing.assert_allclose(factor.solve(matrix), np.eye(7), atol=1e-10)


@pytest.mark.parametrize("block", [1, 20, 1 << 22])
def test_the_upper_triangle_mirrors_the_lower(monkeypatch, block):
    monkeypatch.setattr("vestige.leakage.blocks.BLOCK", block)
    matrix = positive(9)
    np.testing.assert_array_equal(mirrored(np.tril(matrix)), np.tril(matrix) + np.tril(matrix, -1).T)


def test_singular_to_working_precision():
    for matrix in (np.ones((3, 3)), np.diag([1.0, 1e-17]), -np.eye(2)):
        with pytest.raises(InputError, match="weight > 0"):
            Factor(matrix)


def quartic(point):
    return float(np.sum(point**4) + np.sum((point - 1) ** 2)), 4 * point**3 + 2 * (point - 1)


def test_newton_finds_the_minimum_from_afar():
    found = minimize(
        np.array([50.0, -30.0]), quartic, lambda point, gradient: -gradient / (12 * point**2 + 2)
    )
    np.testing.assert_allclose(quartic(found)[1], 0, atol=1e-9)


def test_a_fixed_bound_of_the_curvature_converges_too():
    found = minimize(np.array([0.5]), quartic, lambda point, gradient: -gradient / 14)
    np.testing.assert_allclose(quartic(found)[1], 0, atol=1e-8)


def test_steps_that_lead_nowhere_are_reported():
    with pytest.raises(InputError, match="raise weight"):
        minimize(np.array([0.0]), quartic, lambda point, gradient: gradient)
    with pytest.raises(InputError, match="within 500"):
        minimize(np.array([0.0]), lambda point: (-float(point[0]), -np.ones(1)), lambda *_: np.ones(1))


def test_blocks_cover_everything_once():
    covered = np.concatenate([np.arange(100)[part] for part in blocks(100, 1 << 19)])
    np.testing.assert_array_equal(covered, np.arange(100))
    assert len(list(blocks(3, 1 << 40))) == 3
    assert list(blocks(0, 5)) == []
