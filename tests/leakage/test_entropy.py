import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from vestige.core.errors import InputError
from vestige.leakage.bisection import largest
from vestige.leakage.entropy import (
    NATS_PER_BIT,
    binary_entropy,
    binary_kl,
    entropy_of_presence,
    inverse_binary_entropy,
)

probabilities = st.floats(0, 1)


@given(probabilities)
def test_entropy_is_that_of_a_two_sided_coin(p):
    assert float(binary_entropy(p)) == pytest.approx(float(stats.entropy([p, 1 - p])), abs=1e-15)


@given(st.floats(0, 0.45))
def test_the_inverse_takes_the_branch_below_one_half(p):
    assert float(inverse_binary_entropy(binary_entropy(p))) == pytest.approx(p, abs=1e-13)


def test_the_inverse_knows_both_ends():
    np.testing.assert_array_equal(inverse_binary_entropy([0.0, NATS_PER_BIT]), [0.0, 0.5])


@given(probabilities, st.floats(1e-6, 1 - 1e-6))
def test_divergence_is_that_of_two_coins(p, q):
    assert float(binary_kl(p, q)) == pytest.approx(float(stats.entropy([p, 1 - p], [q, 1 - q])), abs=1e-14)


def test_divergence_at_the_ends():
    assert binary_kl(0.0, 0.0) == 0
    assert binary_kl(0.3, 0.0) == np.inf
    assert binary_kl(1.0, 0.5) == pytest.approx(NATS_PER_BIT)


def test_shapes_come_back_and_lists_are_fine():
    assert binary_entropy(0.5).shape == ()
    assert binary_kl([[0.1], [0.2]], [0.3, 0.4, 0.5]).shape == (2, 3)
    assert binary_entropy(np.float32([0, 1])).dtype == np.float64


def test_missing_stays_missing():
    assert np.isnan(binary_entropy([np.nan])).all()


@pytest.mark.parametrize("call", [lambda: binary_entropy(1.1), lambda: binary_kl(0.5, -0.1)])
def test_what_is_no_probability_is_refused(call):
    with pytest.raises(InputError, match="probability"):
        call()


def test_an_entropy_above_one_bit_is_refused():
    with pytest.raises(InputError, match=r"h=0\.7"):
        inverse_binary_entropy(0.7)


@pytest.mark.parametrize("prior", [0.0, 1.0, -0.5])
def test_a_certain_record_has_nothing_to_tell(prior):
    with pytest.raises(InputError, match="prior"):
        entropy_of_presence(prior)


def test_bisection_returns_the_ends_where_the_condition_never_changes():
    low, high = np.zeros(3), np.ones(3)
    found = largest(lambda x: x <= np.array([-1.0, 0.25, 2.0]), low, high)
    np.testing.assert_allclose(found, [0.0, 0.25, 1.0], atol=1e-15)
