import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestige.core.errors import InputError
from vestige.risk.selection import Candidate, front, winners


def candidates(points):
    return [Candidate(name=str(i), mechanism="m", accuracy=a, leakage=b) for i, (a, b) in enumerate(points)]


def test_the_front_by_hand():
    points = [(0.9, 0.5), (0.8, 0.2), (0.85, 0.5), (0.7, 0.2), (0.6, 0.1)]
    assert front(candidates(points)) == ("0", "1", "4")


def test_equal_candidates_do_not_beat_each_other():
    assert front(candidates([(0.5, 0.5), (0.5, 0.5)])) == ("0", "1")


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=20))
def test_every_candidate_is_on_the_front_or_beaten_by_one_there(points):
    found = [int(name) for name in front(candidates([(a / 9, b / 9) for a, b in points]))]
    for i, (a, b) in enumerate(points):
        beaten = any(points[j][0] >= a and points[j][1] <= b and points[j] != (a, b) for j in found)
        assert beaten != (i in found)
    leaks = [points[i][1] for i in found]
    assert leaks == sorted(leaks, reverse=True)


def test_winners_keep_the_budget_strictly_and_name_mechanisms_without_one():
    rows = [
        Candidate(name="crop:1", mechanism="crop", accuracy=0.9, leakage=0.3),
        Candidate(name="crop:4", mechanism="crop", accuracy=0.81, leakage=0.1),
        Candidate(name="crop:8", mechanism="crop", accuracy=0.5, leakage=0.0),
        Candidate(name="dp", mechanism="dp", accuracy=0.4, leakage=0.0),
    ]
    tight, wide = winners(rows, 0.9, 0.1), winners(rows, 0.9, 0.25)
    assert tight["crop"].name == "crop:1"
    assert wide["crop"].name == "crop:4"
    assert tight["dp"] is None
    with pytest.raises(InputError, match="drop"):
        winners(rows, 0.9, 1.0)
