import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vestige.core.errors import InputError
from vestige.leakage.entropy import NATS_PER_BIT, binary_kl
from vestige.leakage.limits import (
    advantage_limit,
    bretagnolle_huber,
    fano,
    hellman_raviv,
    max_tpr,
    pinsker,
    stein_exponent,
)
from vestige.leakage.normal_pair import normal_pair
from vestige.leakage.shift import gaussian_shift, gaussian_tpr

ROUNDING = 1e-9
few = settings(max_examples=25, deadline=None)  # type checks make each call slow


def test_the_roc_region_of_a_divergence():
    """Reference figures for KL alone at FPR .001, .01 and .1."""
    found = max_tpr([[0.5], [2.0]], [0.001, 0.01, 0.1])
    expected = [[0.127499, 0.221779, 0.495051], [0.385987, 0.581031, 0.951124]]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_nothing_and_everything():
    np.testing.assert_array_equal(max_tpr([0.0, np.inf], 0.01), [0.01, 1.0])
    assert max_tpr(2.0, 0.0) == 0  # a finite divergence forbids what P0 never does
    assert max_tpr(np.inf, 0.0) == 1
    assert max_tpr(np.inf, 0.0, 2.0) == pytest.approx(1 - np.exp(-2))
    assert max_tpr(2.0, 1.0) == 1
    assert np.isnan(max_tpr(np.nan, 0.1))


def test_many_records_agree_with_one_by_one():
    kl = np.random.default_rng(0).exponential(size=50)
    reverse = kl[::-1].copy()
    together = max_tpr(kl, 0.01, reverse)
    alone = [float(max_tpr(a, 0.01, b)) for a, b in zip(kl, reverse, strict=True)]
    np.testing.assert_array_equal(together, alone)


@few
@given(st.floats(0.01, 10), st.floats(0.01, 10), st.floats(0.001, 0.9))
def test_the_largest_tpr_uses_up_the_tighter_divergence(kl, reverse, fpr):
    tpr = float(max_tpr(kl, fpr, reverse))
    spent, spent_reverse = float(binary_kl(tpr, fpr)), float(binary_kl(fpr, tpr))
    assert spent <= kl + ROUNDING
    assert spent_reverse <= reverse + ROUNDING
    used_up = spent == pytest.approx(kl, rel=1e-3) or spent_reverse == pytest.approx(reverse, rel=1e-3)
    assert tpr > 1 - 1e-12 or used_up  # closer to 1, a float is too coarse


def test_no_gaussian_attack_beats_the_region():
    mu, fpr = np.linspace(0, 8, 81)[:, None], np.linspace(0, 1, 101)
    leakage = gaussian_shift(mu)
    assert np.all(gaussian_tpr(mu, fpr) <= max_tpr(leakage.kl, fpr, leakage.kl_reverse) + 1e-7)


shifts = st.floats(0, 12)
variances = st.floats(0.01, 100)


@few
@given(shifts, variances)
def test_all_limits_stand_in_their_order(mu, variance):
    """Hellman-Raviv <= success <= Fano, Pinsker, Bretagnolle-Huber; I <= J/4, KL/2 and ln 2."""
    leakage = normal_pair(mu, variance, 0.0, 1.0)
    success, information = (1 + leakage.advantage) / 2, leakage.mutual_information
    assert hellman_raviv(information) <= success + ROUNDING
    assert success <= fano(information) + ROUNDING
    for kl in (leakage.kl, leakage.kl_reverse):
        assert success <= (1 + pinsker(kl)) / 2 + ROUNDING
        assert success <= (1 + bretagnolle_huber(kl)) / 2 + ROUNDING
    assert leakage.advantage <= advantage_limit(leakage.kl, leakage.kl_reverse) + ROUNDING
    assert information <= leakage.mutual_information_bound + ROUNDING
    assert leakage.mutual_information_bound <= min(leakage.jeffreys / 4, leakage.kl / 2, NATS_PER_BIT)


@few
@given(st.floats(0.02, 0.98), st.floats(-4, 4), variances)
def test_mutual_information_stays_below_its_bounds_at_any_prior(prior, mean, variance):
    leakage = normal_pair(mean, variance, 0.0, 1.0, prior)
    assert 0 <= leakage.mutual_information <= leakage.mutual_information_bound + ROUNDING


def test_the_smallest_advantage_limit_wins():
    kl, reverse = np.array([0.1, 3.0]), np.array([0.2, 1.0])
    expected = [np.sqrt(0.05), np.sqrt(0.5)]
    np.testing.assert_allclose(advantage_limit(kl, reverse), expected)
    np.testing.assert_allclose(advantage_limit(3.0), np.sqrt(1 - np.exp(-3)))


def test_an_estimate_below_zero_counts_as_zero():
    assert pinsker(-0.1) == 0
    assert bretagnolle_huber(-0.1) == 0
    assert max_tpr(-0.1, 0.05) == 0.05
    assert fano(-0.1) == 0.5


def test_a_bit_gives_certainty_and_nothing_gives_a_coin():
    np.testing.assert_array_equal(fano([0.0, NATS_PER_BIT, 1.0]), [0.5, 1.0, 1.0])
    np.testing.assert_array_equal(hellman_raviv([0.0, NATS_PER_BIT, 1.0]), [0.5, 1.0, 1.0])


def test_small_information_keeps_its_digits():
    """Near a coin Fano's limit is an advantage of sqrt(2 I)."""
    assert 2 * float(fano(1e-10)) - 1 == pytest.approx(np.sqrt(2e-10), rel=1e-5)


def test_stein_exponents_swap_with_what_is_fixed():
    assert stein_exponent(1.0, 2.0, fixed="fpr") == 2
    assert stein_exponent(1.0, 2.0, fixed="fnr") == 1


def test_bad_input_is_named():
    with pytest.raises(InputError, match="fpr"):
        max_tpr(1.0, 1.5)
