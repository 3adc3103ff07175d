import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp

from vestige.core.errors import InputError
from vestige.leakage.gibbs import gibbs_ridge, loss_gap
from vestige.leakage.shift import gaussian_kl


def seeded_ridge(temperature=0.7, features=5, records=40, weight=0.3):
    """A posterior with and without the last record, by linear algebra in all dimensions."""
    random = np.random.default_rng(0)
    inputs = random.normal(size=(records, features))
    targets = inputs @ random.normal(size=features) + 3 * random.normal(size=records)
    laws = []
    for kept in (records, records - 1):
        precision = inputs[:kept].T @ inputs[:kept] + weight * np.eye(features)
        covariance = temperature * np.linalg.inv(precision)
        laws.append((np.linalg.solve(precision, inputs[:kept].T @ targets[:kept]), covariance))
    (mean1, covariance1), (mean0, covariance0) = laws
    leverage = inputs[-1] @ covariance0 @ inputs[-1] / temperature
    return mean1, covariance1, mean0, covariance0, inputs[-1], targets[-1], leverage


def test_ridge_agrees_with_the_posteriors_in_all_dimensions():
    mean1, covariance1, mean0, covariance0, x, y, leverage = seeded_ridge()
    found = gibbs_ridge(leverage, y - x @ mean0, 0.7)
    assert found.kl == pytest.approx(gaussian_kl(mean1, covariance1, mean0, covariance0), abs=1e-12)
    assert found.kl_reverse == pytest.approx(gaussian_kl(mean0, covariance0, mean1, covariance1), abs=1e-12)


def test_ridge_advantage_and_information_agree_with_draws_in_all_dimensions():
    mean1, covariance1, mean0, covariance0, x, y, leverage = seeded_ridge()
    found = gibbs_ridge(leverage, y - x @ mean0, 0.7)
    random = np.random.default_rng(1)
    evidence = []
    h, r = leverage, y - x @ mean0
    log_normalizer = -np.log1p(h) / 2 - r**2 / (2 * 0.7 * (1 + h))
    for mean, covariance in ((mean1, covariance1), (mean0, covariance0)):
        theta = random.multivariate_normal(mean, covariance, size=200_000)
        evidence.append(-((y - theta @ x) ** 2) / (2 * 0.7) - log_normalizer)
    inside, outside = evidence
    tv = (inside > 0).mean() - (outside > 0).mean()
    assert found.advantage == pytest.approx(tv, abs=0.006)
    told = np.log(2) - (np.logaddexp(0, -inside).mean() + np.logaddexp(0, outside).mean()) / 2
    assert found.mutual_information == pytest.approx(told, abs=0.003)


@settings(max_examples=50, deadline=None)
@given(st.floats(0, 20), st.floats(-5, 5), st.floats(0.01, 10))
def test_the_gap_of_the_mean_losses_over_the_temperature_is_the_sum_of_both_divergences(h, r, temperature):
    loss_without = (r**2 + temperature * h) / 2
    loss_with = ((r / (1 + h)) ** 2 + temperature * h / (1 + h)) / 2
    log_normalizer = -np.log1p(h) / 2 - r**2 / (2 * temperature * (1 + h))
    found = gibbs_ridge(h, r, temperature)
    scale = 1 + (r**2 + h) / temperature + h
    assert found.jeffreys == pytest.approx((loss_without - loss_with) / temperature, abs=1e-12 * scale)
    assert found.kl == pytest.approx(-loss_with / temperature - log_normalizer, abs=1e-12 * scale)
    assert found.kl_reverse == pytest.approx(loss_without / temperature + log_normalizer, abs=1e-12 * scale)


def test_a_record_without_leverage_tells_nothing():
    found = gibbs_ridge([0.0, 1.0], [3.0, 3.0], 1)
    assert found.kl[0] == found.advantage[0] == 0
    assert found.kl[1] > 0


def draws(h, r, temperature, models, records, seed=0):
    """Losses of ridge posteriors with the record (first half of the models) and without."""
    random = np.random.default_rng(seed)
    without = random.normal(-r, np.sqrt(temperature * h), (models, records))
    within = random.normal(-r / (1 + h), np.sqrt(temperature * h / (1 + h)), (models, records))
    losses = np.concatenate([within, without]) ** 2 / 2
    return losses, np.repeat([True, False], models)[:, None] & np.ones((1, records), bool)


def test_losses_alone_give_back_the_closed_form():
    h, r, temperature = 0.8, 1.3, 0.7
    losses, member = draws(h, r, temperature, 200, 400)
    found, truth = loss_gap(losses, member, temperature), gibbs_ridge(h, r, temperature)
    log_normalizer = -np.log1p(h) / 2 - r**2 / (2 * temperature * (1 + h))
    for values, expected in (
        (found.jeffreys, truth.jeffreys),
        (found.kl, truth.kl),
        (found.kl_reverse, truth.kl_reverse),
        (found.log_normalizer, log_normalizer),
    ):
        assert values.mean() == pytest.approx(float(expected), abs=4 * values.std() / 20 + 2e-3)
    np.testing.assert_allclose(found.kl + found.kl_reverse, found.jeffreys, atol=1e-12)
    np.testing.assert_array_equal(found.mutual_information_bound, np.clip(found.jeffreys / 4, 0, np.log(2)))


def test_the_standard_error_covers():
    losses, member = draws(0.8, 1.3, 0.7, 50, 2000)
    found, truth = loss_gap(losses, member, 0.7), float(gibbs_ridge(0.8, 1.3, 0.7).jeffreys)
    covered = np.abs(found.jeffreys - truth) < 1.96 * found.standard_error
    assert covered.mean() == pytest.approx(0.95, abs=0.03)


def test_where_averaging_breaks_down_the_bridge_holds_and_a_note_says_so():
    """Large loss over temperature: the exponentials of the models without rest on a few of them."""
    h, r, temperature = 4.0, 6.0, 0.5
    losses, member = draws(h, r, temperature, 100, 300)
    found = loss_gap(losses, member, temperature)
    truth = -np.log1p(h) / 2 - r**2 / (2 * temperature * (1 + h))
    bridge, average = (np.abs(v - truth).mean() for v in (found.log_normalizer, found.log_normalizer_without))
    assert bridge < average / 2
    assert np.median(found.effective_models) < 10
    assert any("bridge" in note for note in found.notes)


def test_averages_agree_with_a_loop_over_records():
    random = np.random.default_rng(5)
    losses, member = random.exponential(size=(12, 30)), random.random((12, 30)) < 0.5
    losses[random.random((12, 30)) < 0.1] = np.nan
    found = loss_gap(losses, member, 2)
    for record in range(30):
        column, coin = losses[:, record], member[:, record]
        inside, outside = (column[coin & ~np.isnan(column)], column[~coin & ~np.isnan(column)])
        expected = (outside.mean() - inside.mean()) / 2
        assert found.jeffreys[record] == pytest.approx(expected)
        mean_exp = logsumexp(-outside / 2) - np.log(len(outside))
        assert found.log_normalizer_without[record] == pytest.approx(mean_exp)
        error = np.hypot(*(np.std(s, ddof=1) / np.sqrt(len(s)) for s in (inside, outside))) / 2
        assert found.standard_error[record] == pytest.approx(error)


def test_a_record_that_every_model_saw_is_missing_and_noted():
    losses, member = np.ones((4, 2)), np.array([[True, True], [True, True], [True, False], [True, False]])
    found = loss_gap(losses, member, 1.0)
    assert np.isnan(found.jeffreys[0])
    assert np.isnan(found.kl[0])
    assert found.jeffreys[1] == 0
    assert any("1 records have no model on one side" in note for note in found.notes)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gibbs_ridge(-0.1, 1.0, 1.0), "leverage"),
        (lambda: gibbs_ridge(0.1, 1.0, 0.0), "temperature"),
        (lambda: loss_gap(np.ones((2, 3)), np.ones((2, 3), bool), 1), "train more models"),
        (lambda: loss_gap(np.ones((2, 3)), np.ones((3, 2), bool), 1), r"\[models records\]"),
        (lambda: loss_gap([[np.inf], [1.0]], [[True], [False]], 1), "finite"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
