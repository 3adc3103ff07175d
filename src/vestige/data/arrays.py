"""Data sets from arrays: the user's own, or those of an .npz file."""

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int64, Shaped

from vestige.core.errors import InputError
from vestige.data.dataset import Dataset

INPUT_KEYS = ("inputs", "x", "X", "data", "images", "features", "x_train", "X_train")
LABEL_KEYS = ("labels", "y", "Y", "targets", "target", "label", "y_train")
IMAGE_CHANNELS = (1, 3, 4)


def from_arrays(inputs: Any, labels: Any, name: str) -> Dataset:
    """A data set of one row of inputs and one label per sample.

    inputs: [samples ...]. Bytes with 3 axes [samples height width] or 4 axes are images and stay bytes;
    4 axes may be [samples channels height width] or [samples height width channels], told apart by
    1, 3 or 4 channels. All else becomes float32.
    labels: [samples] class indices from 0, booleans, or words, which are numbered in sorted order.

    Raises InputError for other shapes or types, and for what `Dataset` refuses.
    """
    targets, class_names = as_targets(as_array(labels, f"{name}: labels"), name)
    rows = _as_inputs(as_array(inputs, f"{name}: inputs"), name)
    if len(targets) == 0 or len(rows) != len(targets):
        raise InputError(
            f"{name}: inputs has {len(rows)} rows and labels {len(targets)}; give one label per row"
        )
    if targets.max() >= max(len(targets), 2):
        raise InputError(
            f"{name}: labels reach {targets.max()} with {len(targets)} samples; number the classes from 0"
        )
    return Dataset(rows, targets, max(int(targets.max()) + 1, 2), name, class_names=class_names)


def from_mapping(arrays: Mapping[str, Any], name: str, label: str | None = None) -> Dataset:
    """A data set of the arrays under a known pair of keys; `label` names another key for the labels."""
    inputs = _key(arrays, INPUT_KEYS, name)
    labels = _key(arrays, (label,) if label else LABEL_KEYS, name)
    return from_arrays(arrays[inputs], arrays[labels], name)


def read_npz(path: Path, label: str | None = None) -> Dataset:
    """The data set in an .npz file; nothing is unpickled.

    Raises InputError for a damaged file, one that holds Python objects, or one without known keys.
    """
    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as arrays:
            return from_mapping(arrays, path.stem, label)
    except InputError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
        reason = "holds Python objects, which are not unpickled" if "pickle" in str(error) else str(error)
        raise InputError(
            f"{path} cannot be read as .npz: {reason}; save it again with numpy.savez"
        ) from error


def as_array(values: Any, what: str) -> Shaped[np.ndarray, "..."]:
    """A numpy array of any array, tensor or list."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    try:
        return np.asarray(values)
    except (ValueError, TypeError, RuntimeError) as error:
        raise InputError(f"{what} cannot become one array: {error}; give all rows one shape") from error


def as_targets(
    labels: Shaped[np.ndarray, "..."], name: str
) -> tuple[Int64[np.ndarray, "samples"], tuple[str, ...]]:
    """Class indices [samples], and the class names where the labels are words."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise InputError(
            f"{name}: labels has shape {labels.shape}; give one class index per sample, not one-hot rows"
        )
    if labels.dtype.kind in "UT" or (labels.dtype.kind == "O" and all(isinstance(v, str) for v in labels)):
        names, targets = np.unique(labels.astype(str), return_inverse=True)
        return targets, tuple(names.tolist())
    if labels.dtype.kind not in "biuf":
        raise InputError(f"{name}: labels are {labels.dtype}; give integers from 0, or words")
    if labels.dtype.kind == "f" and not (np.isfinite(labels) & (labels == np.round(labels))).all():
        row = int(np.flatnonzero(~(np.isfinite(labels) & (labels == np.round(labels))))[0])
        raise InputError(f"{name}: the label of row {row} is {labels[row]}; classes are whole numbers from 0")
    return labels.astype(np.int64), ()


def _as_inputs(inputs: Shaped[np.ndarray, "..."], name: str) -> Shaped[np.ndarray, "samples ..."]:
    if inputs.dtype.kind not in "biuf":
        raise InputError(f"{name}: inputs are {inputs.dtype}; give numbers")
    if inputs.ndim < 2 or 0 in inputs.shape[1:]:
        raise InputError(f"{name}: inputs has shape {inputs.shape}; give [samples features] or images")
    if inputs.ndim == 4 and inputs.shape[-1] in IMAGE_CHANNELS and inputs.shape[1] not in IMAGE_CHANNELS:
        inputs = np.ascontiguousarray(np.moveaxis(inputs, -1, 1))
    if inputs.dtype == np.uint8 and inputs.ndim in (3, 4):
        return inputs[:, None] if inputs.ndim == 3 else inputs
    with np.errstate(over="ignore"):  # too large for float32 becomes infinite, which the data set refuses
        return inputs.astype(np.float32)


def _key(arrays: Mapping[str, Any], known: tuple[str, ...], name: str) -> str:
    for key in known:
        if key in arrays:
            return key
    raise InputError(
        f"{name}: none of the keys {', '.join(known)} is among {', '.join(arrays)}; rename the array"
    )
