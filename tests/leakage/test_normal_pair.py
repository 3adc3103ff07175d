from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from vestige.core.errors import InputError
from vestige.leakage.normal_pair import normal_pair
from vestige.leakage.shift import gaussian_kl

PAIRS = [
    (0, 1, 1, 1, 0.5),
    (0, 1, 0, 4, 0.5),
    (3, 0.01, 0, 1, 0.3),
    (0, 1, 8, 1, 0.5),
    (1, 1e-4, 0, 1, 0.9),
    (5, 2, 0, 0.3, 0.01),
]


def integrated(function, mean1, variance1, mean0, variance0):
    """Piece by piece between the points where either density has its shape."""
    steps = np.array([-10, -5, -2, -1, 0, 1, 2, 5, 10])
    ends = np.sort(np.concatenate([mean1 + steps * variance1**0.5, mean0 + steps * variance0**0.5]))
    return sum(quad(function, a, b, epsabs=1e-13, epsrel=1e-12, limit=400)[0] for a, b in pairwise(ends))


@pytest.mark.parametrize("pair", PAIRS)
def test_every_quantity_agrees_with_its_definition(pair):
    *laws, prior = map(float, pair)
    mean1, variance1, mean0, variance0 = laws
    log1, log0 = (
        norm(mean1, variance1**0.5).logpdf,
        norm(mean0, variance0**0.5).logpdf,
    )

    def information(u):
        mixture = np.logaddexp(np.log(prior) + log1(u), np.log(1 - prior) + log0(u))
        told1, told0 = log1(u) - mixture, log0(u) - mixture
        return prior * np.exp(log1(u)) * told1 + (1 - prior) * np.exp(log0(u)) * told0

    found = normal_pair(*pair)
    assert found.mutual_information == pytest.approx(integrated(information, *laws), abs=1e-11)
    distance = integrated(lambda u: abs(np.exp(log1(u)) - np.exp(log0(u))) / 2, *laws)
    assert found.advantage == pytest.approx(distance, abs=1e-9)
    assert found.kl == pytest.approx(gaussian_kl(mean1, [[variance1]], mean0, [[variance0]]), rel=1e-12)
    assert found.kl_reverse == pytest.approx(
        gaussian_kl(mean0, [[variance0]], mean1, [[variance1]]), rel=1e-12
    )


means, variances = st.floats(-5, 5), st.floats(0.05, 20)


@settings(max_examples=30, deadline=None)
@given(means, variances, means, variances, st.floats(0.05, 0.95))
def test_naming_the_laws_the_other_way_round_changes_nothing(m1, v1, m0, v0, prior):
    one, other = normal_pair(m1, v1, m0, v0, prior), normal_pair(m0, v0, m1, v1, 1 - prior)
    assert one.kl == other.kl_reverse
    assert one.mutual_information == pytest.approx(float(other.mutual_information), abs=1e-12)
    assert one.advantage == pytest.approx(float(other.advantage), abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(means, variances, means, variances, st.floats(-3, 3), st.floats(0.1, 10))
def test_neither_does_another_unit_or_origin(m1, v1, m0, v0, origin, unit):
    one = normal_pair(m1, v1, m0, v0)
    other = normal_pair(unit * m1 + origin, unit**2 * v1, unit * m0 + origin, unit**2 * v0)
    for name in ("kl", "kl_reverse", "mutual_information", "advantage"):
        assert getattr(one, name) == pytest.approx(float(getattr(other, name)), rel=1e-6, abs=1e-7)


def test_equal_laws_tell_nothing():
    found = normal_pair([1.0, 2.0], [3.0, 4.0], [1.0, 2.0], [3.0, 4.0])
    for values in (found.kl, found.kl_reverse, found.mutual_information, found.advantage):
        np.testing.assert_allclose(values, 0.0, atol=1e-15)


def test_missing_records_stay_missing_and_the_others_do_not_care():
    found = normal_pair([1.0, np.nan], 1.0, 0.0, [2.0, 1.0])
    assert np.isnan([found.kl[1], found.mutual_information[1], found.advantage[1]]).all()
    assert found.kl[0] == normal_pair(1.0, 1.0, 0.0, 2.0).kl


@pytest.mark.parametrize("variance", [0.0, -1.0, np.inf])
def test_a_law_without_a_density_is_refused(variance):
    with pytest.raises(InputError, match="variance0"):
        normal_pair(0.0, 1.0, 0.0, variance)
