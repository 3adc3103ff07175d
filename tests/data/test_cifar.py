import numpy as np
import pytest

from vestige.core.errors import InputError
from vestige.data import cifar
from vestige.data.benchmarks import CIFAR10, CIFAR100


def images(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 3, 32, 32), dtype=np.uint8)


def write(path, *columns):
    rows = [np.asarray(c, np.uint8).reshape(len(columns[-1]), -1) for c in columns]
    path.write_bytes(np.concatenate(rows, 1).tobytes())


def test_cifar10_files_in_order(tmp_path):
    first, second = images(3), images(2, 1)
    write(tmp_path / "a", [3, 0, 9], first)
    write(tmp_path / "b", [1, 1], second)
    pixels, labels = cifar.read([tmp_path / "a", tmp_path / "b"], 1, 10)
    np.testing.assert_array_equal(labels, [3, 0, 9, 1, 1])
    np.testing.assert_array_equal(pixels, np.concatenate([first, second]))


def test_cifar100_uses_the_fine_label(tmp_path):
    folder = tmp_path / "cifar-100-binary"
    folder.mkdir()
    write(folder / "train.bin", [19, 4], [99, 50], images(2))
    (folder / "fine_label_names.txt").write_text("apple\nbear\n")
    dataset = CIFAR100.read([folder / "train.bin"], CIFAR100)
    np.testing.assert_array_equal(dataset.targets, [99, 50])
    np.testing.assert_array_equal(dataset.inputs, images(2))
    assert dataset.class_names == ("apple", "bear")


def test_red_plane_comes_first(tmp_path):
    red = np.zeros((2, 3, 32, 32), np.uint8)
    red[:, 0] = 255
    write(tmp_path / "a", [0, 1], red)
    dataset = CIFAR10.read([tmp_path / "a"], CIFAR10)
    floats = dataset.as_floats()
    expected = [
        (v - m) / s
        for v, m, s in zip((1, 0, 0), CIFAR10.normalization.mean, CIFAR10.normalization.std, strict=True)
    ]
    np.testing.assert_allclose(floats[0, :, 5, 7], expected, rtol=1e-5)


def test_truncated_file_is_named(tmp_path):
    write(tmp_path / "a", [3, 0, 9], images(3))
    (tmp_path / "a").write_bytes((tmp_path / "a").read_bytes()[:-7])
    with pytest.raises(InputError, match="a is damaged: 9,212 bytes"):
        cifar.read([tmp_path / "a"], 1, 10)


def test_label_out_of_range_is_named(tmp_path):
    write(tmp_path / "a", [3, 10], images(2))
    with pytest.raises(InputError, match=r"label 10, outside 0\.\.9"):
        cifar.read([tmp_path / "a"], 1, 10)
