"""The samples that a tracker measures, in a fixed order, read in batches."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor
from torch.utils.data import (
    DataLoader,
    IterableDataset,
    RandomSampler,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
)

from vestige.core.errors import InputError
from vestige.data import arrays, python_source
from vestige.data.dataset import Dataset

SHUFFLING = (RandomSampler, SubsetRandomSampler, WeightedRandomSampler)


@dataclass(frozen=True, eq=False)
class Rows:
    """Samples in memory: inputs by slice, and labels."""

    inputs: Callable[[slice], Tensor]
    labels: Tensor
    batch_size: int
    generator: torch.Generator | None = None

    @property
    def count(self) -> int:
        """How many samples there are."""
        return len(self.labels)

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Pairs (inputs, labels), in order."""
        for start in range(0, self.count, self.batch_size):
            rows = slice(start, start + self.batch_size)
            yield self.inputs(rows), self.labels[rows]


@dataclass(frozen=True, eq=False)
class Loaded:
    """Samples that a DataLoader reads, in order."""

    loader: "DataLoader[Any]"

    @property
    def count(self) -> int:
        """How many samples there are."""
        return len(cast(Any, self.loader.dataset))

    @property
    def generator(self) -> torch.Generator | None:
        """The loader's own, from which each pass draws a seed for its workers."""
        return self.loader.generator

    def batches(self) -> Iterator[Any]:
        """The loader's batches, in order."""
        yield from self.loader


Samples = Rows | Loaded


def samples_of(dataset: Any, batch_size: int) -> Samples:
    """The samples of a data set, in its own order.

    dataset: a pair (inputs, labels) of arrays or tensors, given to the model as they are; a torch Dataset or
      anything else with a length and items, read batch by batch; an unshuffled DataLoader, with its own
      batches; a `vestige.Dataset`, or a mapping of arrays or a frame, which becomes one as for
      `vestige.audit`; or a function without arguments that returns one of these.

    Raises InputError for anything else, and for a DataLoader that shuffles or leaves samples out.
    """
    if isinstance(dataset, DataLoader):
        loader = cast("DataLoader[Any]", dataset)
        _refuse_unordered(loader)
        return Loaded(loader)
    if isinstance(dataset, IterableDataset):
        raise InputError("dataset is an IterableDataset, which has no fixed order; give a map-style one")
    if type(dataset) is TensorDataset and len(dataset.tensors) == 2:
        dataset = dataset.tensors
    if isinstance(dataset, tuple | list) and len(cast(Sequence[Any], dataset)) == 2:
        return _in_memory(dataset[0], dataset[1], batch_size)
    if isinstance(dataset, Dataset | Mapping) or hasattr(dataset, "dtypes"):
        return _of_arrays(python_source.from_object(dataset), batch_size)
    if callable(dataset):
        return samples_of(dataset(), batch_size)
    if hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__") and not hasattr(dataset, "dtype"):
        return Loaded(DataLoader(cast(Any, dataset), batch_size, collate_fn=collate))
    return _of_arrays(python_source.from_object(dataset), batch_size)


def collate(items: Sequence[Any]) -> Any:
    """A batch of items: pairs as torch collates them; of mappings every column that holds numbers.

    Raises InputError where items differ in shape.
    """
    try:
        if isinstance(items[0], Mapping):
            names = [name for name, value in items[0].items() if not isinstance(value, str | bytes)]
            return {name: default_collate([_tensor(item[name]) for item in items]) for name in names}
        return default_collate(list(items))
    except (RuntimeError, TypeError, ValueError) as error:
        raise InputError(
            f"the items of the data set do not form a batch ({error}); give an unshuffled DataLoader with "
            "the collate_fn of your training"
        ) from error


def _tensor(value: Any) -> Any:
    return torch.as_tensor(value) if isinstance(value, list | tuple) else value


def _in_memory(inputs: Any, labels: Any, batch_size: int) -> Rows:
    targets, _ = arrays.as_targets(arrays.as_array(labels, "dataset: labels"), "dataset")
    rows = inputs if isinstance(inputs, Tensor) else torch.as_tensor(arrays.as_array(inputs, "inputs"))
    if len(targets) == 0 or len(rows) != len(targets):
        raise InputError(f"dataset: {len(rows)} inputs and {len(targets)} labels; give one label per input")
    return Rows(lambda chosen: rows[chosen], torch.from_numpy(targets), batch_size)


def _of_arrays(dataset: Dataset, batch_size: int) -> Rows:
    labels = torch.from_numpy(dataset.targets)
    return Rows(lambda rows: torch.from_numpy(dataset.as_floats(rows)), labels, batch_size)


def _refuse_unordered(loader: "DataLoader[Any]") -> None:
    if isinstance(loader.dataset, IterableDataset):
        raise InputError("dataset reads an IterableDataset, which has no fixed order; give a map-style one")
    batches: Any = loader.batch_sampler
    if batches is None:
        raise InputError("dataset is a DataLoader with batch_size=None; give it a batch size")
    sampler = getattr(batches, "sampler", loader.sampler)
    if isinstance(sampler, SHUFFLING) or getattr(sampler, "shuffle", False):
        raise InputError(
            f"dataset is a DataLoader that draws its order at random ({type(sampler).__name__}); make a "
            "second one for the tracker with shuffle=False"
        )
    if getattr(batches, "drop_last", False):
        raise InputError("dataset is a DataLoader with drop_last=True, which leaves samples out; turn it off")
