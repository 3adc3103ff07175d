import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vestige.core.errors import InputError
from vestige.stats.roc import roc

SCORES = st.lists(st.tuples(st.integers(-4, 4), st.booleans()), min_size=2, max_size=40).filter(
    lambda rows: len({positive for _, positive in rows}) == 2
)


def split(rows):
    scores, positive = zip(*rows, strict=True)
    return np.array(scores, np.float64), np.array(positive)


def pairs_auc(scores, positive):
    wins = [np.sign(p - n) for p in scores[positive] for n in scores[~positive]]
    return np.mean(np.add(wins, 1) / 2)


def slow_points(scores, positive):
    """(fpr, tpr) of "score >= threshold" for every threshold there is, and for none."""
    thresholds = [np.inf, *sorted(set(scores), reverse=True)]
    return [((scores >= t)[~positive].mean(), (scores >= t)[positive].mean()) for t in thresholds]


@given(SCORES)
def test_every_attainable_point_is_there_and_no_other(rows):
    scores, positive = split(rows)
    curve = roc(scores, positive)
    np.testing.assert_array_equal(np.stack([curve.fpr, curve.tpr], 1), slow_points(scores, positive))


@given(SCORES)
def test_the_auc_counts_pairs_and_ties_half(rows):
    scores, positive = split(rows)
    curve = roc(scores, positive)
    assert curve.auc == pytest.approx(pairs_auc(scores, positive), abs=1e-12)
    assert roc(-scores, positive).auc == pytest.approx(1 - curve.auc, abs=1e-12)


@given(SCORES, st.floats(0, 1))
def test_the_rate_at_a_limit_is_the_best_attainable_below_it(rows, limit):
    scores, positive = split(rows)
    curve = roc(scores, positive)
    assert curve.tpr_at(limit) == max(tpr for fpr, tpr in slow_points(scores, positive) if fpr <= limit)
    called = scores >= curve.threshold_at(limit)
    assert called[positive].mean() == curve.tpr_at(limit)
    assert called[~positive].mean() <= limit


@given(SCORES, st.randoms())
def test_increasing_maps_and_orders_change_nothing(rows, random):
    scores, positive = split(rows)
    curve = roc(scores, positive)
    order = list(range(len(scores)))
    random.shuffle(order)
    for other in (
        roc(np.exp(scores), positive),
        roc(scores[order], positive[order]),
        roc(scores**3, positive),
    ):
        np.testing.assert_array_equal(other.tpr, curve.tpr)
        np.testing.assert_array_equal(other.fpr, curve.fpr)


@given(SCORES)
def test_ties_are_counted(rows):
    scores, positive = split(rows)
    assert roc(scores, positive).tied == sum(np.sum(scores == s) > 1 for s in scores)


@settings(max_examples=20)
@given(SCORES)
def test_advantage_and_accuracy_are_maxima_over_thresholds(rows):
    scores, positive = split(rows)
    curve = roc(scores, positive)
    best = max(tpr - fpr for fpr, tpr in slow_points(scores, positive))
    assert curve.advantage == pytest.approx(best, abs=1e-15)
    assert curve.balanced_accuracy == pytest.approx((1 + best) / 2, abs=1e-15)


def test_scores_that_differ_in_the_last_bit_are_distinct():
    scores = np.array([40.0, np.nextafter(40.0, 41)])
    assert roc(scores, [False, True]).auc == 1.0


def test_constant_scores_are_one_block():
    curve = roc(np.ones(10), [True] * 5 + [False] * 5)
    assert (curve.auc, curve.tpr_at(0.5), curve.tpr_at(1.0), curve.tied) == (0.5, 0.0, 1.0, 10)


def test_a_tie_block_above_the_limit_gives_nothing():
    """491 scores tie at the top, 3 of them negative, with one false positive allowed."""
    scores = np.r_[np.ones(491), np.zeros(1509)]
    positive = np.r_[np.zeros(3, bool), np.ones(488, bool), np.zeros(997, bool), np.ones(512, bool)]
    assert roc(scores, positive).tpr_at(0.001) == 0.0


def test_unscored_samples_are_left_out_and_counted():
    curve = roc([np.nan, 1.0, 0.0, np.nan], [True, True, False, False])
    assert (curve.unscored, curve.positives, curve.negatives, curve.auc) == (2, 1, 1, 1.0)


def test_infinite_scores_are_ordinary():
    curve = roc([np.inf, np.inf, -np.inf, 0.0], [True, False, False, True])
    assert curve.auc == pairs_auc(np.array([2.0, 2.0, 0.0, 1.0]), np.array([True, False, False, True]))
    assert not (np.array([np.inf]) >= curve.threshold_at(0.0)).any()


def test_support_needs_one_negative_per_allowed_false_positive():
    curve = roc(np.arange(1100.0), np.arange(1100) >= 1000)
    assert curve.supports(0.001)
    assert not curve.supports(0.0009)


def test_the_limit_is_met_exactly_where_it_is_a_count():
    scores = np.arange(30_000.0)
    positive = np.zeros(30_000, bool)
    positive[[29_950, 29_974, 29_975]] = True
    curve = roc(scores, positive)
    assert curve.negatives == 29_997
    exact = roc(scores[: 25_000 + 3], np.r_[np.zeros(24_975, bool), True, np.zeros(25, bool), [True, True]])
    assert exact.negatives == 25_000
    assert exact.tpr_at(0.001) == 1.0


@pytest.mark.parametrize(
    ("scores", "positive", "message"),
    [
        ([1.0, 2.0], [True, True], "2 positives and 0 negatives"),
        ([1.0, np.nan], [True, False], "1 are NaN"),
        ([], [], "0 positives"),
        ([1.0, 2.0], [True], "shape"),
        ([1.0, 2.0], [0, 3], "0 and 1"),
    ],
)
def test_bad_input_is_named(scores, positive, message):
    with pytest.raises(InputError, match=message):
        roc(scores, positive)


def test_many_scores_take_one_sort():
    random = np.random.default_rng(0)
    scores, positive = random.normal(size=50_000), random.random(50_000) < 0.5
    start = time.process_time()
    for _ in range(10):
        roc(scores, positive)
    assert (time.process_time() - start) / 10 < 0.1
