"""Groups of records that a user names, one for each record of the data set."""

from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float64

from vestige.core.errors import InputError
from vestige.data.dataset import Dataset
from vestige.vulnerability.disparity import Disparity, disparity

Groups = np.ndarray


def groups_of(given: object, data: Dataset) -> Groups:
    """The group of each sample of the data set, [samples].

    given: one group per row, as a sequence; or a .csv or .parquet file with one column, or with the column
      after a colon, such as people.csv:sex. Where the audit drew a subset of the data, a group for every row
      of the whole is taken too.

    Raises InputError for a file that cannot be read, an unknown column, and another length.
    """
    name = "groups" if not isinstance(given, str | Path) else f"groups={given}"
    rows = _read(str(given), name) if isinstance(given, str | Path) else np.asarray(given)
    if rows.ndim != 1:
        raise InputError(f"{name} has shape {rows.shape}; give one group per record")
    if len(rows) == data.num_samples:
        return rows
    whole = not np.array_equal(data.ids, np.arange(data.num_samples))
    if whole and len(rows) > int(data.ids.max()):
        return rows[data.ids]
    raise InputError(
        f"{name} holds {len(rows)} entries for {data.num_samples} records; give one per record, in order"
    )


def by_group(vulnerability: Float64[np.ndarray, "samples"], groups: Groups) -> Disparity:
    """Whether some of these groups are more exposed."""
    return disparity(vulnerability, groups)


def by_class(vulnerability: Float64[np.ndarray, "samples"], data: Dataset) -> Disparity | None:
    """Whether some classes are more exposed; None where there are too few records of all but one."""
    names = data.class_names or [f"class {c}" for c in range(data.num_classes)]
    try:
        return disparity(vulnerability, data.targets, names)
    except InputError:
        return None


def _read(given: str, name: str) -> Groups:
    path, column = (given, None) if Path(given).is_file() else _parted(given)
    try:
        table = pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{name} cannot be read as .csv or .parquet ({error}); give one row per record"
        ) from error
    if column is None and len(table.columns) == 1:
        column = str(table.columns[0])
    if column not in table.columns:
        raise InputError(
            f"{name}: name one of its columns after a colon: {', '.join(map(str, table.columns))}"
        )
    return table[column].astype(str).to_numpy()


def _parted(given: str) -> tuple[str, str | None]:
    path, _, column = given.rpartition(":")
    return (path, column) if path else (given, None)
