"""Random training subsets: pairs, the coupling bound, its estimates, and measured figures."""

import numpy as np
import pytest
from digits_pair import first

from vestige.core import seeds
from vestige.core.errors import InputError
from vestige.leakage.expansion import principal_components
from vestige.leakage.logistic_regression import logistic
from vestige.leakage.randomness import RandomSubset
from vestige.leakage.ridge_regression import RidgeFits, ridge
from vestige.leakage.subset import mixture_kl, moment_kl, paired_subsets, random_subset

RECORDS = range(8)


def measured(size, weight=0.01, sigma=0.5, subsets=400, draws=4000):
    """Ten principal components of the digits pair, a universe of 200 records, eight of them looked at."""
    inputs, labels = principal_components(first(357)[0], 10)[:200], first(200)[1]
    kind = RandomSubset(size=size, sigma=sigma, subsets=subsets)
    return random_subset(RidgeFits(inputs, labels, weight), 200, kind, records=RECORDS, draws=draws)


def test_pairs_differ_in_the_record_only():
    within, without = paired_subsets(12, 5, 3, 2000, seeds.generator(0, "pairs"))
    assert np.all((within == 3).sum(axis=1) == 1)
    assert not np.any(without == 3)
    for one, other in zip(within, without, strict=True):
        assert len(set(one)) == len(set(other)) == 5
        assert len(set(one) & set(other)) == 4
    drawn = np.bincount(without.ravel(), minlength=12)[np.arange(12) != 3] / 2000
    np.testing.assert_allclose(drawn, 5 / 11, atol=0.05)  # 4.5 standard errors


# Tolerances: three standard errors of the difference of two such runs (each about 2 % for the coupling of
# eight records, 4 to 10 % for the estimate): the figures were measured with other draws.
@pytest.mark.parametrize(
    ("size", "coupling", "estimate"), [(10, 1.173, 0.252), (20, 0.309, 0.052), (80, 0.0158, 0.0025)]
)
def test_figures_over_the_size_of_the_subset(size, coupling, estimate):
    found = measured(size)
    error = np.sqrt(np.sum(found.coupling_error**2)) / 8
    noise = np.sqrt(np.sum(found.monte_carlo_error**2)) / 8
    assert found.coupling.mean() == pytest.approx(coupling, abs=3 * np.sqrt(2) * error)
    assert found.monte_carlo.mean() == pytest.approx(estimate, rel=0.1, abs=3 * np.sqrt(2) * noise)
    assert np.all(found.monte_carlo <= found.coupling + 3 * found.monte_carlo_error)


def test_figures_over_the_weight_of_the_subsets():
    means = [measured(40, weight, subsets=150, draws=2).coupling.mean() for weight in (0.001, 0.01, 0.1, 1.0)]
    np.testing.assert_allclose(means, [0.2088, 0.0666, 0.0115, 0.00054], rtol=0.2)
    assert np.all(np.diff(means) < 0)


def test_the_noise_scales_the_bound_exactly():
    means = np.array(
        [measured(40, sigma=s, subsets=20, draws=2).coupling.mean() for s in (0.125, 0.25, 0.5, 1, 2)]
    )
    np.testing.assert_allclose(means[:-1] / means[1:], 4, rtol=1e-12)


def test_the_estimate_falls_with_more_subsets():
    found = measured(40, subsets=200)
    assert found.monte_carlo_half.mean() > found.monte_carlo.mean() > 0
    assert found.moment_match_half.shape == (8,)


def test_one_component_on_each_side_is_a_gaussian_shift():
    within, without = np.array([[0.0, 0.0]]), np.array([[0.6, 0.8]])
    estimate, error = mixture_kl(within, without, seeds.generator(0, "mixture"), 20_000)
    assert estimate == pytest.approx(0.5, abs=4 * error)
    assert error == pytest.approx(1 / np.sqrt(20_000), rel=0.05)


def test_equal_mixtures_diverge_by_nothing():
    centers = np.random.default_rng(0).normal(size=(50, 3))
    estimate, error = mixture_kl(centers, centers[::-1], seeds.generator(0, "same"))
    assert abs(estimate) < 1e-10
    assert error < 1e-10
    assert moment_kl(centers, centers[::-1]) == pytest.approx(0, abs=1e-12)


def test_moments_of_moved_centers():
    centers = np.random.default_rng(0).normal(size=(4000, 1)) * 2
    # both sides N(., 1 + 4): moved by 1
    assert moment_kl(centers, centers + 1) == pytest.approx(1 / (2 * (1 + centers.var(ddof=1))))


def test_leakage_is_the_bound_and_keeps_the_order():
    found = measured(40, subsets=50, draws=100)
    leakage = found.leakage(prior=0.2)
    assert leakage.kind == "upper bound"
    np.testing.assert_allclose(leakage.kl, found.coupling)
    np.testing.assert_array_equal(leakage.kl, leakage.kl_reverse)
    assert np.all(leakage.mutual_information <= leakage.mutual_information_bound + 1e-12)
    assert np.all(leakage.advantage <= np.sqrt(leakage.kl / 2))
    assert "Monte Carlo" in leakage.notes[0]


def test_the_models_name_the_bound():
    X, y = principal_components(first(357)[0], 4)[:60], first(60)[1]
    kind = RandomSubset(size=20, sigma=0.5, subsets=20)
    direct = random_subset(RidgeFits(X, y, 0.1), 60, kind, records=[4, 9])
    np.testing.assert_array_equal(ridge(X, y, 0.1, kind, records=[4, 9]).kl, direct.coupling)
    assert logistic(X, y, 0.1, kind, records=[4]).kind == "upper bound"


def test_equal_seeds_repeat_and_a_record_keeps_its_draws():
    X, y = first(30)
    fits, kind = RidgeFits(X, y, 0.1), RandomSubset(size=10, sigma=1.0, subsets=6)
    both = random_subset(fits, 30, kind, records=[2, 5])
    np.testing.assert_array_equal(
        random_subset(fits, 30, kind, records=[5]).monte_carlo, both.monte_carlo[1:]
    )
    other = random_subset(fits, 30, kind, records=[5], seed=1)
    assert other.coupling[0] != both.coupling[1]


def test_what_subsets_refuse():
    X, y = first(30)
    with pytest.raises(InputError, match="below the 30 records"):
        ridge(X, y, 0.1, RandomSubset(size=30, sigma=1.0))
    with pytest.raises(InputError, match="universe=50 but 30"):
        ridge(X, y, 0.1, RandomSubset(size=10, universe=50, sigma=1.0))
