import numpy as np
import pytest
from scipy.stats import norm

from vestige.risk.rate import not_reported, precision
from vestige.risk.summary import summarize


def population(targets=32, samples=2000, shift=1.5, seed=0):
    rng = np.random.default_rng(seed)
    half = rng.random((targets // 2, samples)) < 0.5
    member = np.stack([half, ~half], 1).reshape(targets, samples)
    return rng.standard_normal((targets, samples)) + shift * member, member, np.arange(targets) // 2


def test_figures_of_shifted_normals_have_their_closed_form():
    scores, member, clusters = population()
    found = summarize(scores, member, clusters, attack="a")
    assert found.auc.value == pytest.approx(norm.cdf(1.5 / np.sqrt(2)), abs=0.003)
    assert found.advantage.value == pytest.approx(2 * norm.cdf(0.75) - 1, abs=0.006)
    assert found.balanced_accuracy.value == pytest.approx(norm.cdf(0.75), abs=0.003)
    for rate in found.rates[:3]:
        truth = norm.sf(norm.isf(rate.fpr) - 1.5)
        assert rate.tpr.low < truth < rate.tpr.high
        assert rate.transferred_tpr.value == pytest.approx(truth, rel=0.15)
        assert rate.transferred_fpr.value == pytest.approx(rate.fpr, rel=0.1)
        assert rate.false_positives == rate.false_positives_allowed == int(rate.fpr * rate.non_members + 1e-9)


def test_pooled_tpr_equals_a_slow_count():
    scores, member, clusters = population(targets=4, samples=300)
    found = summarize(np.round(scores, 1), member, clusters, attack="a").rates[0]
    values, truth = np.round(scores, 1).ravel(), member.ravel()
    fits = [t for t in np.unique(values) if np.mean(values[~truth] > t) <= 0.1]
    assert found.tpr.value == np.mean(values[truth] > min(fits))
    own = []
    for row, coin in zip(np.round(scores, 1), member, strict=True):
        fits = [t for t in np.unique(row) if np.mean(row[~coin] > t) <= 0.1]
        own.append(np.mean(row[coin] > min(fits)))
    assert found.per_target_mean == pytest.approx(np.mean(own))
    assert found.per_target_sd == pytest.approx(np.std(own, ddof=1))


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    truth = norm.sf(norm.isf(0.01) - 1.0)
    hits = 0
    for seed in range(60):
        scores, member, clusters = population(targets=24, samples=400, shift=1.0, seed=seed)
        rate = summarize(scores, member, clusters, attack="a", fprs=(0.01,)).rates[0]
        hits += rate.tpr.low <= truth <= rate.tpr.high
    assert hits >= 50  # 57 expected; 49 or fewer has a chance of 2e-4 at true coverage .93


def test_targets_that_differ_widen_the_interval():
    scores, member, clusters = population()
    steady = summarize(scores, member, clusters, attack="a").auc
    uneven = scores + np.repeat(np.random.default_rng(1).random(16), 2)[:, None] * member * 2
    moving = summarize(uneven, member, clusters, attack="a").auc
    assert moving.high - moving.low > 5 * (steady.high - steady.low)


def test_dependent_targets_are_resampled_together():
    scores, member, _ = population(targets=40, samples=200)
    doubled = np.repeat(scores[::2], 2, 0), np.repeat(member[::2], 2, 0)
    together = summarize(*doubled, np.arange(40) // 2, attack="a").auc
    apart = summarize(*doubled, np.arange(40), attack="a").auc
    assert together.high - together.low > 1.2 * (apart.high - apart.low)


def test_a_rate_that_the_sample_cannot_carry_is_a_sentence():
    scores, member, clusters = population(targets=4, samples=500)
    found = summarize(scores, member, clusters, attack="a")
    rate = found.at(0.0001)
    assert rate is not None
    assert not rate.supported
    assert rate.tpr.value is None
    assert rate.tpr.note == not_reported(0.0001, rate.non_members)
    assert rate.tpr.note == "Not reported: 1,000 non-members cannot fix an error rate of 0.01 %."
    assert rate.precision == ()
    assert found.lowest_supported is found.at(0.01)


def test_many_targets_do_not_replace_different_people():
    scores, member, clusters = population(targets=64, samples=500)
    assert summarize(scores, member, clusters, attack="a").at(0.001).tpr.value is None


def test_saturated_scores_raise_the_warning_about_zero_tpr():
    scores, member, clusters = population(shift=4.0)
    found = summarize(np.minimum(scores, 0.5), member, clusters, attack="rmia")
    assert found.auc.value > 0.8
    assert found.at(0.01).tpr.value == 0.0
    assert any("TPR is 0 at FPR 10 %" in w or "TPR is 0 at FPR 1 %" in w for w in found.warnings)
    assert any("tied" in w for w in found.warnings)
    assert found.tied > scores.size / 3


def test_constant_scores_give_one_half_and_name_nobody():
    _, member, clusters = population(targets=6, samples=400)
    found = summarize(np.zeros(member.shape), member, clusters, attack="a")
    assert found.auc.value == 0.5
    assert found.at(0.1).tpr.value == 0.0
    assert found.advantage.value == 0.0


def test_missing_scores_are_counted_and_otherwise_harmless():
    scores, member, clusters = population()
    holes = np.random.default_rng(3).random(scores.shape) < 0.2
    found = summarize(np.where(holes, np.nan, scores), member, clusters, attack="a")
    assert found.unscored == holes.sum()
    assert found.members + found.non_members == scores.size - holes.sum()
    assert found.auc.value == pytest.approx(norm.cdf(1.5 / np.sqrt(2)), abs=0.004)


def test_one_independent_target_says_that_its_interval_is_over_samples():
    scores, member, clusters = population(targets=2)
    found = summarize(scores, member, clusters, attack="a")
    assert found.clusters == 1
    assert "this model only" in found.auc.method
    assert any("this model only" in w for w in found.warnings)
    assert found.advantage.value is None
    assert found.auc.low < found.auc.value < found.auc.high


def test_a_reversed_sign_is_noticed():
    scores, member, clusters = population()
    assert any("Check the sign" in w for w in summarize(-scores, member, clusters, attack="a").warnings)


def test_precision_of_the_worked_examples():
    assert precision(0.05, 0.001, 0.01) == pytest.approx(0.336, abs=1e-3)
    assert precision(0.05, 0.001, 0.5) == pytest.approx(0.980, abs=1e-3)
    assert precision(0.1, 0.01, 0.01) == pytest.approx(0.092, abs=1e-3)


def test_the_same_seed_repeats_and_float32_is_accepted():
    scores, member, clusters = population(targets=6, samples=300)
    once = summarize(scores.astype(np.float32), member, clusters, attack="a", seed=4)
    again = summarize(scores.astype(np.float32), member, clusters, attack="a", seed=4)
    assert once == again
