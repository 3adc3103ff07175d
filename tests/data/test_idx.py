import gzip
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vestige.core.errors import InputError
from vestige.data import idx


def encoded(array):
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.tobytes()


@given(array=hnp.arrays(np.uint8, hnp.array_shapes(min_dims=1, max_dims=4)), compress=st.booleans())
def test_round_trip(tmp_path_factory, array, compress):
    path = tmp_path_factory.mktemp("idx") / ("a.gz" if compress else "a")
    path.write_bytes(gzip.compress(encoded(array)) if compress else encoded(array))
    np.testing.assert_array_equal(idx.read(path), array)


def test_pair_gets_a_channel(tmp_path):
    images = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
    (tmp_path / "i").write_bytes(encoded(images))
    (tmp_path / "l").write_bytes(encoded(np.array([1, 0], np.uint8)))
    pixels, labels = idx.read_pair(tmp_path / "i", tmp_path / "l")
    assert pixels.shape == (2, 1, 3, 4)
    np.testing.assert_array_equal(pixels[:, 0], images)
    np.testing.assert_array_equal(labels, [1, 0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c[:-1], "takes 20 bytes, the file has 19"),
        (lambda c: c + b"x", "takes 20 bytes, the file has 21"),
        (lambda c: b"\1" + c[1:], "not an IDX file"),
        (lambda c: c[:2] + b"\x0d" + c[3:], "not an IDX file"),
        (lambda c: c[:7], "truncated"),
        (lambda c: b"", "not an IDX file"),
    ],
)
def test_damage_is_named(tmp_path, change, message):
    path = tmp_path / "file"
    path.write_bytes(change(encoded(np.zeros((2, 4), np.uint8))))
    with pytest.raises(InputError, match=message):
        idx.read(path)


def test_truncated_gzip_is_named(tmp_path):
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(encoded(np.arange(100, dtype=np.uint8)))[:-20])
    with pytest.raises(InputError, match=r"file\.gz is not a whole gzip file"):
        idx.read(path)


def test_counts_must_agree(tmp_path):
    (tmp_path / "i").write_bytes(encoded(np.zeros((2, 3, 4), np.uint8)))
    (tmp_path / "l").write_bytes(encoded(np.zeros(3, np.uint8)))
    with pytest.raises(InputError, match=r"2 images.*3 labels"):
        idx.read_pair(tmp_path / "i", tmp_path / "l")
