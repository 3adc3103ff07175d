"""Data sets from the user's own Python: a function, arrays, a frame or a torch Dataset."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from vestige.core import imports
from vestige.core.errors import InputError
from vestige.data import arrays, tables
from vestige.data.dataset import Dataset


def from_reference(reference: str, label: str | None = None) -> Dataset:
    """The data set that the function "package.module:function" returns; it is called without arguments."""
    return from_object(imports.resolve(reference), reference.rpartition(":")[2].replace(".", "-"), label)


def from_object(value: Any, name: str = "data", label: str | None = None) -> Dataset:
    """A data set of anything that holds samples and labels.

    value: a Dataset; a pair (inputs, labels) of arrays or tensors; a mapping with the keys of an .npz
    file; a data frame; anything with a length whose items are pairs (input, label), such as a torch
    Dataset, which is read once, so that a random transform in it is applied once; or a function without
    arguments that returns one of these.

    Raises InputError for anything else.
    """
    if callable(value):
        value = _called(value, name)
    if isinstance(value, Dataset):
        return value
    if hasattr(value, "columns") and hasattr(value, "dtypes"):
        return tables.from_frame(value.copy(), name, label)
    if isinstance(value, Mapping):
        return arrays.from_mapping(cast(Mapping[str, Any], value), name, label)
    if _is_pair(value):
        return arrays.from_arrays(value[0], value[1], name)
    if hasattr(value, "__len__") and hasattr(value, "__getitem__") and not hasattr(value, "dtype"):
        return _from_items(value, name)
    raise InputError(
        f"{name}: a {type(value).__name__} is not a data set; give (inputs, labels) or a torch Dataset"
    )


def _called(function: Any, name: str) -> Any:
    try:
        return function()
    except Exception as error:
        raise InputError(f"{name}: the function failed, called without arguments: {error!r}") from error


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple | list) and len(cast(Sequence[Any], value)) == 2


def _from_items(items: Any, name: str) -> Dataset:
    inputs: list[Any] = []
    labels: list[Any] = []
    for index in range(len(items)):
        item = items[index]
        if not _is_pair(item):
            raise InputError(
                f"{name}: item {index} is not a pair (input, label); wrap the data set so that it is"
            )
        inputs.append(arrays.as_array(item[0], f"{name}: input {index}"))
        labels.append(arrays.as_array(item[1], f"{name}: label {index}"))
    return arrays.from_arrays(inputs, labels, name)
