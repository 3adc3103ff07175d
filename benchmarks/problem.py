"""What is trained on both sides of a comparison."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from vestige.core import seeds
from vestige.core.errors import InputError
from vestige.data import sources
from vestige.data.dataset import Dataset
from vestige.data.membership import Membership, paired
from vestige.models.catalog import ModelSpec, build
from vestige.population.plan import Plan
from vestige.signals.measure import Observation
from vestige.training import engines
from vestige.training.optimizers import SGD
from vestige.training.recipe import Recipe

SEED = 1
AUDIT_MODELS = 64  # of an audit with its defaults; the number decides how models are grouped


@dataclass(frozen=True, kw_only=True, eq=False)
class Problem:
    """A data set, a model, and how many models are trained for how long; half of the rows per model.

    checkpoints: how many signal passes over all samples a run of so many epochs makes.
    """

    dataset: Dataset
    model: str
    epochs: int
    checkpoints: int
    models: int = 2
    batch_size: int = 128

    def recipe(self, precision: str = "float32") -> Recipe:
        return Recipe(
            model=ModelSpec(self.model),
            optimizer=SGD(lr=0.05, momentum=0.9),
            epochs=self.epochs,
            batch_size=self.batch_size,
            precision=precision,
        )

    def plan(self, precision: str = "float32", engine: str = "auto", device: str = "cpu") -> Plan:
        """The population as an audit would plan it; `auto` is grouped as in an audit."""
        recipe = self.recipe(precision)
        moments = np.unique(np.linspace(0, self.epochs, self.checkpoints).round().astype(int))
        observation = Observation(checkpoints=tuple(moments.tolist()))
        where, signals = torch.device(device), observation.signals
        choice = engines.choose(recipe, self.module(), AUDIT_MODELS, where, engine, signals)
        return Plan(self.dataset, self.membership, recipe, observation, choice, SEED, device)

    def filling(self, processes: int) -> "Problem":
        """The same with as many models as give each process one whole task."""
        return replace(self, models=max(2, self.plan().choice.group * processes))

    @cached_property
    def membership(self) -> Membership:
        return paired(self.models, self.dataset.num_samples, SEED)

    def module(self) -> torch.nn.Module:
        """The model with fresh weights."""
        return build(ModelSpec(self.model), self.dataset.shape, self.dataset.num_classes)

    @cached_property
    def operations(self) -> tuple[float, float]:
        """Floating-point operations of one model-epoch: of training, and of its share of signal passes."""
        module = self.module()
        inputs = torch.zeros(self.batch_size, *self.dataset.shape)
        with FlopCounterMode(display=False) as forward:
            loss = module(inputs).sum()
        with FlopCounterMode(display=False) as backward:
            loss.backward()
        per_sample = forward.get_total_flops() / self.batch_size
        members = self.dataset.num_samples / 2
        training = members * (per_sample + backward.get_total_flops() / self.batch_size)
        return training, self.dataset.num_samples * per_sample * self.checkpoints / self.epochs


def location30(data_dir: Path | None, samples: int = 5010) -> Dataset:
    """Location30, or where its file is missing synthetic binary rows of the same shape, named so."""
    try:
        if data_dir is None:
            raise InputError("no data folder")
        return sources.load("location30", data_dir, samples)
    except InputError:
        return synthetic_bits(samples)


def synthetic_bits(samples: int, features: int = 446, classes: int = 30) -> Dataset:
    """Binary rows around one prototype per class, with Location30's share of ones."""
    generator = seeds.generator(SEED, "bits")
    targets = np.arange(samples) % classes
    prototypes = generator.random((classes, features)) < 0.12
    flips = generator.random((samples, features)) < 0.1
    inputs = (prototypes[targets] ^ flips).astype(np.float32)
    return Dataset(inputs, targets, classes, "synthetic rows")


def synthetic_images(samples: int) -> Dataset:
    """Random images [3 32 32] of ten classes; speed does not depend on what they show."""
    generator = seeds.generator(SEED, "images")
    inputs = generator.standard_normal((samples, 3, 32, 32), np.float32)
    return Dataset(inputs, np.arange(samples) % 10, 10, "random images")
