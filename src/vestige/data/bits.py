"""Text files of binary records: Location30, Purchase100 and Texas100 (Shokri et al. 2017)."""

from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int64, Integer, UInt8

from vestige.core.errors import InputError

NEWLINE, COMMA, ZERO, RETURN = b"\n,0\r"
CHUNK = 512  # lines compared at once, to bound the memory of the index array


def read_labeled(path: Path) -> tuple[Float32[np.ndarray, "samples features"], Int64[np.ndarray, "samples"]]:
    """Records of lines `label,bit,bit,...` and their classes from 0; the file counts labels from 1.

    Labels may stand in quotation marks. Raises InputError that names the first line of another form.
    """
    text, starts, ends = _lines(path)
    features = int(np.count_nonzero(text[: ends[0]] == COMMA))
    bits = _bits(path, text, starts, ends, features)
    labels = [bytes(text[a : b - 2 * features]) for a, b in zip(starts, ends, strict=True)]
    return bits, _from_one(path, labels)


def read_unlabeled(path: Path) -> Float32[np.ndarray, "samples features"]:
    """Records of lines `bit,bit,...`; raises InputError that names the first line of another form."""
    text, starts, ends = _lines(path)
    features = int(np.count_nonzero(text[: ends[0]] == COMMA)) + 1
    bits = _bits(path, text, starts, ends, features)
    longer = np.flatnonzero(ends - starts != 2 * features - 1)
    if len(longer):
        raise _malformed(path, int(longer[0]), features)
    return bits


def read_labels(path: Path) -> Int64[np.ndarray, "samples"]:
    """Classes from 0, of a file with one label from 1 per line."""
    return _from_one(path, path.read_bytes().split())


def _lines(
    path: Path,
) -> tuple[UInt8[np.ndarray, "bytes"], Integer[np.ndarray, "samples"], Integer[np.ndarray, "samples"]]:
    text = np.fromfile(path, np.uint8)
    if len(text) == 0:
        raise InputError(f"{path} is empty; fetch it again")
    ends = np.flatnonzero(text == NEWLINE)
    if text[-1] != NEWLINE:
        ends = np.append(ends, len(text))
    starts = np.append(0, ends[:-1] + 1)
    ends = ends - (text[np.maximum(ends - 1, 0)] == RETURN)
    return text, starts, ends


def _bits(
    path: Path,
    text: UInt8[np.ndarray, "bytes"],
    starts: Integer[np.ndarray, "samples"],
    ends: Integer[np.ndarray, "samples"],
    features: int,
) -> Float32[np.ndarray, "samples features"]:
    """The digits 0 and 1 at the end of each line, which have one width in every line."""
    width = 2 * features - 1
    short = np.flatnonzero(ends - starts < width)
    if features < 1 or len(short):
        raise _malformed(path, int(short[0]) if len(short) else 0, features)
    bits = np.empty((len(ends), features), np.float32)
    for first in range(0, len(ends), CHUNK):
        tail = text[(ends[first : first + CHUNK] - width)[:, None] + np.arange(width)]
        digits = tail[:, ::2] - ZERO
        wrong = np.flatnonzero((digits > 1).any(1) | (tail[:, 1::2] != COMMA).any(1))
        if len(wrong):
            raise _malformed(path, first + int(wrong[0]), features)
        bits[first : first + CHUNK] = digits
    return bits


def _from_one(path: Path, labels: list[bytes]) -> Int64[np.ndarray, "samples"]:
    words = [label.strip(b'" ') for label in labels]
    for line, word in enumerate(words):
        if not word.isdigit() or int(word) < 1:
            raise InputError(
                f"{path} line {line + 1}: label {word.decode(errors='replace')!r} must be an integer from 1"
            )
    return np.array(words, dtype="S").astype(np.int64) - 1


def _malformed(path: Path, line: int, features: int) -> InputError:
    return InputError(
        f"{path} line {line + 1} does not hold {features} comma-separated digits 0 or 1 like line 1; "
        "fetch the file again"
    )
