import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vestige.core.errors import InputError
from vestige.explain.traces import cumulative_loss, learning_time, trace_iqr


def test_the_range_is_the_upper_less_the_lower_quartile():
    random = np.random.default_rng(0)
    losses = random.exponential(size=(9, 5))
    ordered = np.sort(losses, axis=0)
    np.testing.assert_allclose(trace_iqr(losses), ordered[6] - ordered[2])


@settings(max_examples=25, deadline=None)
@given(shift=st.floats(-5, 5), scale=st.floats(0.1, 9), seed=st.integers(0, 99))
def test_the_range_ignores_the_level_and_follows_the_scale(shift, scale, seed):
    losses = np.random.default_rng(seed).random((7, 4))
    np.testing.assert_allclose(trace_iqr(scale * losses + shift), scale * trace_iqr(losses), atol=1e-12)


def test_records_learned_late_rank_above_those_learned_at_once():
    time = np.arange(12)[:, None]
    losses = np.where(time < np.array([1, 6, 12]), 2.0, 0.01)  # at once, late, never
    spread = trace_iqr(losses)
    assert spread[1] > spread[0]
    assert spread[2] == 0  # never learned, so nothing was memorized
    np.testing.assert_array_equal(np.argsort(cumulative_loss(losses)), [0, 1, 2])
    np.testing.assert_array_equal(learning_time(losses < 1), [1, 6, 12])
    np.testing.assert_array_equal(learning_time(losses < 1, 2 * np.arange(12)), [2, 12, 23])


def test_the_sum_is_a_sum():
    assert cumulative_loss([[1, 2], [3, 4], [5, 6]]).tolist() == [9, 12]


def test_bad_input_is_told():
    with pytest.raises(InputError, match="at least 2"):
        trace_iqr([[1.0, 2.0]])
    with pytest.raises(InputError, match="checkpoints, samples"):
        cumulative_loss([1.0, 2.0])
    with pytest.raises(InputError, match="other than 0 and 1"):
        learning_time([[0.5], [1.0]])
    with pytest.raises(InputError, match="must increase"):
        learning_time([[0], [1]], [3, 3])
