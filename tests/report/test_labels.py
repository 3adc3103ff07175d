"""Names in figures stand apart from one another and from every point."""

import numpy as np
import pytest

from vestige.report.labels import HEIGHT, LETTER, POINT, beside, folded

SIZE = (700.0, 400.0)


def boxes(points, names, places):
    for point, name, place in zip(points, names, places, strict=True):
        if place is not None:
            middle, half = point + np.array(place), np.array([LETTER * len(name), HEIGHT]) / 2
            yield np.concatenate([middle - half, middle + half])


def apart(one, other):
    return one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


@pytest.mark.parametrize("spread", [0.0, 3.0, 30.0])
def test_names_of_crowded_points_hide_no_other_name_and_no_point(spread):
    rng = np.random.default_rng(0)
    points = np.array([350.0, 200.0]) + spread * rng.normal(size=(14, 2))
    names = [f"layer{n}..layer{n + 3}" for n in range(14)]
    places = beside(points, names, SIZE)
    assert sum(place is not None for place in places) >= 12
    drawn = list(boxes(points, names, places))
    dots = [np.concatenate([point - POINT, point + POINT]) for point in points]
    for number, one in enumerate(drawn):
        assert all(apart(one, other) for other in (*drawn[:number], *dots))
        assert min(one) >= 0
        assert all(one[2:] <= SIZE)


def test_a_name_without_room_is_left_out_and_an_empty_one_too():
    assert beside(np.array([[50.0, 50.0]]), ["x" * 99], (100.0, 100.0)) == [None]
    assert beside(np.array([[50.0, 50.0]]), [""], (100.0, 100.0)) == [None]


@pytest.mark.parametrize(
    ("name", "length", "lines"),
    [
        ("Rewinding to epoch 0", 12, "Rewinding to<br>epoch 0"),
        ("Routing", 4, "Routing"),
        ("label_smoothing:0.1+dropout:0.5", 20, "label_smoothing:0.1+<br>dropout:0.5"),
        ("a/b", 9, "a/b"),
    ],
)
def test_names_are_folded_where_they_can_be_broken(name, length, lines):
    assert folded(name, length) == lines
