import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from vestige.core.errors import InputError
from vestige.explain.contrast import contrast, holm, standardized_difference


def test_the_difference_is_hedges_g():
    random = np.random.default_rng(1)
    one, other = random.standard_normal(8) + 1, random.standard_normal(20)
    pooled = np.sqrt((7 * one.var(ddof=1) + 19 * other.var(ddof=1)) / 26)
    expected = (one.mean() - other.mean()) / pooled * (1 - 3 / (4 * 28 - 9))
    assert standardized_difference(one, other).value == pytest.approx(expected)
    assert standardized_difference(np.ones(3), np.ones(3)).value is None


def test_the_interval_of_the_difference_covers_it():
    random = np.random.default_rng(2)
    for shift, size in ((0.0, 9), (1.0, 9), (3.0, 30)):
        covered = []
        for _ in range(400):
            one, other = random.standard_normal(size) + shift, random.standard_normal(300)
            found = standardized_difference(one, other)
            covered.append(found.low <= shift <= found.high)
        assert np.mean(covered) > 0.92


def test_p_agrees_with_the_rank_sum_test():
    random = np.random.default_rng(3)
    values, vulnerable = random.standard_normal(150), np.arange(150) < 30
    values[:30] += 0.45
    (found,) = contrast({"distance": values}, vulnerable, permutations=4000)
    exact = mannwhitneyu(values[:30], values[30:]).pvalue
    assert found.p == pytest.approx(exact, abs=0.012)


def test_measures_that_do_not_matter_are_found_at_the_nominal_rate():
    random = np.random.default_rng(4)
    alarms = []
    for seed in range(150):
        measures = {str(k): random.random(60) for k in range(3)}
        found = contrast(measures, np.arange(60) < 10, permutations=99, seed=seed)
        alarms.append(min(c.p_corrected for c in found) <= 0.1)
    assert np.mean(alarms) <= 0.16
    assert np.mean(alarms) >= 0.03


def test_the_direction_is_that_of_the_vulnerable():
    random = np.random.default_rng(5)
    vulnerable = np.arange(200) < 40
    up = random.standard_normal(200) + 2 * vulnerable
    high, low, none = contrast({"up": up, "down": -up, "none": random.random(200)}, vulnerable)
    assert high.dominance.low > 0.5
    assert low.dominance.high < -0.5
    assert high.difference.value == pytest.approx(-low.difference.value)
    assert high.p_corrected < 0.01
    assert none.dominance.low < 0 < none.dominance.high
    assert (high.vulnerable, high.others) == (40, 160)


def test_only_known_records_among_the_asked_count():
    values = np.arange(20.0)
    values[3] = np.nan
    (found,) = contrast({"x": values}, np.arange(20) < 8, among=np.arange(20) > 1)
    assert (found.vulnerable, found.others) == (5, 12)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_equals_its_definition(p):
    order = sorted(range(len(p)), key=lambda i: p[i])
    for rank, i in enumerate(order):
        steps = [min(1.0, (len(p) - j) * p[order[j]]) for j in range(rank + 1)]
        assert holm(np.array(p))[i] == pytest.approx(max(steps))


def test_bad_input_is_told():
    with pytest.raises(InputError, match="at least one by name"):
        contrast({}, [0, 1])
    with pytest.raises(InputError, match="x: 2 vulnerable and 8 other"):
        contrast({"x": np.arange(10)}, np.arange(10) < 2)
    with pytest.raises(InputError, match="x holds 9 entries for 10"):
        contrast({"x": np.arange(9)}, np.arange(10) < 4)
    with pytest.raises(InputError, match="other than 0 and 1"):
        contrast({"x": np.arange(10)}, np.arange(10))
