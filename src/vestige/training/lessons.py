"""What a model is taught in one epoch, drawn before it begins: the same in every engine.

Every draw has a stream of its own, named by seed, model and epoch: the order of the samples ("batches"),
disturbed labels ("labels"), and of mixup the second order ("mixup order") and the shares ("mixup").
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from vestige.core import seeds
from vestige.core.errors import InputError
from vestige.training import batches
from vestige.training.engine import Job, Material
from vestige.training.flagged import FlaggedJob
from vestige.training.recipe import Recipe
from vestige.training.targets import Distilled, DisturbedLabels, SplitTaught

Turns = Int[np.ndarray, "members"]


@dataclass(frozen=True, eq=False)
class Lesson:
    """One model's epoch.

    orders: the samples, in turn; with mixup a second order of the same members, which is mixed in.
    labels: of the samples in each order, as they are taught.
    shares: of the first order in each batch; None without mixup.
    """

    orders: tuple[Turns, ...]
    labels: tuple[Turns, ...]
    shares: Float[np.ndarray, "batches"] | None = None


def lesson(recipe: Recipe, material: Material, job: Job, place: int, epoch: int) -> Lesson:
    """The epoch of the model at that place of the job.

    Raises InputError when the recipe has teachers and the job holds no rows of theirs, or when it treats
    members and the job does not say which.
    """
    if job.soft is None and isinstance(recipe.targets, Distilled | SplitTaught):
        raise InputError(f"targets={recipe.targets} need rows of teachers, but the job has soft=None")
    if recipe.treatment is not None and not isinstance(job, FlaggedJob):
        raise InputError(f"treatment={recipe.treatment} needs flagged members, but the job has no flags")
    model, members, seed = job.models[place], job.members[place], job.seed
    orders = (batches.order(seed, model, epoch, members),)
    shares = None
    if recipe.mixing:
        orders += (members[seeds.generator(seed, "mixup order", model, epoch).permutation(len(members))],)
        number = len(batches.bounds(len(members), recipe.batch_size))
        shares = recipe.mixing.shares(number, seeds.generator(seed, "mixup", model, epoch))
    labels = tuple(material.labels[order] for order in orders)
    if isinstance(recipe.targets, DisturbedLabels):
        stream = seeds.generator(seed, "labels", model, epoch)
        labels = tuple(recipe.targets(given, material.num_classes, stream) for given in labels)
    return Lesson(orders, labels, shares)


def one_hot(labels: Int[Tensor, "*batch"], num_classes: int) -> Float[Tensor, "*batch classes"]:
    """The rows that labels stand for."""
    return functional.one_hot(labels, num_classes).to(torch.float32)
