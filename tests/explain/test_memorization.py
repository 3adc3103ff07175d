import numpy as np
import pytest

from vestige.core.errors import InputError
from vestige.data.membership import independent, paired
from vestige.explain.memorization import memorization


def test_it_equals_the_difference_of_two_means_and_welchs_error():
    coins = independent(12, 30, 1)
    outcomes = np.random.default_rng(0).random((12, 30))
    found = memorization(outcomes, coins)
    for i in range(30):
        one, other = outcomes[coins.mask[:, i], i], outcomes[~coins.mask[:, i], i]
        assert found.values[i] == pytest.approx(one.mean() - other.mean())
        error = np.nan
        if min(len(one), len(other)) > 1:
            error = np.sqrt(one.var(ddof=1) / len(one) + other.var(ddof=1) / len(other))
        assert found.standard_error[i] == pytest.approx(error, nan_ok=True)
        assert (found.models_in[i], found.models_out[i]) == (len(one), len(other))


def test_without_memorization_the_standard_error_is_that_of_the_estimate():
    coins = paired(20, 4000, 0)
    right = np.random.default_rng(1).random((20, 4000)) < 0.6
    found = memorization(right, coins.mask)
    assert abs(found.values.mean()) < 0.01
    assert np.std(found.values) == pytest.approx(np.sqrt((found.standard_error**2).mean()), rel=0.05)


def test_what_only_trained_models_know_is_memorized():
    coins = paired(8, 5, 0)
    assert (memorization(coins.mask, coins).values == 1).all()
    assert (memorization(~coins.mask, coins).values == -1).all()


def test_a_side_without_models_is_unknown():
    mask = np.array([[1, 0, 1], [1, 1, 0]], bool)
    found = memorization(np.ones((2, 3)), mask)
    np.testing.assert_array_equal(np.isnan(found.values), [True, False, False])
    assert np.isnan(found.standard_error).all()


def test_bad_input_is_told():
    with pytest.raises(InputError, match="membership has shape"):
        memorization(np.ones((3, 4)), np.ones((3, 5), bool))
