import numpy as np
import pytest

from vestige.core.errors import InputError
from vestige.explain.precision import precision_at_top


def test_it_equals_counting_the_first_records():
    random = np.random.default_rng(0)
    ranking, members = random.random(300), random.random(300) < 0.2
    for found in precision_at_top(ranking, members):
        first = np.argsort(-ranking)[: found.records]
        assert found.precision.value == pytest.approx(members[first].mean())
        assert found.recall == pytest.approx(members[first].sum() / members.sum())
        assert found.chance == pytest.approx(members.mean())
        assert found.precision.low <= found.precision.value <= found.precision.high
    assert [f.records for f in precision_at_top(ranking, members)] == [3, 15, 30]


def test_ties_count_as_the_mean_over_their_orders():
    random = np.random.default_rng(1)
    ranking = random.integers(0, 4, 60).astype(float)
    members = random.random(60) < 0.4
    (found,) = precision_at_top(ranking, members, (0.3,))
    orders = [np.argsort(-(ranking + 0.5 * random.random(60)))[:18] for _ in range(4000)]
    assert found.precision.value == pytest.approx(np.mean([members[o].mean() for o in orders]), abs=0.01)


def test_a_random_ranking_hits_at_the_chance_level_and_its_interval_covers_it():
    random = np.random.default_rng(2)
    members = np.arange(500) < 60
    found = [precision_at_top(random.random(500), members, (0.1,))[0] for _ in range(300)]
    assert np.mean([f.precision.value for f in found]) == pytest.approx(0.12, abs=0.01)
    assert np.mean([f.precision.low <= 0.12 <= f.precision.high for f in found]) > 0.94


def test_the_right_ranking_reaches_the_ceiling_and_its_reverse_nothing():
    members = np.arange(200) < 10
    best, reverse = (
        precision_at_top(values, members, (0.05, 0.1)) for values in (-np.arange(200), np.arange(200))
    )
    assert [f.precision.value for f in best] == [f.ceiling for f in best] == [1, 0.5]
    assert [f.precision.value for f in reverse] == [0, 0]


def test_only_the_ranked_among_the_asked_count():
    ranking = np.array([9.0, 8, np.nan, 6, 5, 4])
    members = [False, True, True, False, True, False]
    among = [False, True, True, True, True, True]
    (found,) = precision_at_top(ranking, members, (0.5,), among=among)
    assert (found.records, found.precision.value, found.chance) == (2, 0.5, 0.5)


def test_bad_input_is_told():
    with pytest.raises(InputError, match="2 entries for 3 samples"):
        precision_at_top([1, 2, 3], [0, 1])
    with pytest.raises(InputError, match="shares: 0 must"):
        precision_at_top([1, 2, 3], [0, 1, 0], (0,))
    with pytest.raises(InputError, match="none of the 3 ranked"):
        precision_at_top([1, 2, 3], [0, 0, 0])
