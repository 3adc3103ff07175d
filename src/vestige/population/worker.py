"""The work of one task: train its models and store them."""

import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from vestige.data.dataset import Dataset
from vestige.population.plan import Plan, Task
from vestige.population.store import Store
from vestige.signals.measure import Observation
from vestige.training import engines, treating
from vestige.training.engine import Material, Progress
from vestige.training.flagged import kept_beside
from vestige.training.recipe import Recipe


@dataclass(frozen=True, eq=False)
class Assignment:
    """What a worker needs to train any task of a population."""

    dataset: Dataset
    recipe: Recipe
    observation: Observation
    engine: str
    device: str
    folder: Path

    @classmethod
    def of(cls, plan: Plan, store: Store) -> "Assignment":
        """What the plan's tasks need."""
        return cls(plan.dataset, plan.recipe, plan.observation, plan.choice.engine, plan.device, store.folder)


class Worker:
    """Holds the data on its device and trains tasks one after the other."""

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self.material = Material.of(assignment.dataset, torch.device(assignment.device))
        self.store = Store(assignment.folder)

    def run(self, task: Task, progress: Progress) -> None:
        """Train the task's models after teachers and proxies, and write those that are not whole on disk."""
        a, start = self.assignment, time.process_time()
        with self.store.scratch() as folder:
            job = replace(task.job, scratch=folder)
            job = treating.ready(a.recipe, self.material, job, a.engine, progress)
            trained = engines.named(a.engine)(a.recipe, self.material, job, a.observation, progress)
            seconds = (time.process_time() - start) / len(trained)
            while trained:  # each is let go once it is stored, with the pages of its signals
                one = trained.pop(0)
                one.weights.update(kept_beside(job, one.model))
                if self.store.state(task, one.model) != "whole":
                    self.store.save(task, one, seconds)
