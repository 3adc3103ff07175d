import numpy as np
import pytest

from vestige.report.pictures import FEATURES, LARGEST, as_bytes, pictures

ORDER = np.arange(50)[::-1].copy()


def test_the_most_exposed_come_first_and_the_budget_holds():
    images = np.arange(50 * 12, dtype=np.uint16).reshape(50, 3, 2, 2).astype(np.uint8)
    described, found = pictures(images, ORDER, exposed=5, budget=12 * 8)
    assert described == {"kind": "image", "shape": [3, 2, 2]}
    assert found["pictured"].tolist()[:5] == [49, 48, 47, 46, 45]
    assert len(found["pictured"]) == len(set(found["pictured"].tolist())) == 8
    assert np.array_equal(found["pixels"], images[found["pictured"]])
    again = pictures(images, ORDER, exposed=5, budget=12 * 8)[1]["pictured"]
    assert np.array_equal(again, found["pictured"])


def test_a_few_far_values_do_not_dim_the_others():
    images = np.tile(np.linspace(-2, 2, 16), 50).reshape(50, 4, 4).astype(np.float32)
    usual = as_bytes(images[:, None], np.arange(50))
    images[0, 0, 0], images[1, 0, 0] = 400, -400
    seen = as_bytes(images[:, None], np.arange(50))
    np.testing.assert_array_equal(seen[2:], usual[2:])
    assert seen[0, 0, 0, 0] == 255
    assert seen[1, 0, 0, 0] == 0


def test_floats_become_bytes_over_nearly_their_whole_range():
    images = np.linspace(-2, 2, 50 * 16).reshape(50, 4, 4).astype(np.float32)
    described, found = pictures(images, ORDER, exposed=50)
    assert described["shape"] == [1, 4, 4]
    assert found["pixels"].min() == 0
    assert found["pixels"].max() == 255
    back = found["pixels"] / 255 * 4 - 2
    assert np.abs(back[:, 0] - images[found["pictured"]]).max() < 0.03  # half a percent at each end


def test_flat_pictures_need_their_shape_and_large_ones_are_thinned():
    flat = np.zeros((50, 100 * 200), np.uint8)
    described, _ = pictures(flat, ORDER, exposed=3, image_shape=(1, 100, 200))
    assert described["kind"] == "image"
    assert max(described["shape"]) <= LARGEST
    assert pictures(flat[:, :30], ORDER, exposed=3)[0]["kind"] == "row"


def test_rows_show_where_a_record_departs_most():
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((50, 20)) * np.arange(1, 21)
    rows[49, 3] = 1000.0
    rows[:, 7] = 5.0  # never departs
    names = tuple(f"column {i}" for i in range(20))
    described, found = pictures(rows, ORDER, exposed=50, feature_names=names)
    assert found["features"].shape == (50, FEATURES)
    assert found["pictured"][0] == 49
    assert found["features"][0, 0] == 3
    assert found["values"][0, 0] == 1000.0
    assert 7 not in found["features"]
    assert described["means"][0] == pytest.approx(rows[:, 0].mean(), rel=1e-3)
    standard = np.abs(rows - rows.mean(0)) / np.where(rows.std(0) > 0, rows.std(0), np.inf)
    for position, kept in zip(found["pictured"], found["features"], strict=True):
        assert set(kept) == set(np.argsort(-standard[position], kind="stable")[:FEATURES])
