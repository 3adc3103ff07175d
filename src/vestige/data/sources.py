"""Data sets by name: embedded, official benchmark files, the user's own files and functions."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from vestige.core import imports, seeds
from vestige.core.errors import InputError, unknown_name
from vestige.data import arrays, embedded, python_source, tables
from vestige.data.benchmarks import BENCHMARKS
from vestige.data.dataset import Dataset
from vestige.data.official import data_folder

EMBEDDED = {
    "digits": embedded.digits,
    "digit_images": embedded.digit_images,
    "breast_cancer": embedded.breast_cancer,
    "wine": embedded.wine,
    "iris": embedded.iris,
}
FILE_TYPES = (".npz", ".csv", ".csv.gz", ".parquet", ".pq")


@dataclass(frozen=True, kw_only=True)
class SourceRow:
    """One line of the list of data sets; `where` tells where the files come from or are expected."""

    name: str
    samples: int
    shape: tuple[int, ...]
    classes: int
    where: str
    present: bool


def load(
    source: str,
    data_dir: Path | None = None,
    samples: int | None = None,
    seed: int = 0,
    label: str | None = None,
) -> Dataset:
    """The data set that `source` names.

    source: an embedded set (digits, digit_images, breast_cancer, wine, iris); a benchmark (cifar10,
      cifar100, mnist, fashion_mnist, location30, purchase100, texas100), of which it is the official
      training part; a path to an .npz, .csv or .parquet file; or "package.module:function".
    data_dir: where benchmark files lie; default $VESTIGE_DATA, else a cache in the user's home.
    samples: how many to keep: a simple random subset without replacement, drawn by `seed` and not
      stratified by class, in the order of the file. `sample_ids` keep the rows of the file.
    label: the column or key of the labels, for tables and .npz files.

    Raises InputError for an unknown name, a missing or damaged file, or too large a subset.
    """
    dataset = _whole(source, data_dir, label)
    return dataset if samples is None else subset(dataset, samples, seed)


def left_out(
    source: str, data_dir: Path | None, samples: int | None, seed: int, label: str | None = None
) -> Dataset | None:
    """What `load` with these arguments leaves of the data set, at most as many samples; None for nothing.

    Raises InputError as `load` does.
    """
    whole = _whole(source, data_dir, label)
    if samples is None or samples >= whole.num_samples:
        return None
    rest = np.setdiff1d(np.arange(whole.num_samples), _chosen(whole, samples, seed))
    if len(rest) > samples:
        rest = np.sort(seeds.generator(seed, "left out").choice(rest, samples, replace=False))
    return whole.select(rest)


def subset(dataset: Dataset, samples: int, seed: int) -> Dataset:
    """A simple random subset in the order of the data set; raises InputError when there are too few."""
    return dataset.select(_chosen(dataset, samples, seed))


def _chosen(dataset: Dataset, samples: int, seed: int) -> Int64[np.ndarray, "samples"]:
    if not 1 <= samples <= dataset.num_samples:
        raise InputError(
            f"samples={samples} must lie between 1 and {dataset.num_samples}, the size of {dataset.name}"
        )
    chosen = seeds.generator(seed, "subset").choice(dataset.num_samples, samples, replace=False)
    chosen.sort()
    return chosen


def catalog(data_dir: Path | None = None) -> tuple[SourceRow, ...]:
    """One row per named data set; a benchmark is present when all its files are in the data folder."""
    root = data_folder(data_dir)
    rows = [
        SourceRow(
            name=n,
            samples=d.num_samples,
            shape=d.shape,
            classes=d.num_classes,
            where="embedded",
            present=True,
        )
        for n, d in ((n, make()) for n, make in EMBEDDED.items())
    ]
    for b in BENCHMARKS.values():
        where = str(root / b.parts[0].folders[0])
        rows.append(
            SourceRow(
                name=b.name,
                samples=b.samples,
                shape=b.shape,
                classes=b.classes,
                where=where,
                present=b.is_present(root),
            )
        )
    return tuple(rows)


def _whole(source: str, data_dir: Path | None, label: str | None) -> Dataset:
    name = source.replace("-", "_").lower()
    if name in EMBEDDED or name in BENCHMARKS:
        if label is not None:
            raise InputError(f"label={label!r} applies to tables and .npz files; {name} has its own labels")
        return EMBEDDED[name]() if name in EMBEDDED else BENCHMARKS[name].load(data_folder(data_dir))
    if source.endswith(FILE_TYPES):
        return _from_file(Path(source).expanduser(), label)
    if imports.is_reference(source):
        return python_source.from_reference(source, label)
    if Path(source).exists():
        raise InputError(
            f"{source} is not of a type that is read: {', '.join(FILE_TYPES)}, or package.module:function"
        )
    raise unknown_name("data set", source, [*EMBEDDED, *BENCHMARKS])


def _from_file(path: Path, label: str | None) -> Dataset:
    if not path.is_file():
        raise InputError(f"{path} is not a file; looked in {Path.cwd()}")
    return arrays.read_npz(path, label) if path.suffix == ".npz" else tables.read(path, label)
