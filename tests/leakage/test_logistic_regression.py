"""Logistic leave-one-out: one Newton step, influence and refits, against measured figures and each other."""

import numpy as np
import pytest
from digits_pair import SIGMA, first
from scipy import optimize

from vestige.core.errors import InputError
from vestige.leakage.logistic_regression import LogisticFits, logistic, logistic_fit
from vestige.leakage.randomness import GaussianOutput, Gibbs
from vestige.leakage.retraining import validate
from vestige.leakage.sensitivity import linear_sensitivity, worst_case_kl

NOISE = GaussianOutput(sigma=SIGMA)
TABLE = [  # records, weight; influence and ALO mean KL over exact; largest relative errors of the shift
    (40, 0.01, 0.676, 1.002, 0.247, 0.0056),
    (160, 0.001, 0.555, 1.0008, 0.345, 0.0099),
    (160, 0.01, 0.913, 1.0006, 0.079, 0.0018),
    (320, 0.01, 0.955, 1.0004, 0.041, 0.0008),
]


@pytest.mark.parametrize(("records", "weight", "influence", "alo", "influence_error", "alo_error"), TABLE)
def test_methods_against_refits_with_a_fixed_ridge_term(
    records, weight, influence, alo, influence_error, alo_error
):
    X, y = first(records)
    by = {
        method: logistic(X, y, weight, NOISE, method, renormalize=False)
        for method in ("exact", "alo", "influence")
    }
    exact = by["exact"]
    assert by["influence"].kl.mean() / exact.kl.mean() == pytest.approx(influence, abs=0.0006)
    assert by["alo"].kl.mean() / exact.kl.mean() == pytest.approx(alo, abs=0.0003)
    assert np.abs(by["influence"].shift / exact.shift - 1).max() == pytest.approx(influence_error, abs=6e-4)
    assert np.abs(by["alo"].shift / exact.shift - 1).max() == pytest.approx(alo_error, abs=6e-5)
    assert (exact.kind, by["alo"].kind) == ("exact", "estimate")


@pytest.mark.parametrize(("records", "weight", "mean"), [(40, 0.01, 17.78), (160, 0.01, 1.040)])
def test_figures_with_the_mean_renormalized(records, weight, mean):
    X, y = first(records)
    exact, alo = logistic(X, y, weight, NOISE, "exact"), logistic(X, y, weight, NOISE)
    assert exact.kl.mean() == pytest.approx(mean, rel=0.001)
    assert 0.99 < alo.kl.mean() / exact.kl.mean() < 1.01
    assert exact.kl.max() <= worst_case_kl(1.0, records, weight, SIGMA)


def test_the_worst_case_and_the_worst_record():
    assert worst_case_kl(1, 160, 0.01, 0.05) == pytest.approx(312.5)
    assert worst_case_kl(1, 160, 0.01, 0.05, renormalize=False) == pytest.approx(312.5 / 4)
    assert logistic(*first(160), 0.01, NOISE, "exact").kl.max() == pytest.approx(16.0, rel=0.001)


def test_influence_is_below_the_corrected_step():
    X, y = first(160)
    assert logistic(X, y, 0.001, NOISE, "influence").kl.mean() < 0.6 * logistic(X, y, 0.001, NOISE).kl.mean()


def test_leakage_falls_with_records_and_weight():
    assert logistic(*first(40), 0.01, NOISE).kl.mean() > logistic(*first(160), 0.01, NOISE).kl.mean()
    means = [logistic(*first(80), weight, NOISE).kl.mean() for weight in (1e-3, 1e-2, 1e-1, 1.0)]
    assert np.all(np.diff(means) < 0)


def test_the_fit_is_the_minimum():
    X, y = first(60)
    fit = logistic_fit(X, y, 0.01)
    gradient = fit.slopes @ X / len(X) + 0.01 * fit.parameters
    assert np.abs(gradient).max() < 1e-12

    def objective(theta):
        return np.mean(np.logaddexp(0, -y * (X @ theta))) + 0.005 * theta @ theta

    slow = optimize.minimize(objective, np.zeros(X.shape[1]), method="BFGS", options={"gtol": 1e-7}).x
    np.testing.assert_allclose(fit.parameters, slow, atol=1e-4)


def test_weights_of_records_count_copies():
    X, y = first(30)
    counts = np.where(np.arange(30) < 10, 2.0, 1.0)
    copies = np.repeat(np.arange(30), counts.astype(int))
    weighted = logistic_fit(X, y, 0.04, record_weights=counts)
    copied = logistic_fit(X[copies], y[copies], 0.03)  # 40 records x 0.03 = 30 records x 0.04
    np.testing.assert_allclose(weighted.parameters, copied.parameters, atol=1e-9)


def test_a_small_weight_on_separable_classes_still_converges():
    X, y = first(40)
    fit = logistic_fit(X, y, 1e-7)
    assert np.all(y * (X @ fit.parameters) > 0)
    assert np.isfinite(logistic(X, y, 1e-7, NOISE).kl).all()


def test_the_sandwich_of_sensitivity():
    for weight in (0.001, 0.01, 1.0):
        found = linear_sensitivity(logistic_fit(*first(160), weight), SIGMA)
        assert np.all(found.low <= found.kl * (1 + 1e-9))
        assert np.all(found.kl <= found.high * (1 + 1e-9))
    influence = logistic(*first(160), 1.0, NOISE, "influence")
    np.testing.assert_allclose(found.kl, influence.kl, rtol=1e-9)


def test_validation_draws_records_and_compares():
    X, y = first(160)
    good, rough = (validate(logistic, X, y, 0.001, NOISE, method=method) for method in ("alo", "influence"))
    assert len(set(good.records)) == 20
    assert good.spearman > 0.99
    assert 0.98 < good.ratio < 1.02
    assert rough.ratio < 0.7
    assert "20 models" in good.sentence
    np.testing.assert_array_equal(good.exact, logistic(X, y, 0.001, NOISE, "exact", records=good.records).kl)


def test_wide_inputs_give_what_their_coordinates_give():
    X, y = first(20)
    np.testing.assert_allclose(
        logistic(np.hstack([X, X]), y, 0.02, NOISE).kl * 2, logistic(X * np.sqrt(2), y, 0.02, NOISE).kl * 2
    )
    assert X.shape[1] > len(X)


def test_many_fits_are_single_fits_of_logistic_regression():
    X, y = first(60)
    rows = np.arange(40).reshape(2, 20)
    for subset, found in zip(rows, LogisticFits(X, y, 0.1)(rows), strict=True):
        np.testing.assert_allclose(found, logistic_fit(X[subset], y[subset], 0.1).parameters, atol=1e-9)


@pytest.mark.parametrize("labels", [[0, 1] * 20, ["a", "b"] * 20, [1, 2] * 20, [True, False] * 20])
def test_labels_that_are_not_signs(labels):
    with pytest.raises(InputError, match=r"labels -1 and \+1.*np\.where"):
        logistic(first(40)[0], labels, 0.1, NOISE)


def test_what_logistic_refuses():
    X, y = first(40)
    with pytest.raises(InputError, match="infinite"):
        logistic(X, y, 0.1, None)
    with pytest.raises(InputError, match="not possible here"):
        logistic(X, y, 0.1, Gibbs(temperature=1.0))
    with pytest.raises(InputError, match="one of alo, influence, exact"):
        logistic(X, y, 0.1, NOISE, "newton")
    with pytest.raises(InputError, match="above 0"):
        logistic(X, y, 0.0, NOISE)
    with pytest.raises(InputError, match="at least 3"):
        validate(logistic, X, y, 0.1, NOISE, count=2)
