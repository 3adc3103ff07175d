"""Softmax leave-one-out: against logistic regression, dense matrices and refits."""

import numpy as np
import pytest
from digits_pair import first
from scipy import optimize, special
from sklearn.datasets import load_digits

from vestige.core.errors import InputError
from vestige.leakage import softmax_model
from vestige.leakage.logistic_regression import logistic
from vestige.leakage.randomness import GaussianOutput, Gibbs, RandomSubset
from vestige.leakage.retraining import validate
from vestige.leakage.softmax_model import softmax_fit
from vestige.leakage.softmax_regression import softmax
from vestige.leakage.softmax_shift import one_step_distances

NOISE = GaussianOutput(sigma=0.05)


def digits(count):
    X, y = load_digits(return_X_y=True)
    X = X[:count] / 16 - X.mean(axis=0) / 16
    return X / np.linalg.norm(X, axis=1).max(), y[:count]


def test_the_softmax_fit_is_the_minimum():
    X, y = digits(80)
    X = X[:, 10:16]
    fit = softmax_fit(X, y, 0.02)
    assert np.abs(fit.slopes.T @ X / len(X) + 0.02 * fit.parameters).max() < 1e-12

    def objective(flat):
        logits = X @ flat.reshape(10, 6).T
        losses = special.logsumexp(logits, axis=1) - logits[np.arange(len(y)), y]
        return losses.mean() + 0.01 * flat @ flat

    slow = optimize.minimize(objective, np.zeros(60), method="BFGS", options={"gtol": 1e-6}).x
    np.testing.assert_allclose(fit.parameters.ravel(), slow, atol=1e-4)


def dense_hessian(fit, without=None):
    total = np.zeros((fit.parameters.size, fit.parameters.size))
    for i, (x, p) in enumerate(zip(fit.inputs, fit.probabilities, strict=True)):
        if i != without:
            total += np.kron(np.diag(p) - np.outer(p, p), np.outer(x, x))
    return total


def test_the_hessian_is_the_sum_of_outer_products():
    X, y = digits(40)
    fit = softmax_fit(X[:, 18:22], y, 0.1)
    slow = dense_hessian(fit) + 40 * 0.1 * np.eye(40)
    np.testing.assert_allclose(fit.hessian(), slow, atol=1e-12)


@pytest.mark.parametrize("renormalize", [True, False])
def test_the_step_is_that_of_the_dense_hessian_without_the_record(renormalize):
    X, y = digits(40)
    fit = softmax_fit(X[:, 18:22], y, 0.1)
    kept = 0.1 * (39 if renormalize else 40)
    for record in (0, 7, 31):
        hessian = dense_hessian(fit, without=record) + kept * np.eye(40)
        pull = 0.1 * fit.parameters.ravel() if renormalize else 0
        slow = np.linalg.norm(
            np.linalg.solve(hessian, np.kron(fit.slopes[record], fit.inputs[record]) + pull)
        )
        fast = one_step_distances(fit, np.array([record]), renormalize=renormalize)
        assert fast[0] == pytest.approx(slow, rel=1e-9)


@pytest.mark.parametrize("method", ["alo", "influence", "exact"])
@pytest.mark.parametrize("renormalize", [True, False])
def test_two_classes_are_logistic_regression(method, renormalize):
    X, y = first(60)
    # the rows are opposite halves of the one direction: half of the ridge term, 1 / sqrt 2 of the norm
    two = softmax(X, (y + 1) // 2, 0.02, NOISE, method, renormalize=renormalize)
    one = logistic(X, y, 0.01, NOISE, method, renormalize=renormalize)
    np.testing.assert_allclose(two.shift * np.sqrt(2), one.shift, rtol=1e-7)


def test_against_twenty_refits():
    X, y = digits(400)
    good = validate(softmax, X, y, 0.001, NOISE)
    rough = validate(softmax, X, y, 0.001, NOISE, method="influence")
    assert len(good.records) == 20
    assert good.spearman > 0.99
    assert 0.98 < good.ratio < 1.02
    assert rough.ratio < 0.95 * good.ratio


def test_parts_give_what_the_whole_gives(monkeypatch):
    X, y = digits(100)
    whole = softmax(X, y, 0.01, NOISE)
    monkeypatch.setattr("vestige.leakage.blocks.BLOCK", 100_000)
    np.testing.assert_allclose(softmax(X, y, 0.01, NOISE).kl, whole.kl, rtol=1e-9)
    np.testing.assert_allclose(softmax(X, y, 0.01, NOISE, records=[5, 2]).kl, whole.kl[[5, 2]], rtol=1e-9)


def test_order_of_classes_does_not_matter():
    X, y = digits(100)
    other = np.random.default_rng(0).permutation(10)[y]
    np.testing.assert_allclose(softmax(X, other, 0.01, NOISE).kl, softmax(X, y, 0.01, NOISE).kl, rtol=1e-6)


def test_wide_inputs_of_softmax():
    X, y = digits(30)
    rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(64, 64)))[0]
    assert X.shape[1] > len(X)
    fit = softmax_fit(X, y, 0.01)
    full = one_step_distances(fit, np.arange(30))
    np.testing.assert_allclose(softmax(X @ rotation, y, 0.01, NOISE).shift * 0.05, full, rtol=1e-6)


def test_subsets_of_softmax_are_bounded():
    X, y = digits(40)
    kind = RandomSubset(size=20, sigma=0.5, subsets=4)
    bound = softmax(X[:, 18:24], y, 0.1, kind, records=[0, 1])
    assert bound.kind == "upper bound"
    assert np.all(bound.kl > 0)


def test_what_softmax_refuses(monkeypatch):
    X, y = digits(40)
    with pytest.raises(InputError, match="infinite"):
        softmax(X, y, 0.1, None)
    with pytest.raises(InputError, match="not possible here; give GaussianOutput or RandomSubset"):
        softmax(X, y, 0.1, Gibbs(temperature=1.0))
    with pytest.raises(InputError, match=r"np\.unique"):
        softmax(X, y - 5, 0.1, NOISE)
    with pytest.raises(InputError, match=r"np\.unique"):
        softmax(X, y + 0.5, 0.1, NOISE)
    with pytest.raises(InputError, match="two classes"):
        softmax(X, np.zeros(40), 0.1, NOISE)
    with pytest.raises(InputError, match="above 0"):
        softmax(X, y, 0, NOISE)
    monkeypatch.setattr(softmax_model, "LARGEST", 100)
    with pytest.raises(InputError, match="principal_components"):
        softmax(X, y, 0.1, NOISE)
