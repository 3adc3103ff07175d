import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vestige.core.errors import InputError
from vestige.risk.pooled import allowed, own_threshold, pool


def slow_threshold(scores, fpr):
    """Of every rule "score above t", the lowest t with at most the rate of false positives."""
    candidates = sorted({-np.inf, *scores})
    return next(t for t in candidates if np.mean(scores > t) <= fpr * (1 + 1e-12))


@given(
    hnp.arrays(np.float64, (4, 12), elements=st.integers(0, 6).map(float)),
    st.sampled_from([0.05, 0.1, 0.25, 0.5, 0.9]),
    st.integers(0, 2**20),
)
@settings(max_examples=60, deadline=None)
def test_thresholds_equal_the_slow_search_ties_included(scores, fpr, seed):
    member = np.random.default_rng(seed).permuted(np.tile([True, False], (4, 6)), axis=1)
    clusters = np.array([0, 0, 1, 1])
    pooled = pool(scores, member, clusters)
    assert pooled.threshold(fpr) == slow_threshold(scores[~member], fpr)
    others = scores[2:][~member[2:]]
    expected = slow_threshold(others, fpr)
    named = pooled.threshold_without(0, fpr)
    assert np.array_equal(others > named, others > expected)
    own = scores[0][~member[0]]
    assert np.array_equal(own > own_threshold(own, fpr), own > slow_threshold(own, fpr))


def test_the_threshold_without_a_cluster_ignores_its_scores():
    rng = np.random.default_rng(0)
    scores, member = rng.standard_normal((6, 400)), rng.random((6, 400)) < 0.5
    clusters = np.arange(6) // 2
    before = pool(scores, member, clusters).threshold_without(1, 0.05)
    scores[2:4] += 100
    assert pool(scores, member, clusters).threshold_without(1, 0.05) == before


def test_counts_leave_nan_out_and_keep_infinities():
    scores = np.array([[np.nan, np.inf, 1.0, -np.inf], [0.0, 2.0, np.nan, 1.0]])
    member = np.array([[True, True, False, False], [True, False, False, True]])
    pooled = pool(scores, member, np.arange(2))
    hits, wrong = pooled.counts_above(np.array([[0.5, -np.inf]]))
    assert hits.tolist() == [[1, 1], [1, 2]]
    assert wrong.tolist() == [[1, 1], [1, 1]]
    assert [side.tolist() for side in pooled.sizes()] == [[1, 2], [2, 1]]


def test_a_rate_allows_whole_false_positives_in_spite_of_rounding():
    assert [allowed(0.29, 100), allowed(0.01, 99), allowed(0.001, 3000)] == [29, 0, 3]


def test_nothing_scored_is_an_error():
    with pytest.raises(InputError, match="none of the 2 targets"):
        pool(np.full((2, 3), np.nan), np.eye(2, 3, dtype=bool), np.arange(2))
