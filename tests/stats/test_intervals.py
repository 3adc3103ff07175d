import numpy as np
import pytest
from scipy import stats

from vestige.core.errors import InputError
from vestige.stats.intervals import bootstrap_interval, proportion_interval, t_interval


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (3, 10), (10, 10), (2, 2505)])
def test_proportions_agree_with_the_exact_binomial_test(successes, trials):
    expected = stats.binomtest(successes, trials).proportion_ci(0.95, method="exact")
    np.testing.assert_allclose(
        proportion_interval(successes, trials), [expected.low, expected.high], rtol=1e-9
    )


def test_proportion_intervals_cover_as_often_as_they_say():
    trials, truth = 40, 0.07
    probabilities = stats.binom.pmf(np.arange(trials + 1), trials, truth)
    covered = [low <= truth <= high for low, high in (proportion_interval(k, trials, 0.9) for k in range(41))]
    assert probabilities[covered].sum() >= 0.9


@pytest.mark.parametrize(("successes", "trials"), [(1, 0), (-1, 5), (6, 5)])
def test_impossible_counts_are_refused(successes, trials):
    with pytest.raises(InputError):
        proportion_interval(successes, trials)


def test_the_bootstrap_of_a_mean_is_near_the_normal_interval():
    values = np.random.default_rng(0).normal(size=400)
    low, high = bootstrap_interval(values, seed=1)
    half = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - half, abs=0.15 * half)
    assert high == pytest.approx(values.mean() + half, abs=0.15 * half)


def test_dependent_units_are_drawn_together():
    """Doubling every unit within its cluster adds no information, so the interval stays."""
    values = np.random.default_rng(0).normal(size=60)
    once = bootstrap_interval(values, seed=3)
    twice = bootstrap_interval(np.repeat(values, 2), np.repeat(np.arange(60), 2), seed=3)
    ignored = bootstrap_interval(np.repeat(values, 2), seed=3)
    np.testing.assert_allclose(twice, once, rtol=1e-12)
    assert ignored[1] - ignored[0] < 0.8 * (once[1] - once[0])


def test_equal_seeds_repeat_and_others_differ():
    values = np.arange(20.0)
    assert bootstrap_interval(values, seed=1) == bootstrap_interval(values, seed=1)
    assert bootstrap_interval(values, seed=1) != bootstrap_interval(values, seed=2)


def test_any_statistic_of_the_drawn_rows_will_do():
    table = np.random.default_rng(0).random((30, 2))
    low, high = bootstrap_interval(table, statistic=lambda rows: rows[:, 0].sum() / rows[:, 1].sum())
    assert low < table[:, 0].sum() / table[:, 1].sum() < high


def test_the_t_interval_is_the_textbook_one_over_clusters():
    values = np.array([0.1, 0.3, 0.6, 0.8, 0.2, 0.4])
    means = np.array([0.2, 0.7, 0.3])
    expected = stats.t.interval(0.95, 2, means.mean(), stats.sem(means))
    np.testing.assert_allclose(t_interval(values, [0, 0, 1, 1, 2, 2]), expected)


@pytest.mark.parametrize("interval", [bootstrap_interval, t_interval])
def test_one_cluster_carries_no_interval(interval):
    with pytest.raises(InputError, match="at least 2"):
        interval([1.0, 2.0], [0, 0])
    with pytest.raises(InputError, match="confidence=1"):
        interval([1.0, 2.0], confidence=1.0)
