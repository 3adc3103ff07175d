import numpy as np
import pytest
from scipy.stats import spearmanr

from vestige.core.errors import InputError
from vestige.data.membership import paired
from vestige.risk.rank_agreement import rank_agreement


def mechanisms(models=8, samples=400, seed=0):
    """Losses that follow one order of hardness (none), most of it (smooth) or mostly another (early)."""
    random = np.random.default_rng(seed)
    membership = paired(models, samples, seed)
    hard, other = random.standard_normal((2, samples))

    def losses(own, foreign, noise):
        return np.exp(own * hard + foreign * other + noise * random.standard_normal((models, samples)))

    named = {"none": losses(1, 0, 0.2), "smooth": losses(1, 0.5, 0.2), "early": losses(0.3, 1, 0.2)}
    return named, membership


def test_every_cell_equals_the_mean_over_pairs_of_models():
    losses, membership = mechanisms(models=6)
    found = rank_agreement(losses, membership.mask, membership.clusters())
    names, mask = list(losses), membership.mask
    pairs = [(m, n) for m in range(6) for n in range(m + 1, 6) if (mask[m] & mask[n]).sum() >= 20]
    assert found.pairs == len(pairs) == 15 - 3  # complementary halves share nobody
    for a in names:
        for b in names:
            both = []
            for m, n in pairs:
                common = mask[m] & mask[n]
                both.append(spearmanr(losses[a][m][common], losses[b][n][common]).statistic)
                both.append(spearmanr(losses[a][n][common], losses[b][m][common]).statistic)
            assert found.between(a, b).value == pytest.approx(np.mean(both))


def test_runs_of_one_mechanism_agree_more_than_those_of_two_that_differ():
    losses, membership = mechanisms()
    found = rank_agreement(losses, membership.mask, membership.clusters())
    same, apart = found.between("none", "none"), found.between("none", "early")
    assert same.value > 0.9
    assert same.low > apart.high
    assert found.between("none", "smooth").low > apart.high
    np.testing.assert_array_equal(found.values, found.values.T)
    assert (np.diag(found.values) < 1).all()  # different runs, never a run with itself


def test_losses_without_a_common_order_do_not_correlate():
    random = np.random.default_rng(1)
    membership = paired(16, 300, 1)
    losses = {name: random.random((16, 300)) for name in ("a", "b")}
    found = rank_agreement(losses, membership.mask, membership.clusters())
    for cell in (found.between("a", "a"), found.between("a", "b")):
        assert abs(cell.value) < 0.05
        assert cell.low < 0 < cell.high


def test_only_ranks_count():
    losses, membership = mechanisms(models=6)
    plain = rank_agreement(losses, membership.mask, membership.clusters())
    moved = {"none": np.log(losses["none"]), "smooth": losses["smooth"] * 7, "early": losses["early"] ** 3}
    bent = rank_agreement(moved, membership.mask, membership.clusters())
    np.testing.assert_allclose(bent.values, plain.values)
    turned = rank_agreement({**losses, "none": -losses["none"]}, membership.mask, membership.clusters())
    assert turned.between("none", "early").value == pytest.approx(-plain.between("none", "early").value)
    assert turned.between("none", "none").value == pytest.approx(plain.between("none", "none").value)


def test_losses_of_non_members_do_not_enter():
    losses, membership = mechanisms(models=6)
    changed = {name: np.where(membership.mask, values, 1e9) for name, values in losses.items()}
    plain = rank_agreement(losses, membership.mask, membership.clusters())
    blind = rank_agreement(changed, membership.mask, membership.clusters())
    np.testing.assert_array_equal(plain.values, blind.values)


def test_many_pairs_are_thinned_at_random_and_repeatably():
    losses, membership = mechanisms(models=12)
    whole = rank_agreement(losses, membership.mask, membership.clusters())
    few = rank_agreement(losses, membership.mask, membership.clusters(), most_pairs=15)
    again = rank_agreement(losses, membership.mask, membership.clusters(), most_pairs=15)
    assert (whole.pairs, few.pairs) == (60, 15)
    np.testing.assert_allclose(few.values, whole.values, atol=0.03)
    np.testing.assert_array_equal(few.values, again.values)


def test_losses_that_are_all_equal_have_no_order():
    losses, membership = mechanisms(models=6)
    found = rank_agreement({**losses, "flat": np.ones((6, 400))}, membership.mask, membership.clusters())
    assert found.between("flat", "none").value is None
    assert "no order" in found.between("flat", "none").note
    assert np.isnan(found.values[-1]).all()
    assert found.between("none", "early").value is not None


def test_too_few_models_or_members():
    losses, membership = mechanisms(models=4)
    found = rank_agreement(losses, membership.mask, membership.clusters())
    assert found.between("none", "none").low is None
    assert "too few" in found.between("none", "none").note
    with pytest.raises(InputError, match="20 members in common"):
        rank_agreement({"a": np.ones((2, 400))}, membership.mask[:2], np.zeros(2, int))
    with pytest.raises(InputError, match="same coins"):
        rank_agreement({"a": np.ones((3, 400))}, membership.mask, membership.clusters())
