import csv
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vestige.core.errors import InputError
from vestige.data import bits
from vestige.data.benchmarks import LOCATION30, PURCHASE100, TEXAS100


def write(path, labels, values, quote=False, newline="\n", last_newline=True):
    mark = '"' if quote else ""
    lines = [",".join([f"{mark}{y}{mark}", *map(str, row)]) for y, row in zip(labels, values, strict=True)]
    path.write_bytes((newline.join(lines) + (newline if last_newline else "")).encode())


def slow_twin(path):
    with path.open(newline="") as handle:
        rows = [list(map(int, row)) for row in csv.reader(handle)]
    return np.array([r[1:] for r in rows], np.float32), np.array([r[0] - 1 for r in rows])


@given(
    values=hnp.arrays(np.int8, st.tuples(st.integers(1, 9), st.integers(1, 7)), elements=st.integers(0, 1)),
    labels=st.lists(st.integers(1, 123), min_size=9, max_size=9),
    quote=st.booleans(),
    newline=st.sampled_from(["\n", "\r\n"]),
    last_newline=st.booleans(),
)
def test_agrees_with_the_csv_module(tmp_path_factory, values, labels, quote, newline, last_newline):
    path = tmp_path_factory.mktemp("bits") / "file"
    write(path, labels[: len(values)], values, quote, newline, last_newline)
    for found, expected in zip(bits.read_labeled(path), slow_twin(path), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_official_shapes(tmp_path):
    rng = np.random.default_rng(0)
    for benchmark, quote in ((LOCATION30, True), (PURCHASE100, False)):
        features, classes = benchmark.shape[0], benchmark.classes
        values, labels = rng.integers(0, 2, (60, features)), rng.integers(1, classes + 1, 60)
        write(tmp_path / "file", labels, values, quote)
        dataset = benchmark.read([tmp_path / "file"], benchmark)
        np.testing.assert_array_equal(dataset.inputs, values)
        np.testing.assert_array_equal(dataset.targets, labels - 1)
        assert (dataset.num_classes, dataset.inputs.dtype) == (classes, np.float32)


def test_texas_comes_in_two_files(tmp_path):
    values = np.random.default_rng(1).integers(0, 2, (5, TEXAS100.shape[0]))
    (tmp_path / "feats").write_text("".join(",".join(map(str, row)) + "\n" for row in values))
    (tmp_path / "labels").write_text("100\n1\n2\n2\n50\n")
    dataset = TEXAS100.read([tmp_path / "feats", tmp_path / "labels"], TEXAS100)
    np.testing.assert_array_equal(dataset.inputs, values)
    np.testing.assert_array_equal(dataset.targets, [99, 0, 1, 1, 49])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,0,1\n2,0\n", "line 2"),
        ("1,0,1\n2,0,1,1\n", "line 2"),
        ("1,0,1\n2,0,7\n", "line 2"),
        ("1,0,1\n2,0;1\n", "line 2"),
        ("1,0,1\n2,0,", "line 2"),
        ("1,0,1\nx,0,1\n", "line 2: label 'x'"),
        ("1,0,1\n0,0,1\n", "line 2: label '0'"),
        ("1,0,1\n\n", "line 2"),
        ("5\n6\n", "line 1"),
        ("", "empty"),
    ],
)
def test_first_bad_line_is_named(tmp_path, text, message):
    (tmp_path / "file").write_text(text)
    with pytest.raises(InputError, match=message):
        bits.read_labeled(tmp_path / "file")


def test_unlabeled_lines_have_one_width(tmp_path):
    (tmp_path / "feats").write_text("0,1,1\n1,0,1,1\n")
    with pytest.raises(InputError, match="line 2"):
        bits.read_unlabeled(tmp_path / "feats")


def test_a_file_of_the_size_of_location30_reads_in_two_seconds(tmp_path):
    values = np.random.default_rng(2).integers(0, 2, (5010, 446), dtype=np.uint8)
    write(tmp_path / "file", [7] * len(values), values, quote=True)
    start = time.process_time()
    found, _ = bits.read_labeled(tmp_path / "file")
    assert time.process_time() - start < 2
    np.testing.assert_array_equal(found, values)
