"""A training task made ready: what teachers say of its members, and what becomes of flagged ones."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from vestige.training import teaching
from vestige.training.engine import Job, Material, Progress
from vestige.training.flagged import FlaggedJob
from vestige.training.identification import Identified, identified
from vestige.training.lessons import one_hot
from vestige.training.recipe import Recipe
from vestige.training.treatment import ROWS, Treatment


def ready(
    recipe: Recipe, material: Material, job: Job, engine: str, progress: Progress = lambda _: None
) -> Job:
    """The task with all that its models need before they train: rows of teachers, and flagged members.

    Nothing but a model's own members has a part in which of them are flagged.
    engine: the name of the models', which trains teachers and proxies too where it can.
    progress: takes the epochs of teachers and proxies as they are done.

    Raises InputError for a model with too few members, and for proxies that diverged.
    """
    if recipe.treatment is None:
        return replace(job, soft=teaching.teach(recipe, material, job, engine, progress))
    found = [
        identified(recipe, material, job.at([place]), engine, progress) for place in range(len(job.models))
    ]
    return treated(recipe.treatment, material, job, found)


def treated(treatment: Treatment, material: Material, job: Job, found: list[Identified]) -> FlaggedJob:
    """The task with what becomes of the flagged members of each model.

    Dropped members leave the task. What is learned in place of a label is a row of class weights.
    """
    chosen = [members[one.flags] for members, one in zip(job.members, found, strict=True)]
    flags = torch.zeros((len(chosen), len(material.inputs)), dtype=torch.bool)
    for row, samples in zip(flags, chosen, strict=True):
        row[torch.from_numpy(samples)] = True
    kept = job.members
    if treatment.action == "drop":
        kept = tuple(members[~one.flags] for members, one in zip(kept, found, strict=True))
    soft = _rows(treatment, material, chosen, found) if treatment.action in ROWS and flags.any() else None
    return FlaggedJob(job.models, kept, job.seed, job.scratch, soft, flags=flags.to(material.device))


def _rows(
    treatment: Treatment, material: Material, chosen: list[np.ndarray], found: list[Identified]
) -> Tensor:
    """What each sample is taught as, [models samples classes]: its label, or a row of its own if flagged."""
    usual = one_hot(material.targets, material.num_classes)
    soft = usual.repeat(len(chosen), 1, 1)
    for row, samples, one in zip(soft, chosen, found, strict=True):
        places = torch.from_numpy(samples).to(material.device)
        row[places] = _row(treatment, material, usual[places], one)
    return soft


def _row(treatment: Treatment, material: Material, usual: Tensor, one: Identified) -> Tensor:
    if treatment.action == "relabel":
        assert one.votes is not None
        return one_hot(one.votes[torch.from_numpy(one.flags)].to(usual.device), material.num_classes)
    if treatment.action == "down_weight":
        return usual * treatment.strength
    return (1 - treatment.strength) * usual + treatment.strength / material.num_classes
