import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import rel_entr
from scipy.stats import norm

from vestige.core.errors import InputError
from vestige.leakage.ensemble import gaussian_ensemble
from vestige.leakage.neighbors import neighbor_ensemble
from vestige.leakage.normal_pair import normal_pair
from vestige.leakage.randomness import SeedEnsemble

SEEDS = SeedEnsemble()
QUANTITIES = ("kl", "kl_reverse", "mutual_information", "advantage")
ESTIMATORS = {
    "separate": lambda v, z: gaussian_ensemble(v, z, SEEDS),
    "pooled": lambda v, z: gaussian_ensemble(v, z, SEEDS, variance="pooled"),
    "neighbors": lambda v, z: neighbor_ensemble(v, z, SEEDS),
}
every_estimator = pytest.mark.parametrize("estimate", ESTIMATORS.values(), ids=ESTIMATORS)


def planted(models, records, mean=0.0, deviation=1.0, seed=0):
    """Half of the models with each record, drawn anew per record; the statistic is normal on either side."""
    random = np.random.default_rng(seed)
    member = random.random((models, records)).argsort(0) < models // 2
    noise = random.normal(size=member.shape)
    return np.where(member, mean + deviation * noise, noise), member


def within_error(values, truth, errors=4.0):
    return abs(values.mean() - truth) < errors * values.std() / np.sqrt(len(values))


@pytest.mark.parametrize("models", [16, 128])
@every_estimator
def test_divergences_are_zero_in_the_mean_where_nothing_leaks(estimate, models):
    found = estimate(*planted(models, 500))
    for name in ("kl", "kl_reverse"):
        assert within_error(getattr(found, name), 0.0)
    assert found.kl.min() < 0


@pytest.mark.parametrize("models", [16, 32, 128])
@pytest.mark.parametrize(("mean", "deviation"), [(0.0, 1.0), (1.0, 1.0), (2.0, 1.0), (1.0, 1.5), (0.0, 0.5)])
def test_normal_laws_give_unbiased_divergences_at_any_number_of_models(models, mean, deviation):
    found = gaussian_ensemble(*planted(models, 6000, mean, deviation, seed=models), SEEDS)
    truth = normal_pair(mean, deviation**2, 0.0, 1.0)
    assert within_error(found.kl, truth.kl)
    assert within_error(found.kl_reverse, truth.kl_reverse)


@pytest.mark.parametrize("variance", ["separate", "pooled"])
def test_sixty_four_models_a_side_come_within_five_percent(variance):
    found = gaussian_ensemble(*planted(128, 4000, 1.0), SEEDS, variance=variance)
    truth = normal_pair(1.0, 1.0, 0.0, 1.0)
    for name in QUANTITIES:
        assert getattr(found, name).mean() == pytest.approx(float(getattr(truth, name)), rel=0.05)


def test_one_variance_for_both_sides_is_the_less_noisy():
    values, member = planted(16, 2000, 1.0)
    separate, pooled = (gaussian_ensemble(values, member, SEEDS, variance=v) for v in ("separate", "pooled"))
    assert pooled.kl.std() < 0.8 * separate.kl.std()
    np.testing.assert_array_equal(pooled.kl, pooled.kl_reverse)


@every_estimator
def test_bounded_quantities_are_small_where_nothing_leaks(estimate):
    found = estimate(*planted(128, 600))
    assert abs(found.mutual_information.mean()) < 0.003
    assert abs(found.advantage.mean()) < 0.04


def test_fits_agree_with_a_loop_over_records():
    """Count, mean and variance of either side, some entries missing, against one record at a time."""
    random = np.random.default_rng(1)
    values, member = random.normal(size=(60, 20)), random.random((60, 20)) < 0.4
    values[random.random((60, 20)) < 0.1] = np.nan
    found = gaussian_ensemble(values, member, SEEDS)
    for record in range(20):
        kept = ~np.isnan(values[:, record])
        column, coin = values[kept, record], member[kept, record]
        alone = gaussian_ensemble(column[:, None], coin[:, None], SEEDS)
        assert found.kl[record] == pytest.approx(float(alone.kl[0]), rel=1e-12)
        inside, outside = column[coin], column[~coin]
        plug_in = normal_pair(inside.mean(), inside.var(ddof=1), outside.mean(), outside.var(ddof=1))
        order = (1 + float(plug_in.kl)) / min(coin.sum(), (~coin).sum())
        assert found.kl[record] == pytest.approx(float(plug_in.kl), abs=6 * order)


@settings(max_examples=8, deadline=None)
@given(st.floats(-50, 50), st.floats(0.01, 100), st.booleans())
@every_estimator
def test_unit_origin_and_sign_do_not_matter(estimate, origin, unit, turned):
    values, member = planted(32, 10, 1.0)
    one = estimate(values, member)
    other = estimate(origin + (-unit if turned else unit) * values, member)
    for name in QUANTITIES:
        np.testing.assert_allclose(getattr(other, name), getattr(one, name), rtol=1e-6, atol=1e-9)


@every_estimator
def test_naming_the_sides_the_other_way_round_swaps_the_divergences(estimate):
    values, member = planted(32, 50, 1.0, 2.0)
    one, other = estimate(values, member), estimate(values, ~member)
    np.testing.assert_allclose(one.kl, other.kl_reverse, rtol=1e-9)
    np.testing.assert_allclose(one.mutual_information, other.mutual_information, rtol=1e-9, atol=1e-12)


@every_estimator
def test_records_with_too_few_models_are_missing_and_noted(estimate):
    values, member = planted(32, 5, 1.0)
    values[np.flatnonzero(member[:, 2])[:10], 2] = np.nan
    found = estimate(values, member)
    np.testing.assert_array_equal(np.isnan(found.kl), [False, False, True, False, False])
    assert np.isnan(found.advantage[2])
    assert np.isnan(found.mutual_information[2])
    assert any("1 records have fewer than 8 models" in note for note in found.notes)
    assert found.kind == "lower bound"


@every_estimator
def test_too_few_models_for_every_record_are_refused_with_a_remedy(estimate):
    with pytest.raises(InputError, match=r"all 5 records have fewer than 8 .*at most 3.*train more models"):
        estimate(*planted(6, 5))


def test_a_constant_side_has_no_density():
    values, member = planted(32, 3, 1.0)
    values[member[:, 1], 1] = 4.0
    found = gaussian_ensemble(values, member, SEEDS)
    np.testing.assert_array_equal(np.isnan(found.kl), [False, True, False])
    assert any("all models agree" in note for note in found.notes)


@every_estimator
def test_bad_input_is_refused(estimate):
    values, member = planted(32, 3)
    with pytest.raises(InputError, match="models records"):
        estimate(values, member[:, :2])
    values[0, 0] = np.inf
    with pytest.raises(InputError, match="finite"):
        estimate(values, member)


def test_randomness_must_be_named():
    with pytest.raises((InputError, TypeError)):
        gaussian_ensemble(*planted(32, 3), None)
    with pytest.raises(InputError, match="must be below"):
        neighbor_ensemble(*planted(32, 3), SEEDS, k=8)


def test_neighbors_agree_with_a_loop_over_points():
    random = np.random.default_rng(2)
    values, member = random.normal(size=(24, 3, 2)), random.random((24, 3)).argsort(0) < 10
    found = neighbor_ensemble(values, member, SEEDS, k=2)
    for record in range(3):
        inside, outside = values[member[:, record], record], values[~member[:, record], record]
        total = 0.0
        for point, x in enumerate(inside):
            own = np.sort(np.linalg.norm(np.delete(inside, point, axis=0) - x, axis=1))[1]
            other = np.sort(np.linalg.norm(outside - x, axis=1))[1]
            total += 2 * np.log(other / own)
        expected = total / len(inside) + np.log(len(outside) / (len(inside) - 1))
        assert found.kl[record] == pytest.approx(expected)


def test_neighbors_need_no_normal_law():
    """With the record the statistic has two modes and the same mean and variance as without."""
    random, narrow = np.random.default_rng(3), np.sqrt(1 - 0.95**2)
    member = random.random((256, 100)).argsort(0) < 128
    modes = 0.95 * np.sign(random.normal(size=member.shape)) + narrow * random.normal(size=member.shape)
    values = np.where(member, modes, random.normal(size=member.shape))
    assert abs(gaussian_ensemble(values, member, SEEDS).kl.mean()) < 0.02
    found = neighbor_ensemble(values, member, SEEDS)
    assert found.kl.mean() > 0.3
    grid = np.linspace(-8, 8, 16001)
    with_it = (norm.pdf(grid, 0.95, narrow) + norm.pdf(grid, -0.95, narrow)) / 2
    mixture = (with_it + norm.pdf(grid)) / 2
    truth = 0.001 * (rel_entr(with_it, mixture) + rel_entr(norm.pdf(grid), mixture)).sum() / 2
    assert found.mutual_information.mean() == pytest.approx(truth, rel=0.1)


def test_another_prior_reweights_the_information():
    values, member = planted(256, 150, 1.5)
    found = neighbor_ensemble(values, member, SEEDS, prior=0.2)
    truth = normal_pair(1.5, 1.0, 0.0, 1.0, 0.2)
    assert found.mutual_information.mean() == pytest.approx(float(truth.mutual_information), rel=0.12)


def test_ties_are_counted_instead_of_jittered():
    values, member = planted(128, 300)
    found = neighbor_ensemble(np.round(2 * values), member, SEEDS)
    assert within_error(found.kl, 0.0)
    assert found.advantage.mean() < 0.02
    assert any("equal values" in note for note in found.notes)
    constant = neighbor_ensemble(np.zeros((32, 2)), member[:32, :2] | (np.arange(32)[:, None] < 8), SEEDS)
    np.testing.assert_allclose(constant.kl, 0.0, atol=0.15)


def test_many_features_are_noted():
    random = np.random.default_rng(4)
    values, member = random.normal(size=(32, 2, 4)), planted(32, 2)[1]
    assert any("4 features" in note for note in neighbor_ensemble(values, member, SEEDS).notes)
