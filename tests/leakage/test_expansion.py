"""More and fewer features."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from vestige.core.errors import InputError
from vestige.leakage.expansion import principal_components, relu_features

X = np.random.default_rng(0).normal(size=(40, 6)) @ np.diag([5, 4, 3, 2, 1, 0.5]) + 2


def test_components_are_those_of_scikit_learn():
    slow = PCA(3).fit_transform(X)
    np.testing.assert_allclose(np.abs(principal_components(X, 3)), np.abs(slow), atol=1e-10)


def test_all_components_keep_distances():
    ours = principal_components(X, 6, center=False)
    np.testing.assert_allclose(ours @ ours.T, X @ X.T, atol=1e-10)


def test_fewer_random_features_are_the_first_of_more():
    few, many = relu_features(X, 5, 3), relu_features(X, 20, 3)
    np.testing.assert_allclose(few * np.sqrt(5), many[:, :5] * np.sqrt(20))
    assert not np.allclose(few, relu_features(X, 5, 4))


def test_random_features_keep_norms_on_average():
    many = relu_features(X, 20_000)
    np.testing.assert_allclose(np.sum(many**2, axis=1), np.sum(X**2, axis=1) / 2, rtol=0.1)


def test_what_expansion_refuses():
    with pytest.raises(InputError, match="number=7"):
        principal_components(X, 7)
    with pytest.raises(InputError, match="number=0"):
        relu_features(X, 0)
    with pytest.raises(InputError, match=r"\[records features\]"):
        relu_features(X[0], 3)
