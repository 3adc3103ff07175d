"""What every engine takes and gives back."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Int, Shaped
from torch import Tensor, nn

from vestige.core import seeds
from vestige.core.errors import InputError
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

    @cached_property
    def labels(self) -> Int[np.ndarray, "samples"]:
        """The targets where numpy can draw from them."""
        return self.targets.cpu().numpy()


@dataclass(frozen=True, eq=False)
class Job:
    """The models of one training task: their numbers in the population and their own members.

    scratch: a folder where signals wait until the models are done, so that memory does not grow with the
      checkpoints; None keeps them in memory. It changes no value.
    soft: what teachers say of each sample, [models samples classes] float32 probabilities on the material's
      device; where given, a model learns these rows in place of the labels.
    """

    models: tuple[int, ...]
    members: tuple[Int[np.ndarray, "_"], ...]
    seed: int
    scratch: Path | None = None
    soft: Tensor | None = None

    def at(self, places: Sequence[int]) -> "Job":
        """The same task with the models at these places, in that order."""
        return replace(
            self,
            models=tuple(self.models[place] for place in places),
            members=tuple(self.members[place] for place in places),
            soft=None if self.soft is None else self.soft[list(places)],
        )


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


def require_measurable(recipe: Recipe, observation: Observation) -> None:
    """Raise InputError for a signal that looks past the output that the recipe gives its models."""
    if recipe.output is not None and observation.needs_features:
        raise InputError(
            "signals='gradient_norm' looks at the logits before logit_reweighting, which nobody is shown; "
            "leave one of the two out"
        )


class Recording:
    """Collects what is measured at each checkpoint, for one or more models at once.

    rows: how many checkpoints there will be. With a folder, a checkpoint goes to its place in a file for each
    signal, which is mapped for that moment only; `model` keeps the names of files in one folder apart.
    """

    def __init__(self, rows: int, folder: Path | None = None, model: int = 0) -> None:
        self._rows, self._folder, self._model = rows, folder, model
        self._done = 0
        self._arrays: dict[str, np.ndarray] = {}
        self._names: tuple[str, ...] = ()

    @classmethod
    def of(cls, recipe: Recipe, observation: Observation, job: Job, model: int) -> "Recording":
        """A recording of the checkpoints that the recipe's epochs reach, in the job's scratch folder.

        Raises InputError for signals that the recipe's output does not allow.
        """
        require_measurable(recipe, observation)
        reached = [epoch for epoch in observation.checkpoints if epoch <= recipe.epochs]
        return cls(len(reached), job.scratch, model)

    def add(self, views: list[dict[str, np.ndarray]]) -> None:
        """Append a checkpoint: for each query view the signals, [... samples]."""
        self._names = tuple(views[0])
        for name in self._names:
            row = np.stack([view[name] for view in views], -1)
            self._writable(name, row)[..., self._done, :, :] = row
        self._done += 1

    def values(self, *position: int) -> dict[str, np.ndarray]:
        """The signals of the model at that position, [checkpoints samples augmentations]."""
        return {name: self._readable(name)[position] for name in self._names}

    def _writable(self, name: str, row: np.ndarray) -> np.ndarray:
        shape = (*row.shape[:-2], self._rows, *row.shape[-2:])
        if self._folder is not None:
            path = self._path(self._folder, name)
            return np.lib.format.open_memmap(path, "r+") if self._done else _created(path, row.dtype, shape)
        if name not in self._arrays:
            self._arrays[name] = np.empty(shape, row.dtype)
        return self._arrays[name]

    def _readable(self, name: str) -> np.ndarray:
        if self._folder is None:
            return self._arrays[name]
        return np.lib.format.open_memmap(self._path(self._folder, name), "r")

    def _path(self, folder: Path, name: str) -> Path:
        return folder / f"{name}-{self._model}.npy"


def _created(path: Path, dtype: np.dtype[Any], shape: tuple[int, ...]) -> np.ndarray:
    array = np.lib.format.open_memmap(path, "w+", dtype, shape)
    if hasattr(os, "posix_fallocate"):  # a full disk is an error here; in the map it would kill the process
        with path.open("r+b") as handle:
            os.posix_fallocate(handle.fileno(), 0, path.stat().st_size)
    return array
