"""Arrays and their names as one compressed block of text, for a script in the page to unpack."""

import base64
import json
import struct
import zlib
from typing import Any

import numpy as np
from jaxtyping import Shaped

TYPES = {"uint8": "u1", "uint16": "u2", "uint32": "u4", "int16": "i2", "float32": "f4", "float64": "f8"}
ALIGNMENT = 8  # bytes: typed arrays in the browser must start at a multiple of their item size


def pack(header: dict[str, Any], arrays: dict[str, Shaped[np.ndarray, "..."]]) -> str:
    """Base64 of a zlib stream: length of the header (uint32), the header as JSON, then the arrays.

    The header gains "arrays": the type, the offset in bytes from the start of the arrays and the number of
    items of each; all little-endian.
    """
    places: dict[str, tuple[str, int, int]] = {}
    body = bytearray()
    for name, array in arrays.items():
        body += bytes(-len(body) % ALIGNMENT)
        places[name] = (TYPES[array.dtype.name], len(body), array.size)
        body += np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    described = json.dumps({**header, "arrays": places}, separators=(",", ":"), allow_nan=False).encode()
    described += b" " * (-(4 + len(described)) % ALIGNMENT)
    whole = struct.pack("<I", len(described)) + described + bytes(body)
    return base64.b64encode(zlib.compress(whole, 9)).decode()


def unpack(text: str) -> tuple[dict[str, Any], dict[str, Shaped[np.ndarray, "..."]]]:
    """The header and the arrays that `pack` wrote."""
    whole = zlib.decompress(base64.b64decode(text))
    start = 4 + struct.unpack_from("<I", whole)[0]
    header = json.loads(whole[4:start])
    names = {code: name for name, code in TYPES.items()}
    arrays = {
        name: np.frombuffer(whole, np.dtype(names[code]).newbyteorder("<"), count, start + offset)
        for name, (code, offset, count) in header.pop("arrays").items()
    }
    return header, arrays


def smallest(values: Shaped[np.ndarray, "..."]) -> Shaped[np.ndarray, "..."]:
    """Counts from 0 on in the smallest unsigned type that holds them."""
    return values.astype(np.min_scalar_type(int(values.max(initial=0))))


def steps(values: Shaped[np.ndarray, "checkpoints samples"]) -> Shaped[np.ndarray, "checkpoints samples"]:
    """Counts as changes from checkpoint to checkpoint, modulo their type: records that rest become zeros."""
    small = smallest(values)
    return np.concatenate([small[:1], small[1:] - small[:-1]])
