from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from vestige.core.errors import InputError
from vestige.leakage.entropy import NATS_PER_BIT
from vestige.leakage.renyi import (
    Histogram,
    arimoto,
    arimoto_of_scores,
    arimoto_shift,
    renyi_of_scores,
    renyi_private,
    renyi_shift,
)
from vestige.leakage.shift import gaussian_shift


@pytest.mark.parametrize(
    ("mu", "expected"),
    [(1, [0.178802, 0.254914, 0.316844, 0.324201]), (2, [0.425882, 0.483969, 0.516917, 0.520393])],
)
def test_reference_figures_at_orders_2_5_50_and_infinity(mu, expected):
    found = [float(arimoto_shift(mu, order)) for order in (2, 5, 50, np.inf)]
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("order", [0.01, 0.3, 0.9, 1.001, 3, 400])
@pytest.mark.parametrize("mu", [0.3, 2.0, 6.0])
def test_arimoto_agrees_with_its_definition(mu, order):
    def integrand(y):
        return np.exp(np.logaddexp(order * norm.logpdf(y, mu), order * norm.logpdf(y)) / order) / 2

    ends = np.linspace(-30, 30 + mu, 61)
    ends = np.sort(np.append(ends, mu / 2))
    total = sum(quad(integrand, a, b, epsrel=1e-13)[0] for a, b in pairwise(ends))
    expected = NATS_PER_BIT - order / (1 - order) * np.log(total)
    assert float(arimoto_shift(mu, order)) == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_order_one_is_shannon_and_infinity_is_bayes():
    mu = np.array([0.0, 0.5, 2.0, 30.0])
    shift = gaussian_shift(mu)
    np.testing.assert_array_equal(arimoto_shift(mu, 1), shift.mutual_information)
    np.testing.assert_allclose(arimoto_shift(mu, 1 + 1e-4), shift.mutual_information, atol=1e-4)
    np.testing.assert_allclose(arimoto_shift(mu, np.inf), np.log1p(shift.advantage))
    np.testing.assert_allclose(arimoto_shift(mu, 1e7), arimoto_shift(mu, np.inf), atol=1e-6)


@settings(max_examples=12, deadline=None)
@given(st.floats(0.1, 6), st.floats(0.05, 50), st.floats(1.05, 10))
def test_arimoto_of_a_fair_coin_rises_with_the_order(mu, order, factor):
    assert float(arimoto_shift(mu, order * factor)) >= float(arimoto_shift(mu, order)) - 1e-9


def test_renyi_of_a_shift_agrees_with_its_definition():
    for order in (0.5, 2, 3.5):
        total = quad(lambda y, a=order: np.exp(a * norm.logpdf(y, 1.3) + (1 - a) * norm.logpdf(y)), -30, 30)[
            0
        ]
        assert float(renyi_shift(1.3, order)) == pytest.approx(np.log(total) / (order - 1))
    assert renyi_shift(1.3, 1) == gaussian_shift(1.3).kl
    np.testing.assert_array_equal(renyi_shift([0.0, 1.0], np.inf), [0.0, np.inf])


def test_randomized_response_stays_below_the_private_limit():
    for epsilon in (0.1, 1.0, 3.0):
        p = 1 / (1 + np.exp(-epsilon))
        for order in (1.5, 2.0, 20.0):
            total = p**order * (1 - p) ** (1 - order) + (1 - p) ** order * p ** (1 - order)
            assert np.log(total) / (order - 1) <= renyi_private(epsilon, order) + 1e-12
    assert renyi_private(2, np.inf) == 2


def test_a_coin_that_is_read_off_tells_one_bit_at_every_order():
    for order in (0.5, 1, 2, np.inf):
        assert arimoto(np.array([1.0, 0.0]), np.array([0.0, 1.0]), order) == pytest.approx(NATS_PER_BIT)
        assert arimoto(np.array([0.3, 0.7]), np.array([0.3, 0.7]), order) == pytest.approx(0.0, abs=1e-12)


FAST = Histogram(permutations=30)


def planted(mu, records=20_000, seed=0):
    random = np.random.default_rng(seed)
    member = np.arange(records) % 2 == 0
    return random.normal(size=records) + mu * member, member


@pytest.mark.parametrize("order", [0.5, 1, 2])
def test_scores_give_back_a_planted_shift(order):
    scores, member = planted(1.0)
    divergence = renyi_of_scores(scores, member, order, FAST)
    information = arimoto_of_scores(scores, member, order, FAST)
    assert divergence.value == pytest.approx(float(renyi_shift(1.0, order)), rel=0.08)
    assert information.value == pytest.approx(float(arimoto_shift(1.0, order)), rel=0.08)


def test_infinite_order_reads_the_best_attack():
    scores, member = planted(1.0)
    found = arimoto_of_scores(scores, member, np.inf, FAST)
    assert found.plug_in == pytest.approx(float(arimoto_shift(1.0, np.inf)), rel=0.05)


@pytest.mark.parametrize("order", [1, 2, np.inf])
def test_scores_that_tell_nothing_give_nothing_in_the_mean(order):
    random, values, plug_ins = np.random.default_rng(3), [], []
    for repeat in range(30):
        member = random.random((4, 100)) < 0.5
        found = arimoto_of_scores(random.normal(size=(4, 100)), member, order, FAST, seed=repeat)
        values.append(found.value)
        plug_ins.append(found.plug_in)
    error = np.std(values) / np.sqrt(len(values))
    assert abs(np.mean(values)) < 3.5 * error
    assert np.mean(plug_ins) > 5 * error  # what the correction is for


def test_orientation_does_not_matter_and_monotone_maps_neither():
    scores, member = planted(1.0, 2000)
    one = arimoto_of_scores(scores, member, 2, FAST)
    mapped = arimoto_of_scores(np.exp(scores), member, 2, FAST)
    assert one == mapped
    turned = arimoto_of_scores(-scores, member, 2, FAST)
    assert turned.value == pytest.approx(one.value, rel=0.1)


def test_ties_share_a_bin_and_missing_scores_are_left_out():
    scores, member = planted(1.0, 2000)
    coarse = arimoto_of_scores(np.round(scores), member, 2, FAST)
    assert coarse.bins < 10
    missing = np.where(np.arange(2000) < 1000, scores, np.nan)
    kept = arimoto_of_scores(scores[:1000], member[:1000], 2, FAST)
    assert arimoto_of_scores(missing, member, 2, FAST).plug_in == kept.plug_in


@pytest.mark.parametrize(
    "call",
    [
        lambda: arimoto_shift(1.0, 0.001),
        lambda: arimoto_shift(-1.0, 2),
        lambda: renyi_private(-1, 2),
        lambda: renyi_of_scores([1.0, 2.0], [True, True], 2),
        lambda: renyi_of_scores([1.0, 2.0], [True], 2),
        lambda: Histogram(bins=1),
        lambda: Histogram(smoothing=0),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(InputError):
        call()
