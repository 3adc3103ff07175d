import numpy as np
import pytest
import torch
from torch.utils.data import TensorDataset

from vestige.core.errors import InputError
from vestige.data import arrays
from vestige.data.dataset import Dataset
from vestige.data.python_source import from_object, from_reference

X = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
Y = np.array([0, 1, 2, 2, 1, 0])


class Pairs:
    """A map-style torch Dataset in all but its base class."""

    def __len__(self):
        return len(Y)

    def __getitem__(self, index):
        return torch.from_numpy(X[index]), int(Y[index])


def make_pair():
    return X, Y


def same(dataset):
    np.testing.assert_array_equal(dataset.inputs, X)
    np.testing.assert_array_equal(dataset.targets, Y)
    assert dataset.num_classes == 3
    return True


@pytest.mark.parametrize(
    "value",
    [
        (X, Y),
        [X, Y],
        (X.tolist(), Y.tolist()),
        (torch.from_numpy(X).requires_grad_(), torch.from_numpy(Y)),
        {"x": X, "y": Y},
        TensorDataset(torch.from_numpy(X), torch.from_numpy(Y)),
        Pairs(),
        Pairs,
        make_pair,
        Dataset(X, Y, 3, "own"),
        lambda: Dataset(X, Y, 3, "own"),
    ],
)
def test_all_forms_give_one_data_set(value):
    assert same(from_object(value))


def test_reference_gives_its_function_name():
    dataset = from_reference("test_array_sources:make_pair")
    assert same(dataset)
    assert dataset.name == "make_pair"


@pytest.mark.parametrize("value", [3, X, "text", None, (X, Y, Y), {1, 2}])
def test_other_values_are_refused(value):
    with pytest.raises(InputError):
        from_object(value)


def test_failing_function_is_reported():
    def broken():
        raise RuntimeError("no disk")

    with pytest.raises(InputError, match="no disk"):
        from_object(broken, "broken")


def test_item_that_is_no_pair_is_named():
    with pytest.raises(InputError, match="item 0 is not a pair"):
        from_object(TensorDataset(torch.from_numpy(X)))


def test_ragged_inputs_are_refused():
    with pytest.raises(InputError, match="one shape"):
        from_object(([[1.0], [1.0, 2.0]], [0, 1]))


def test_images_stay_bytes_and_get_channels_first():
    images = np.random.default_rng(1).integers(0, 256, (6, 8, 9, 3), dtype=np.uint8)
    dataset = arrays.from_arrays(images, Y, "images")
    assert (dataset.shape, dataset.inputs.dtype) == ((3, 8, 9), np.uint8)
    np.testing.assert_array_equal(dataset.inputs[:, 1], images[..., 1])
    assert arrays.from_arrays(images[..., 0], Y, "gray").shape == (1, 8, 9)
    assert arrays.from_arrays(images.transpose(0, 3, 1, 2), Y, "first").shape == (3, 8, 9)
    assert arrays.from_arrays(images / 255, Y, "floats").inputs.dtype == np.float32


def test_a_table_of_bytes_is_no_image():
    dataset = arrays.from_arrays(np.full((6, 3), 2, np.uint8), Y, "table")
    assert dataset.inputs.dtype == np.float32
    assert dataset.inputs.max() == 2


@pytest.mark.parametrize(
    ("labels", "targets", "names"),
    [
        (["b", "a", "b"], [1, 0, 1], ("a", "b")),
        (np.array(["b", "a", "b"], object), [1, 0, 1], ("a", "b")),
        ([True, False, True], [1, 0, 1], ()),
        ([1.0, 0.0, 1.0], [1, 0, 1], ()),
        ([[1], [0], [1]], [1, 0, 1], ()),
        (np.array([1, 0, 1], np.uint8), [1, 0, 1], ()),
    ],
)
def test_labels_of_every_kind(labels, targets, names):
    dataset = arrays.from_arrays(X[:3], labels, "kinds")
    np.testing.assert_array_equal(dataset.targets, targets)
    assert (dataset.num_classes, dataset.class_names) == (2, names)


@pytest.mark.parametrize(
    ("inputs", "labels", "message"),
    [
        (X, Y[:5], "6 rows and labels 5"),
        (X[:, 0], Y, r"shape \(6,\)"),
        (X, np.eye(6), "not one-hot"),
        (X, [0, 1, 2, 0.5, 1, 0], "label of row 3 is 0.5"),
        (X, [0, 1, np.nan, 0, 1, 0], "label of row 2"),
        (X, [0, 1, 2, 1000, 1, 0], "labels reach 1000 with 6 samples"),
        (X, [0, 1, -1, 1, 1, 0], "renumber"),
        (X, [1, 1, 1, 1, 1, 1], "every label is 1"),
        (X.astype(str), Y, "give numbers"),
        (np.abs(X).astype(float) * 1e300, Y, "NaN or infinity"),
        (np.where(np.arange(6)[:, None] == 4, np.nan, X), Y, "row 4 holds NaN"),
        (X[:0], Y[:0], "0 rows"),
    ],
)
def test_bad_arrays_are_named(inputs, labels, message):
    with np.errstate(over="ignore"), pytest.raises(InputError, match=message):
        arrays.from_arrays(inputs, labels, "bad")


@pytest.mark.parametrize(
    "keys", [("inputs", "labels"), ("x", "y"), ("X", "y"), ("data", "targets"), ("x_train", "y_train")]
)
def test_npz_keys(tmp_path, keys):
    np.savez(tmp_path / "mine.npz", **dict(zip(keys, (X, Y), strict=True)))
    dataset = arrays.read_npz(tmp_path / "mine.npz")
    assert same(dataset)
    assert dataset.name == "mine"


def test_npz_label_key_can_be_named(tmp_path):
    np.savez(tmp_path / "a.npz", inputs=X, labels=np.zeros(6), coarse=Y)
    assert same(arrays.read_npz(tmp_path / "a.npz", "coarse"))


def test_npz_with_unknown_keys_lists_them(tmp_path):
    np.savez(tmp_path / "a.npz", foo=X, bar=Y)
    with pytest.raises(InputError, match="foo, bar"):
        arrays.read_npz(tmp_path / "a.npz")


def test_npz_is_never_unpickled(tmp_path):
    np.savez(tmp_path / "a.npz", inputs=np.array([object()] * 6), labels=Y)
    with pytest.raises(InputError, match="not unpickled"):
        arrays.read_npz(tmp_path / "a.npz")


@pytest.mark.parametrize(
    "damage",
    [lambda c: c[: len(c) // 2], lambda c: b"", lambda c: b"text", lambda c: c[:200] + b"!!!!" + c[204:]],
)
def test_damaged_npz_is_named(tmp_path, damage):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, inputs=X, labels=Y)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=r"a\.npz cannot be read"):
        arrays.read_npz(path)
