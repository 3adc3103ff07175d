import numpy as np
import pytest

from vestige.core.errors import InputError
from vestige.data.dataset import Dataset, Normalization


def make(**changes):
    fields = {
        "inputs": np.ones((4, 3), np.float32),
        "targets": np.array([0, 1, 0, 1]),
        "num_classes": 2,
        "name": "t",
    }
    return Dataset(**{**fields, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"targets": np.array([0, 1, 2, 1])}, "0 to 2, outside 0..1"),
        ({"targets": np.array([0, -1, 0, 1])}, "-1 to 1"),
        ({"targets": np.array([0, 1, 0])}, "4 rows and targets 3"),
        ({"targets": np.array([1, 1, 1, 1])}, "every label is 1"),
        ({"inputs": np.array([[0.0], [1], [np.nan], [2]], np.float32)}, "row 2 holds NaN"),
        ({"inputs": np.zeros((0, 3), np.float32), "targets": np.zeros(0, int)}, "0 samples"),
    ],
)
def test_bad_data_is_refused_by_name(changes, message):
    with pytest.raises(InputError, match=message):
        make(**changes)


def test_bytes_become_normalized_floats():
    pixels = np.arange(4 * 2 * 3 * 3, dtype=np.uint8).reshape(4, 2, 3, 3)
    mean, std = np.array([0.1, 0.2]), np.array([0.5, 0.25])
    data = make(inputs=pixels, normalization=Normalization(tuple(mean), tuple(std)))
    expected = (pixels / 255 - mean[:, None, None]) / std[:, None, None]
    np.testing.assert_allclose(data.as_floats(), expected, atol=1e-6)
    np.testing.assert_allclose(make(inputs=pixels).as_floats(), pixels / 255, atol=1e-6)


def test_selected_samples_keep_their_rows_in_the_users_file():
    chosen = make().select(np.array([3, 0])).select(np.array([0, 1]))
    assert chosen.ids.tolist() == [3, 0]
    assert chosen.targets.tolist() == [1, 0]


def test_the_fingerprint_sees_labels_inputs_and_normalization():
    inputs = np.ones((4, 3), np.float32)
    inputs[3, 2] = 2
    prints = {
        make().fingerprint(),
        make(inputs=inputs).fingerprint(),
        make(targets=np.array([0, 1, 1, 1])).fingerprint(),
        make(normalization=Normalization((0.5,), (1.0,))).fingerprint(),
    }
    assert len(prints) == 4
    assert make(name="other").fingerprint() == make().fingerprint()
