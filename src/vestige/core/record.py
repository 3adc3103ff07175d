"""Frozen dataclasses as plain data, and the hash of their content."""

import dataclasses
import hashlib
import json
from typing import Any

import numpy as np

LATER = {"later": True}  # metadata of a dataclass field that did not exist from the start


def plain(value: Any) -> Any:
    """The value as JSON types: a dataclass becomes {"type": its name, field: ...}; NaN stays a float.

    A field that was added to a dataclass later, and so carries LATER, is left out while it has its
    default: what was hashed before keeps its hash.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value) if _told(f, value)}
        return {"type": type(value).__name__, **fields}
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return {"array": array_digest(value)}
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"{type(value).__name__} has no plain form, so it cannot be part of a content hash")


def _told(field: "dataclasses.Field[Any]", value: Any) -> bool:
    if "later" not in field.metadata:
        return True
    return getattr(value, field.name) != _usual(field)


def _usual(field: "dataclasses.Field[Any]") -> Any:
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def brief(value: Any) -> str:
    """The value on one line: of a dataclass its name and the fields that are not as usual."""
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return str(value)
    unusual = [f.name for f in dataclasses.fields(value) if getattr(value, f.name) != _usual(f)]
    told = ", ".join(f"{name}={brief(getattr(value, name))}" for name in unusual)
    return f"{type(value).__name__} with {told}" if told else type(value).__name__


def array_digest(array: np.ndarray) -> str:
    """A hash of shape, type and bytes of an array."""
    digest = hashlib.blake2b(f"{array.shape}{array.dtype.str}".encode(), digest_size=20)
    flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    digest.update(flat.data)
    return digest.hexdigest()


def content_hash(value: Any) -> str:
    """40 hexadecimal digits that change when any part of the value changes."""
    text = json.dumps(plain(value), sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=20).hexdigest()
