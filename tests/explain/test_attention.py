import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vestige.core.errors import InputError
from vestige.explain.attention import BY_NAME, attention, concentration, normalized, upsampled
from vestige.explain.contrast import contrast


def blob(row, column, height=8, width=8, size=1.0):
    down, across = np.arange(height) - row, np.arange(width) - column
    return np.exp(-(down[:, None] ** 2 + across**2) / (2 * size**2))


def slow_measures(mass):
    """Entropy, offset and central share of one map, cell by cell on a fine grid."""
    height, width = mass.shape
    shares = [(mass[i, j] / mass.sum(), i, j) for i in range(height) for j in range(width)]
    entropy = -sum(p * np.log(p) for p, _, _ in shares if p > 0) / np.log(height * width)
    down = sum(p * (i + 0.5) for p, i, _ in shares) - height / 2
    across = sum(p * (j + 0.5) for p, _, j in shares) - width / 2
    offset = (down**2 + across**2) ** 0.5 / ((height**2 + width**2) ** 0.5 / 2)
    strongest = sorted(shares, reverse=True)[: int(np.ceil(len(shares) / 5))]
    fine = (np.arange(100) + 0.5) / 100
    central = 0.0
    for p, i, j in strongest:
        inside_down = np.mean(((i + fine) / height > 0.25) & ((i + fine) / height < 0.75))
        inside_across = np.mean(((j + fine) / width > 0.25) & ((j + fine) / width < 0.75))
        central += p * inside_down * inside_across
    return entropy, offset, central / sum(p for p, _, _ in strongest)


@pytest.mark.parametrize("shape", [(8, 8), (4, 6), (7, 5), (2, 2), (1, 3)])
def test_the_measures_equal_their_definitions(shape):
    maps = np.random.default_rng(0).random((6, *shape)) ** 3
    found = attention(maps).values
    expected = np.array([slow_measures(one) for one in maps]).T
    for name, values in zip(("entropy", "center_offset", "central_share"), expected, strict=True):
        assert np.allclose(found[name], values, atol=1e-9), name
        assert name in BY_NAME


def test_extremes_of_the_measures():
    point, even = np.zeros((9, 9)), np.ones((9, 9))
    point[4, 4] = 3.0
    corner = np.zeros((9, 9))
    corner[0, 8] = 0.1
    found = attention(np.stack([point, even, corner])).values
    assert found["entropy"] == pytest.approx([0, 1, 0])
    assert found["center_offset"] == pytest.approx([0, 0, 8 / 9])
    assert found["central_share"] == pytest.approx([1, 0.25, 0])


def test_cells_tied_for_the_last_places_share_them():
    row = np.zeros((1, 1, 10))
    row[0, 0, [0, 4, 9]] = [1, 2, 1]
    assert attention(row).values["central_share"] == pytest.approx([2 / 3 / 2])  # a row lies half in the box


def test_a_map_in_the_middle_against_one_in_a_corner():
    middle, corner = attention(np.stack([blob(3.5, 3.5), blob(0, 0)])).values["center_offset"]
    assert middle < 0.01 < 0.6 < corner
    central = attention(np.stack([blob(3.5, 3.5), blob(0, 0)])).values["central_share"]
    assert central[0] > 0.8 > 0.05 > central[1]
    narrow, wide = attention(np.stack([blob(4, 4, size=0.7), blob(4, 4, size=3.0)])).values["entropy"]
    assert narrow < wide


def scattered(samples, seed, off=0.0):
    random = np.random.default_rng(seed)
    places = 3.5 + random.standard_normal((samples, 2)) + off
    return np.stack([blob(*place, size=random.uniform(0.7, 1.5)) for place in places])


def test_sets_that_look_elsewhere_are_told_apart():
    maps = np.concatenate([scattered(25, 0, off=2.0), scattered(100, 1)])
    found = {c.measure: c for c in contrast(attention(maps).values, np.arange(125) < 25, permutations=500)}
    assert found["center_offset"].dominance.low > 0.3
    assert found["central_share"].dominance.high < -0.3
    assert found["center_offset"].p_corrected < 0.01


def test_sets_of_one_law_are_told_apart_at_the_nominal_rate():
    alarms = []
    for seed in range(60):
        values = attention(scattered(60, 100 + seed)).values
        found = contrast(values, np.arange(60) < 15, permutations=99, seed=seed)
        alarms.append(min(c.p_corrected for c in found) <= 0.1)
    assert np.mean(alarms) < 0.22


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(1e-30, 1e30))
def test_scale_turns_and_mirrors_change_nothing(seed, factor):
    maps = np.random.default_rng(seed).integers(0, 4, (3, 5, 6)).astype(float)
    maps[:, 0, 0] += 1
    expected = attention(maps).values
    for other in (maps * factor, maps[:, ::-1], maps[:, :, ::-1], maps.transpose(0, 2, 1)):
        for name, values in attention(other).values.items():
            assert np.allclose(values, expected[name], atol=1e-9), name


def test_maps_of_zeros_are_counted_and_have_no_measure():
    found = attention([[[0, 0], [0, 0]], [[0, 1], [0, 0]], [[0, 0], [0, 0]]])
    assert "2 of 3" in found.notes[0]
    for values in found.values.values():
        assert np.isnan(values).tolist() == [True, False, True]
    single = attention(np.ones((2, 1, 1)))
    assert np.isnan(single.values["entropy"]).all()
    assert single.values["central_share"] == pytest.approx([0.25, 0.25])
    assert "one cell" in single.notes[0]


def test_concentration_of_tables():
    found = concentration(np.array([[0, -4, 0, 0], [1, -1, 1, -1], [4, 1, 2, -1], [0, 0, 0, 0]], np.float32))
    assert found.values["features_for_half"][:3].tolist() == [1, 2, 1]
    assert found.values["entropy"][:2] == pytest.approx([0, 1])
    assert 0 < found.values["entropy"][2] < 1
    assert np.isnan([values[3] for values in found.values.values()]).all()
    assert "1 of 4" in found.notes[0]


def test_half_of_the_mass_is_held_by_the_fewest_features():
    random = np.random.default_rng(2)
    rows = random.standard_normal((40, 9)) ** 3
    found = concentration(rows).values["features_for_half"]
    for row, fewest in zip(np.abs(rows), found.astype(int), strict=True):
        ordered = sorted(row, reverse=True)
        assert sum(ordered[:fewest]) >= row.sum() / 2 > sum(ordered[: fewest - 1])


def test_normalized_maps_run_from_zero_to_one():
    maps = np.stack([blob(1, 1) + 5, np.full((8, 8), 3.0), np.zeros((8, 8))])
    found = normalized(maps)
    assert (found[0].min(), found[0].max()) == (0, 1)
    assert found[0].argmax() == maps[0].argmax()
    assert not found[1:].any()


@pytest.mark.parametrize(
    ("shape", "size"), [((4, 4), (32, 32)), ((2, 3), (7, 5)), ((8, 8), (3, 5)), ((1, 1), (4, 4))]
)
def test_upsampling_is_that_of_torch(shape, size):
    maps = np.random.default_rng(3).standard_normal((5, *shape))
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(maps)[:, None], size, mode="bilinear", align_corners=False
    )
    assert np.allclose(upsampled(maps, *size), expected[:, 0].numpy(), atol=1e-12)


def test_bad_maps_are_refused():
    with pytest.raises(InputError, match=r"maps has shape \(2, 3\)"):
        attention(np.ones((2, 3)))
    with pytest.raises(InputError, match="must be 0 or more"):
        attention(-np.ones((1, 2, 2)))
    with pytest.raises(InputError, match="NaN or infinity"):
        normalized(np.full((1, 2, 2), np.nan))
    with pytest.raises(InputError, match="attributions hold NaN"):
        concentration([[np.inf, 1.0]])
    with pytest.raises(InputError, match="height=0"):
        upsampled(np.ones((1, 2, 2)), 0, 3)
