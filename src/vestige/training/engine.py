"""What every engine takes and gives back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Int, Shaped
from torch import Tensor, nn

from vestige.core import seeds
from vestige.data.dataset import Dataset
from vestige.models.catalog import build
from vestige.signals.measure import Observation
from vestige.training.recipe import Recipe

Progress = Callable[[int], None]


@dataclass(frozen=True, eq=False)
class Material:
    """A data set as tensors on the device where models train.

    inputs: [samples ...] float32; targets: [samples] int64.
    """

    inputs: Tensor
    targets: Tensor
    shape: tuple[int, ...]
    num_classes: int

    @classmethod
    def of(cls, dataset: Dataset, device: torch.device) -> "Material":
        """The data set's floats on the device."""
        inputs = torch.from_numpy(dataset.as_floats()).to(device)
        targets = torch.from_numpy(np.asarray(dataset.targets, np.int64)).to(device)
        return cls(inputs, targets, dataset.shape, dataset.num_classes)

    @property
    def device(self) -> torch.device:
        """Where the tensors live."""
        return self.inputs.device


@dataclass(frozen=True, eq=False)
class Job:
    """The models of one training task: their numbers in the population and their own members."""

    models: tuple[int, ...]
    members: tuple[Int[np.ndarray, "_"], ...]
    seed: int


@dataclass(frozen=True, eq=False)
class Trained:
    """One trained model: its signals [checkpoints samples augmentations] and its final weights."""

    model: int
    signals: dict[str, Shaped[np.ndarray, "checkpoints samples augmentations"]]
    weights: dict[str, Tensor]


@runtime_checkable
class Engine(Protocol):
    """Trains the models of a job; every engine gives the same models up to rounding."""

    def __call__(
        self, recipe: Recipe, material: Material, job: Job, observation: Observation, progress: Progress
    ) -> list[Trained]:
        """The trained models, in the order of `job.models`."""
        ...


def initialized(recipe: Recipe, material: Material, seed: int, model: int) -> nn.Module:
    """The model's network as initialized by its own stream, on the material's device."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seeds.derive(seed, "init", model))
        return build(recipe.model, material.shape, material.num_classes).to(material.device)


class Recording:
    """Collects what is measured at each checkpoint, for one or more models at once."""

    def __init__(self) -> None:
        self._rows: dict[str, list[np.ndarray]] = {}

    def add(self, views: list[dict[str, np.ndarray]]) -> None:
        """Append a checkpoint: for each query view the signals, [... samples]."""
        for name in views[0]:
            self._rows.setdefault(name, []).append(np.stack([view[name] for view in views], -1))

    def values(self, *position: int) -> dict[str, np.ndarray]:
        """The signals of the model at that position, [checkpoints samples augmentations]."""
        return {name: np.stack([row[position] for row in rows]) for name, rows in self._rows.items()}
