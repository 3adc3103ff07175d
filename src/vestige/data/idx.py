"""The IDX format of MNIST and Fashion-MNIST."""

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from vestige.core.errors import InputError

UNSIGNED_BYTE = 8  # type code in the third byte of the magic number


def read(path: Path) -> UInt8[np.ndarray, "..."]:
    """The array of bytes in an IDX file, plain or gzip-compressed, with the shape that its header gives.

    Raises InputError for a wrong magic number, another element type, or a length other than the header's.
    """
    content = _content(path)
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != UNSIGNED_BYTE:
        raise InputError(
            f"{path} is not an IDX file of bytes: expected 00 00 08 first, found {content[:3].hex(' ')}"
        )
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise InputError(f"{path} is truncated: its header takes {start} bytes, the file has {len(content)}")
    shape = struct.unpack(f">{content[3]}I", content[4:start])
    expected = start + int(np.prod(shape, dtype=np.int64))
    if len(content) != expected:
        raise InputError(
            f"{path} is damaged: shape {shape} takes {expected:,} bytes, the file has {len(content):,}; "
            "fetch it again"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def read_pair(
    images: Path, labels: Path
) -> tuple[UInt8[np.ndarray, "samples channels height width"], UInt8[np.ndarray, "samples"]]:
    """Images with one channel, and their labels, from the two files of a data set."""
    pixels, classes = read(images), read(labels)
    if pixels.ndim != 3 or classes.ndim != 1:
        raise InputError(f"{images}, {labels}: expected 3 and 1 axes, found {pixels.ndim} and {classes.ndim}")
    if len(pixels) != len(classes):
        raise InputError(f"{images} holds {len(pixels)} images and {labels} holds {len(classes)} labels")
    return pixels[:, None], classes


def _content(path: Path) -> bytes:
    if path.suffix != ".gz":
        return path.read_bytes()
    try:
        return gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} is not a whole gzip file: {error}; fetch it again") from error
