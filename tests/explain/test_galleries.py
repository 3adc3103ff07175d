import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vestige.core.errors import InputError
from vestige.explain.galleries import extremes


def slow_extremes(distance, labels, among, per_class, most, sign):
    shown = []
    for c in sorted(set(labels)):
        own = [i for i in range(len(labels)) if labels[i] == c and among[i] and not np.isnan(distance[i])]
        own.sort(key=lambda i: sign * distance[i])
        shown += own[: min(per_class, len(own) // 2)]
    kept = sorted(shown, key=lambda i: sign * distance[i])[:most]
    return [i for i in shown if i in kept]


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 12))
def test_both_rows_equal_the_definition(seed, per_class, most):
    random = np.random.default_rng(seed)
    distance, labels = random.random(50), random.integers(0, 6, 50)
    distance[random.random(50) < 0.2] = np.nan
    among = random.random(50) < 0.7
    found = extremes(distance, labels, among, per_class, most)
    assert found.closest.tolist() == slow_extremes(distance, labels, among, per_class, most, 1)
    assert found.farthest.tolist() == slow_extremes(distance, labels, among, per_class, most, -1)
    assert not set(found.closest) & set(found.farthest)


def test_a_class_gives_its_nearest_and_its_farthest():
    found = extremes([3, 1, 2, 9, 7, 8, 5], [4, 4, 4, 0, 0, 0, 2])
    assert found.closest.tolist() == [4, 1]
    assert found.farthest.tolist() == [3, 0]


def test_where_classes_are_many_the_most_extreme_are_kept_in_class_order():
    distance = np.array([1, 10, 2, 30, 3, 20])
    found = extremes(distance, [0, 0, 1, 1, 2, 2], most=2)
    assert found.closest.tolist() == [0, 2]
    assert found.farthest.tolist() == [3, 5]


def test_no_samples_give_empty_rows():
    found = extremes([1, 2], [0, 0], [False, False])
    assert len(found.closest) == len(found.farthest) == 0
    assert len(extremes([1, 2], [0, 1]).closest) == 0


def test_bad_input_is_named():
    with pytest.raises(InputError, match="one class per sample"):
        extremes([1.0, 2.0], [0])
    with pytest.raises(InputError, match="among holds 1 entries"):
        extremes([1.0, 2.0], [0, 0], [True])
    with pytest.raises(InputError, match="per_class=0"):
        extremes([1.0, 2.0], [0, 0], per_class=0)
