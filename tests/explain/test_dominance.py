import numpy as np
import pytest
from scipy.special import ndtr

from vestige.explain.dominance import dominance


def test_dominance_equals_counting_pairs():
    random = np.random.default_rng(0)
    one, other = (random.integers(0, 9, size).astype(float) for size in (12, 31))
    pairs = np.sign(one[:, None] - other[None])
    assert dominance(one, other).value == pytest.approx(pairs.mean())
    assert dominance(other, one).value == pytest.approx(-pairs.mean())


@pytest.mark.parametrize(
    ("shift", "spread", "size"),
    [(0, 1, 9), (1, 1, 9), (3, 1, 9), (1, 1, 60), (3, 1, 60), (1, 2, 9), (2, 2, 60)],
)
def test_the_interval_covers_the_truth(shift, spread, size):
    random = np.random.default_rng(2)
    truth = 2 * ndtr(shift / np.sqrt(1 + spread**2)) - 1
    covered = []
    for _ in range(300):
        found = dominance(spread * random.standard_normal(size) + shift, random.standard_normal(300))
        covered.append(found.low <= truth <= found.high)
    assert np.mean(covered) > 0.9


def test_the_interval_turns_with_the_sides():
    random = np.random.default_rng(4)
    one, other = random.standard_normal(7) + 1, random.standard_normal(40)
    found, turned = dominance(one, other), dominance(other, one)
    assert (found.low, found.high) == pytest.approx((-turned.high, -turned.low))


def test_total_dominance_keeps_a_bound_that_widens_with_few_records():
    few, many = (dominance(np.full(size, 2.0) + np.arange(size), np.zeros(50)) for size in (5, 40))
    assert few.value == many.value == few.high == 1
    assert 0 < few.low < many.low < 1
    below = dominance(np.zeros(50), np.arange(1.0, 6))
    assert (below.value, below.low) == (-1, -1)
    assert below.high == pytest.approx(-few.low)


def test_equal_values_dominate_nothing():
    found = dominance(np.ones(6), np.ones(30))
    assert found.value == 0
    assert found.low < 0 < found.high
