import base64
import zlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vestige.report.packing import ALIGNMENT, TYPES, pack, smallest, steps, unpack

COUNTS = arrays(np.int32, st.tuples(st.integers(1, 5), st.integers(1, 7)), elements=st.integers(0, 70_000))


def test_what_is_packed_comes_back():
    given_arrays = {name: np.array([0, 1, 100]).astype(name) for name in TYPES}
    header, found = unpack(pack({"names": ["é<>&"]}, given_arrays))
    assert header == {"names": ["é<>&"]}
    for name, array in given_arrays.items():
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array)


def test_arrays_start_where_a_typed_array_can():
    given_arrays = {
        "odd": np.zeros(3, np.uint8),
        "wide": np.zeros(2, np.float64),
        "n": np.zeros(1, np.uint16),
    }
    whole = zlib.decompress(base64.b64decode(pack({}, given_arrays)))
    start = 4 + int.from_bytes(whole[:4], "little")
    assert start % ALIGNMENT == 0
    assert (len(whole) - start) == 8 + 16 + 2


@given(COUNTS)
def test_steps_add_up_again_modulo_their_type(counts):
    packed = steps(counts)
    again = packed.copy()
    for row in range(1, len(again)):
        again[row] += again[row - 1]
    assert packed.dtype == smallest(counts).dtype
    assert np.array_equal(again, counts)
