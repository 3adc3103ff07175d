"""Proxies: models that train on a model's own members before it does, and what they say of these.

Each model has proxies of its own, with a seed derived from its own, so that what they say depends neither on
its company nor on the number of processes. They train on members and are asked about members, nobody else.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from vestige.core import seeds
from vestige.core.errors import InputError
from vestige.models.penultimate import penultimate
from vestige.training import teaching
from vestige.training.engine import Job, Material, Progress, Trained, initialized
from vestige.training.recipe import Recipe
from vestige.training.reopened import reopened
from vestige.training.sequential import evaluation_batch

Members = Int[np.ndarray, "_"]


@dataclass(frozen=True, eq=False)
class Said:
    """What the proxies of one model, one for each fold, say of its members.

    logits: [folds members classes] float64, in evaluation mode. absent: whether a proxy left a member out.
    """

    logits: Float[Tensor, "folds members classes"]
    absent: Bool[Tensor, "folds members"]


def fold_of(folds: int, seed: int, model: int, members: int) -> Int[np.ndarray, "members"]:
    """The fold that each member is in, at random; sizes differ by one at most."""
    return seeds.generator(seed, "folds", model).permutation(members) % folds


def folded(recipe: Recipe, material: Material, job: Job, engine: str, progress: Progress) -> Said:
    """What the proxies say of the members of the job's only model, each of them trained without one fold."""
    assert recipe.treatment is not None
    ((model, members),) = zip(job.models, job.members, strict=True)
    folds = recipe.treatment.folds
    place = fold_of(folds, job.seed, model, len(members))
    absent = place == np.arange(folds)[:, None]
    parts = tuple(members[~out] for out in absent)
    trained = _trained(recipe, material, parts, job, engine, progress)
    proxy = teaching.proxy_of(recipe)
    logits = [teaching.answers(proxy, material, one, members).double().cpu() for one in trained]
    return Said(torch.stack(logits), torch.from_numpy(absent))


def features(
    recipe: Recipe, material: Material, job: Job, engine: str, progress: Progress
) -> Float[Tensor, "members features"]:
    """Penultimate features, float64, of the members of the job's only model under a proxy trained on them.

    Raises InputError for a model that ends in no linear layer.
    """
    proxy, (members,) = teaching.proxy_of(recipe), job.members
    inputs = material.inputs[torch.from_numpy(members).to(material.device)]
    _head(recipe, initialized(proxy, material, job.seed, job.models[0]), inputs)  # before anything trains
    (trained,) = _trained(recipe, material, (members,), job, engine, progress)
    with torch.random.fork_rng(devices=[]):
        module = reopened(proxy, material, trained.weights)
    found: list[Tensor] = []
    head = _head(recipe, module, inputs)
    head.register_forward_pre_hook(lambda _, given: found.append(given[0].double().cpu()))
    with torch.no_grad():
        for chunk in inputs.split(evaluation_batch(material)):
            module(chunk)
    return torch.cat(found)


def _trained(
    recipe: Recipe,
    material: Material,
    parts: tuple[Members, ...],
    job: Job,
    engine: str,
    progress: Progress,
) -> list[Trained]:
    seed = seeds.derive(job.seed, "proxies", job.models[0])
    own = Job(tuple(range(len(parts))), parts, seed)
    return teaching.trained_first(teaching.proxy_of(recipe), material, own, engine, progress)


def _head(recipe: Recipe, module: nn.Module, inputs: Tensor) -> nn.Linear:
    head = penultimate(module, inputs[:2])
    if head is None:
        flag = recipe.treatment.flag if recipe.treatment else ""
        raise InputError(
            f"treatment flag={flag!r} needs a model that ends in a linear layer, and {recipe.model.name} "
            "does not; use flag='out_of_fold_loss'"
        )
    return head
