import json
from dataclasses import dataclass

import numpy as np
import pytest

from vestige.core import check, files, seeds
from vestige.core.errors import InputError, unknown_name
from vestige.core.record import array_digest, content_hash


@dataclass(frozen=True)
class Point:
    x: float
    y: tuple[int, ...] = ()


@dataclass(frozen=True)
class Pixel:
    x: float
    y: tuple[int, ...] = ()


def test_the_content_hash_sees_values_types_and_arrays():
    hashes = {
        content_hash(v)
        for v in (
            Point(1.0),
            Point(1.5),
            Pixel(1.0),
            Point(1.0, (1,)),
            np.zeros(3),
            np.zeros(4),
            np.zeros(3, "f4"),
        )
    }
    assert len(hashes) == 7
    assert content_hash(Point(1.0)) == content_hash(Point(1.0))


def test_the_content_hash_refuses_what_it_cannot_see_into():
    with pytest.raises(TypeError, match="function"):
        content_hash(Point(lambda: 0))  # type: ignore[arg-type]


def test_the_array_digest_sees_one_changed_bit_and_not_the_memory_layout():
    a = np.arange(12.0).reshape(3, 4)
    b = a.copy()
    b[2, 3] = np.nextafter(b[2, 3], 20)
    assert array_digest(a) != array_digest(b)
    assert array_digest(a) == array_digest(np.asfortranarray(a))


def test_seeds_are_split_by_name():
    assert seeds.derive(0, "init", 1) == seeds.derive(0, "init", 1)
    derived = {seeds.derive(s, n, k) for s in range(3) for n in ("init", "noise") for k in range(5)}
    assert len(derived) == 30
    assert all(0 <= d < 2**63 for d in derived)


def write_half(path):
    with files.replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.json"
    files.write_json(path, {"old": 1})
    with pytest.raises(ValueError, match="Out of range"):
        files.write_json(path, {"new": float("nan")})
    with pytest.raises(RuntimeError):
        write_half(path)
    assert json.loads(path.read_text()) == {"old": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_a_misspelt_name_is_answered_with_its_neighbors():
    error = unknown_name("attack", "lira-onlin", ["lira-online", "lira-offline", "loss"])
    assert "lira-online" in str(error)
    assert "known: a, b" in str(unknown_name("attack", "zzz", ["b", "a"]))


@pytest.mark.parametrize(
    "call",
    [
        lambda: check.at_least("n", 1, 2),
        lambda: check.positive("n", 0.0),
        lambda: check.positive("n", float("inf")),
        lambda: check.within("n", 3, 0, 2),
        lambda: check.one_of("n", "c", ("a", "b")),
    ],
)
def test_a_failed_check_names_the_value(call):
    with pytest.raises(InputError, match=r"^n="):
        call()
