import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from vestige.stats import gaussian, ranks

FLOATS = st.floats(-30, 30)
POSITIVE = st.floats(0.01, 30)


@given(FLOATS, FLOATS, POSITIVE)
def test_normal_density_and_tail(x, mean, variance):
    x, mean, variance = (np.array([value]) for value in (x, mean, variance))
    normal = stats.norm(mean, np.sqrt(variance))
    np.testing.assert_allclose(
        gaussian.log_density(x, mean, variance), normal.logpdf(x), rtol=1e-9, atol=1e-9
    )
    np.testing.assert_allclose(gaussian.log_upper_tail(x, mean, variance), normal.logsf(x), rtol=1e-9)


@given(FLOATS, FLOATS, POSITIVE, FLOATS, POSITIVE)
def test_the_ratio_is_a_difference_of_log_densities(x, mean, variance, other_mean, other_variance):
    x, mean, variance, other_mean, other_variance = (
        np.array([value]) for value in (x, mean, variance, other_mean, other_variance)
    )
    expected = gaussian.log_density(x, mean, variance) - gaussian.log_density(x, other_mean, other_variance)
    ratio = gaussian.log_density_ratio(x, (mean, variance), (other_mean, other_variance))
    np.testing.assert_allclose(ratio, expected, rtol=1e-9, atol=1e-9)


@given(FLOATS, FLOATS, POSITIVE, st.sampled_from([1.0, 2.5, 40.0, 1e4, 2e6]))
def test_student_density(x, location, squared, freedom):
    x, location, squared, freedom = (np.array([value]) for value in (x, location, squared, freedom))
    constant = gaussian.student_constant(freedom)
    density = gaussian.log_student_density(x, location, squared, constant, freedom)
    np.testing.assert_allclose(density, stats.t.logpdf(x, freedom, location, np.sqrt(squared)), 1e-8, 1e-8)


def test_the_tail_does_not_round_to_nothing():
    tail = gaussian.log_upper_tail(np.array([60.0]), np.array([0.0]), np.array([1.0]))
    np.testing.assert_allclose(tail, stats.norm.logsf(60.0))
    assert tail[0] < -1800


@given(st.lists(st.integers(-3, 3), min_size=1), st.lists(st.integers(-4, 4)))
def test_shares_count_ties(population, values):
    population, values = np.array(population, float), np.array(values, float)
    expected = np.array([np.mean(population <= value) for value in values])
    np.testing.assert_array_equal(ranks.share_at_most(population, values), expected)


@given(st.integers(0, 1000), st.integers(1, 7))
def test_the_masked_median_is_that_of_the_chosen(seed, references):
    random = np.random.default_rng(seed)
    values = random.normal(size=(references, 4, 2))
    chosen = random.random((references, 4)) < 0.6
    median = ranks.masked_median(values, chosen)
    for sample in range(4):
        rows = values[chosen[:, sample], sample]
        expected = np.median(rows, axis=0) if len(rows) else np.full(2, np.nan)
        np.testing.assert_array_equal(median[sample], expected)
