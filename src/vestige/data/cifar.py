"""The binary version of CIFAR-10 and CIFAR-100."""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from vestige.core.errors import InputError

IMAGE = (3, 32, 32)
PIXELS = 3 * 32 * 32


def read(
    paths: list[Path], label_bytes: int, num_classes: int
) -> tuple[UInt8[np.ndarray, "samples 3 32 32"], UInt8[np.ndarray, "samples"]]:
    """Images and labels of the files in order.

    label_bytes: 1 for CIFAR-10; 2 for CIFAR-100, where the coarse class precedes the fine one, which is
    the one returned.

    Raises InputError for a file that is not a whole number of records or holds a label out of range.
    """
    parts = [_records(path, label_bytes, num_classes) for path in paths]
    records = parts[0] if len(parts) == 1 else np.concatenate(parts)
    images = np.ascontiguousarray(records[:, label_bytes:]).reshape(-1, *IMAGE)
    return images, records[:, label_bytes - 1].copy()


def class_names(path: Path) -> tuple[str, ...]:
    """The class names of a text file beside the records; none where it is absent."""
    return tuple(path.read_text(encoding="utf-8").split()) if path.is_file() else ()


def _records(path: Path, label_bytes: int, num_classes: int) -> UInt8[np.ndarray, "samples bytes"]:
    content = np.fromfile(path, np.uint8)
    width = label_bytes + PIXELS
    if len(content) == 0 or len(content) % width:
        raise InputError(
            f"{path} is damaged: {len(content):,} bytes are not a whole number of {width}-byte records"
        )
    records = content.reshape(-1, width)
    largest = int(records[:, label_bytes - 1].max())
    if largest >= num_classes:
        raise InputError(f"{path} is damaged: it holds the label {largest}, outside 0..{num_classes - 1}")
    return records
