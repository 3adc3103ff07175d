"""A population before training: its recipe, coins and tasks, with the content key of each task."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vestige.core.record import array_digest, content_hash
from vestige.data.dataset import Dataset
from vestige.data.membership import Membership
from vestige.models.catalog import source_digest
from vestige.signals.measure import Observation
from vestige.training import teaching
from vestige.training.engine import Job
from vestige.training.engines import Choice
from vestige.training.recipe import Recipe

FORMAT = 1  # raise when trained models or their files change meaning, so that old ones are not reused


@dataclass(frozen=True, eq=False)
class Plan:
    """Everything that a population's content depends on.

    Two plans with the same `key` give the same models bit for bit on the same machine.
    """

    dataset: Dataset
    membership: Membership
    recipe: Recipe
    observation: Observation
    choice: Choice
    seed: int
    device: str = "cpu"

    @cached_property
    def key(self) -> str:
        """The content key of the population, without its coins and its size."""
        content = (
            FORMAT,
            self.dataset.fingerprint(),
            self.recipe,
            "".join(source_digest(recipe.model) for recipe in teaching.lineage(self.recipe)),
            self.observation,
            self.choice.engine,
            self.seed,
            self.device,
        )
        return content_hash(content)

    @cached_property
    def tasks(self) -> tuple["Task", ...]:
        """The population in groups of models that train together."""
        size = self.choice.group
        starts = range(0, self.membership.num_models, size)
        return tuple(self._task(start, min(start + size, self.membership.num_models)) for start in starts)

    def _task(self, start: int, stop: int) -> "Task":
        rows = self.membership.mask[start:stop]
        key = content_hash((self.key, start, array_digest(np.packbits(rows, axis=1))))
        members = tuple(np.flatnonzero(row) for row in rows)
        return Task(key, Job(tuple(range(start, stop)), members, self.seed))


@dataclass(frozen=True, eq=False)
class Task:
    """One unit of training and of resumption."""

    key: str
    job: Job
