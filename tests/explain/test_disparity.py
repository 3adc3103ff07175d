import numpy as np
import pytest

from vestige.core.errors import InputError
from vestige.explain.disparity import disparity


def test_figures_equal_a_loop_and_p_a_slow_permutation_test():
    random = np.random.default_rng(3)
    groups = np.repeat(["a", "b", "c"], (40, 25, 15))
    values = random.random(80) + 0.12 * (groups == "c")
    found = disparity(values, groups, permutations=1000)
    means = {name: values[groups == name].mean() for name in "abc"}
    assert {g.name: g.mean.value for g in found.groups} == pytest.approx(means)
    assert [g.name for g in found.groups] == sorted(means, key=lambda name: -means[name])
    assert found.spread == pytest.approx(max(means.values()) - min(means.values()))

    drawn = [random.permutation(values)[groups == "a"].mean() for _ in range(4000)]
    first = next(g for g in found.groups if g.name == "a")
    assert first.deviation == pytest.approx((means["a"] - values.mean()) / np.std(drawn), rel=0.05)

    def largest(order):
        z = []
        for name in "abc":
            own = order[groups == name]
            error = values.std(ddof=1) * np.sqrt(1 / len(own) - 1 / 80)  # drawn without replacement
            z.append(abs(own.mean() - values.mean()) / error)
        return max(z)

    drawn = [largest(random.permutation(values)) for _ in range(4000)]
    assert found.p == pytest.approx(np.mean(drawn >= largest(values)), abs=0.05)
    assert found.p == min(g.p for g in found.groups)


def test_groups_that_do_not_matter_are_found_at_the_nominal_rate():
    random = np.random.default_rng(0)
    groups = np.arange(200) % 5
    p = [disparity(random.exponential(size=200), groups, permutations=59, seed=seed).p for seed in range(200)]
    assert np.mean(np.array(p) <= 0.1) == pytest.approx(0.1, abs=0.065)
    assert np.mean(p) == pytest.approx(0.5, abs=0.08)


def test_the_vulnerable_group_comes_first_and_is_significant():
    random = np.random.default_rng(1)
    labels = np.arange(300) % 3
    values = random.random(300) + 0.4 * (labels == 1)
    found = disparity(values, labels, ["cat", "dog", "owl"])
    assert found.groups[0].name == "dog"
    assert found.groups[0].deviation > 3
    assert found.groups[0].p < 0.01
    assert found.spread > 3 * found.chance_spread
    assert found.groups[0].mean.low > found.overall


def test_equal_values_have_no_disparity():
    found = disparity(np.ones(60), np.arange(60) % 2)
    assert found.p == 1
    assert found.spread == 0


def test_small_groups_are_merged_or_refused():
    groups = ["a"] * 30 + ["b"] * 30 + ["c"] * 6 + ["d"] * 6
    values = np.arange(72.0)
    found = disparity(values, groups)
    assert {g.name: g.records for g in found.groups} == {"a": 30, "b": 30, "other": 12}
    assert "c, d" in found.notes[0]
    with pytest.raises(InputError, match="under 10 records: c, d"):
        disparity(values, groups, small="refuse")
    with pytest.raises(InputError, match="hold 6 records together"):
        disparity(values[:66], groups[:66])


def test_unknown_vulnerability_is_left_out_aloud():
    values = np.append(np.arange(40.0), np.nan)
    found = disparity(values, [0] * 20 + [1] * 21)
    assert sum(g.records for g in found.groups) == 40
    assert "1 records have no known" in found.notes[-1]


def test_bad_input_is_told():
    with pytest.raises(InputError, match="groups holds 3 entries for 40 samples"):
        disparity(np.zeros(40), [0, 1, 2])
    with pytest.raises(InputError, match="give at least 2"):
        disparity(np.zeros(40), [0] * 40)
    with pytest.raises(InputError, match="indices from 0 to 0"):
        disparity(np.zeros(40), [0] * 20 + [1] * 20, ["cat"])
