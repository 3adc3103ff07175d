"""What the models of a population make of the samples, each asked when an attack wants it."""

from collections.abc import Iterator, Mapping
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float32

from vestige.audits.opened import opened
from vestige.core.errors import InputError
from vestige.population.plan import Plan
from vestige.population.store import Store
from vestige.signals.features import described
from vestige.training.engine import Material

Features = Float32[np.ndarray, "samples features"]


class Embeddings(Mapping[int, Features]):
    """By model number, [samples features]: the inputs of its last linear layer."""

    def __init__(self, plan: Plan, store: Store | None) -> None:
        self._plan = plan
        self._store = store

    def __getitem__(self, model: int) -> Features:
        if self._store is None:
            raise InputError(f"embeddings of model {model} are not there yet: the model is not trained")
        for _, module in opened(self._plan, self._store, self._material, [model]):
            return described(module, self._material.inputs).features
        raise KeyError(model)

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self)))

    def __len__(self) -> int:
        return self._plan.membership.num_models

    @cached_property
    def _material(self) -> Material:
        return Material.of(self._plan.dataset, torch.device(self._plan.device))
