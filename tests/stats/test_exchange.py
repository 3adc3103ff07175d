import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vestige.stats.exchange import exchange


@given(st.integers(0, 1000), st.integers(1, 3))
def test_exchange_is_where_twice_bit_for_bit(seed, columns):
    random = np.random.default_rng(seed)
    first, second = random.normal(size=(2, 20, columns))
    first[0], second[1], first[2], second[3] = np.nan, np.inf, -0.0, 5e-324
    chosen = random.random((20, 1)) < 0.5
    kept, other = exchange(chosen, first, second)
    assert kept.tobytes() == np.where(chosen, first, second).tobytes()
    assert other.tobytes() == np.where(chosen, second, first).tobytes()
