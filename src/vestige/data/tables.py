"""Data sets from tables with a label column: CSV, Parquet, data frames."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
from jaxtyping import Float, Float64, Int

from vestige.core.errors import InputError, unknown_name
from vestige.data.dataset import Dataset

LABEL_NAMES = ("label", "target", "class", "y")
FEW_CATEGORIES = 20  # below this many different texts a column is never taken for an identifier


def read(path: Path, label: str | None = None) -> Dataset:
    """The data set in a .csv or .parquet file; see `from_frame`.

    Raises InputError for a file that cannot be parsed and for what `from_frame` refuses.
    """
    try:
        is_parquet = path.suffix in (".parquet", ".pq")
        frame = pd.read_parquet(path) if is_parquet else pd.read_csv(path, skipinitialspace=True)
    except (ValueError, OSError) as error:  # pandas and pyarrow derive their parsing errors from these
        raise InputError(f"{path} cannot be read as a table: {error}") from error
    return from_frame(frame, path.name.split(".")[0], label)


def from_frame(frame: pd.DataFrame, name: str, label: str | None = None) -> Dataset:
    """A data set of a table's columns, in their order.

    Numeric columns are standardized over all rows (a constant one becomes 0), columns of text become one
    0/1 feature per different text, sorted. The label column is `label`, else the first of label, target,
    class, y; its values are numbered in sorted order and kept as class names.

    Raises InputError for missing or infinite values, naming column and row (from 0, without the header),
    for columns of dates or of nearly as many texts as rows, and for labels that are not classes.
    """
    column = _label_column(frame, name, label)
    if len(frame) == 0 or frame.shape[1] < 2:
        raise InputError(
            f"{name}: the table has {frame.shape[0]} rows and {frame.shape[1]} columns; it needs samples"
        )
    targets, classes = _classes(_column(frame, column), name)
    blocks = [_features(_column(frame, c), name) for c in frame.columns if c != column]
    inputs = np.concatenate(blocks, axis=1).astype(np.float32)
    return Dataset(inputs, targets, max(len(classes), 2), name, class_names=classes)


def _label_column(frame: pd.DataFrame, name: str, label: str | None) -> str:
    columns = [str(c) for c in frame.columns]
    frame.columns = pd.Index(columns)
    twice = next((c for i, c in enumerate(columns) if c in columns[:i]), None)
    if twice is not None:
        raise InputError(f"{name}: two columns are called {twice!r}; rename one")
    if label is not None and label not in columns:
        raise unknown_name("label column", label, columns)
    found = label or next((c for c in LABEL_NAMES if c in columns), None)
    if found is None:
        raise InputError(
            f"{name}: no column is called {', '.join(LABEL_NAMES)}; name yours with --label, of {columns}"
        )
    return found


def _column(frame: pd.DataFrame, column: str) -> pd.Series:
    return cast(pd.Series, frame[column])


def _classes(values: pd.Series, name: str) -> tuple[Int[np.ndarray, "samples"], tuple[str, ...]]:
    _refuse_missing(values, name)
    found = values.to_numpy()
    if found.dtype.kind == "f" and (found != np.round(found)).any():
        raise InputError(
            f"{name}: label column {values.name!r} holds fractions such as {found[0]}; it must hold classes"
        )
    different, targets = np.unique(
        found.astype(int) if found.dtype.kind == "f" else found, return_inverse=True
    )
    if len(different) > max(FEW_CATEGORIES, len(values) // 2):
        raise InputError(
            f"{name}: label column {values.name!r} has {len(different)} different values in "
            f"{len(values)} rows; name the column of classes with --label"
        )
    return targets, tuple(str(v) for v in different)


def _features(values: pd.Series, name: str) -> Float[np.ndarray, "samples features"]:
    """The features that one column becomes."""
    if str(values.name).startswith("Unnamed: "):
        raise InputError(f"{name}: a column has no name and looks like a row number; remove it or name it")
    _refuse_missing(values, name)
    if pd.api.types.is_numeric_dtype(values.dtype):
        return _standardized(values.to_numpy(np.float64), str(values.name), name)[:, None]
    if not (pd.api.types.is_string_dtype(values.dtype) or isinstance(values.dtype, pd.CategoricalDtype)):
        raise InputError(
            f"{name}: column {values.name!r} holds {values.dtype}; give numbers or text, or remove it"
        )
    different, codes = np.unique(values.astype(str).to_numpy(str), return_inverse=True)
    if len(different) > max(FEW_CATEGORIES, len(values) // 2):
        raise InputError(
            f"{name}: column {values.name!r} has {len(different)} different texts in {len(values)} rows, "
            "so it identifies rows; remove it"
        )
    return np.eye(len(different), dtype=np.float32)[codes]


def _standardized(
    numbers: Float64[np.ndarray, "samples"], column: str, name: str
) -> Float64[np.ndarray, "samples"]:
    infinite = np.flatnonzero(~np.isfinite(numbers))
    if len(infinite):
        raise InputError(f"{name}: column {column!r} row {infinite[0]} is infinite; remove or replace it")
    deviation = numbers.std()
    return (numbers - numbers.mean()) / (deviation if deviation > 0 else 1.0)


def _refuse_missing(values: pd.Series, name: str) -> None:
    missing = np.flatnonzero(values.isna().to_numpy())
    if len(missing):
        raise InputError(
            f"{name}: column {values.name!r} row {missing[0]} has no value ({len(missing)} such rows); "
            "fill in or remove them"
        )
