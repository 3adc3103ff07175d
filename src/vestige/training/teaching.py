"""Models that train before others do: teachers, and what they say of a model's own members.

A teacher trains like any model, through an engine, on streams of its own: its job has a seed derived from the
student's, so that what a student learns depends neither on its company nor on the number of processes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from vestige.core import seeds
from vestige.core.errors import InputError
from vestige.data.transforms import Identity
from vestige.models.catalog import build
from vestige.signals.measure import Observation
from vestige.training import engines, treatable
from vestige.training.engine import Job, Material, Progress, Trained
from vestige.training.logits import as_columns
from vestige.training.losses import CrossEntropy
from vestige.training.recipe import Recipe
from vestige.training.reopened import reopened
from vestige.training.sequential import evaluation_batch
from vestige.training.targets import Distilled, Labels, SplitTaught
from vestige.training.treatment import FEWEST

SURE = 100  # members for each sub-model beyond which none can end up with too few: mean 100 at the least
Members = Int[np.ndarray, "_"]


def teacher_of(recipe: Recipe) -> Recipe | None:
    """The recipe of the recipe's teachers, or None where it has none.

    Unless one is given, it is the student's own with plain labels and cross-entropy, and without mixing,
    augmentation or privacy; model, optimizer, schedule, epochs, batch size and precision are the student's.
    """
    if not isinstance(recipe.targets, Distilled | SplitTaught):
        return None
    return recipe.targets.teacher or replace(
        recipe,
        targets=Labels(),
        loss=CrossEntropy(),
        mixing=None,
        augmentation=Identity(),
        privacy=None,
        output=None,
        treatment=None,
    )


def proxy_of(recipe: Recipe) -> Recipe:
    """The recipe of the models that identify members: the recipe's own, which flags and mixes nobody.

    Nothing is done to its output, and it trains without privacy.
    """
    return replace(recipe, treatment=None, output=None, privacy=None, mixing=None)


def lineage(recipe: Recipe) -> Iterator[Recipe]:
    """The recipe, those of the models that train before it, and theirs in turn."""
    yield recipe
    for first, _ in _first(recipe):
        yield from lineage(first)


def epochs_per_model(recipe: Recipe) -> int:
    """The epochs that one model costs, those of teachers and proxies among them, each counted whole."""
    return recipe.epochs + sum(number * epochs_per_model(first) for first, number in _first(recipe))


def _first(recipe: Recipe) -> Iterator[tuple[Recipe, int]]:
    """The recipes of the models that train before one of the recipe, and how many of each."""
    if teacher := teacher_of(recipe):
        yield teacher, recipe.targets.submodels if isinstance(recipe.targets, SplitTaught) else 1
    if recipe.treatment is not None:
        yield proxy_of(recipe), recipe.treatment.proxies


def require(recipe: Recipe, job: Job) -> None:
    """Raise InputError where a model's members are too few to teach or to identify, or parts conflict."""
    treatable.require(recipe, job)
    if isinstance(recipe.targets, SplitTaught):
        for model, members in zip(job.models, job.members, strict=True):
            if len(members) < SURE * recipe.targets.submodels:
                submembers(recipe.targets, job.seed, model, members)


def teach(
    recipe: Recipe, material: Material, job: Job, engine: str, progress: Progress = lambda _: None
) -> Tensor | None:
    """What the teachers say of each model's own members, None where the recipe has no teachers.

    [models samples classes] float32 probabilities on the material's device; zero for all other samples.
    engine: the name of the students', which trains the teachers too where it can.
    progress: takes the epochs of teachers as they are done.

    Raises InputError for a model with too few members.
    """
    teacher = teacher_of(recipe)
    if teacher is None:
        return None
    if isinstance(recipe.targets, SplitTaught):
        return _split(recipe.targets, teacher, material, job, engine, progress)
    return _distilled(recipe, teacher, material, job, job.members, engine, progress)


def teachers_say(recipe: Recipe, material: Material, job: Job, engine: str) -> Tensor:
    """What each distilled model's own teacher says of every sample, members or not, as `teach` gives it.

    The teachers are trained again, to the same bits: nothing of them is kept.
    Raises InputError for a recipe that does not distill.
    """
    teacher = teacher_of(recipe)
    if teacher is None or not isinstance(recipe.targets, Distilled):
        raise InputError(f"targets={recipe.targets} have no teacher that could be asked about every sample")
    everything = tuple(np.arange(len(material.inputs)) for _ in job.models)
    return _distilled(recipe, teacher, material, job, everything, engine, lambda _: None)


def _distilled(
    recipe: Recipe,
    teacher: Recipe,
    material: Material,
    job: Job,
    samples: Sequence[Members],
    engine: str,
    progress: Progress,
) -> Tensor:
    assert isinstance(recipe.targets, Distilled)
    taught = replace(job, seed=seeds.derive(job.seed, "teacher"), scratch=None, soft=None)
    soft = _nothing_said(material, len(job.models))
    for row, trained, asked in zip(
        soft, trained_first(teacher, material, taught, engine, progress), samples, strict=True
    ):
        row[asked] = _says(teacher, material, trained, asked, recipe.targets.temperature)
    return soft


def left_out(
    targets: SplitTaught, seed: int, model: int, members: Members
) -> Bool[np.ndarray, "submodels members"]:
    """Which sub-models of the model do not train on a member: `left_out` of them for each, at random."""
    draws = seeds.generator(seed, "left out", model).random((len(members), targets.submodels))
    ranks = draws.argsort(1).argsort(1)
    return (ranks < targets.left_out).T


def submembers(targets: SplitTaught, seed: int, model: int, members: Members) -> tuple[Members, ...]:
    """The members that each sub-model of the model trains on.

    Raises InputError where a sub-model would have too few.
    """
    chosen = tuple(members[~out] for out in left_out(targets, seed, model, members))
    if min(len(one) for one in chosen) < FEWEST:
        raise InputError(
            f"selena: model {model} has {len(members)} members, which leave a sub-model fewer than {FEWEST}; "
            "give more samples, or a smaller left_out"
        )
    return chosen


def _split(
    targets: SplitTaught, teacher: Recipe, material: Material, job: Job, engine: str, progress: Progress
) -> Tensor:
    soft = _nothing_said(material, len(job.models))
    for row, model, members in zip(soft, job.models, job.members, strict=True):
        parts = submembers(targets, job.seed, model, members)
        own = Job(tuple(range(targets.submodels)), parts, seeds.derive(job.seed, "sub-models", model))
        absent = left_out(targets, job.seed, model, members)
        for trained, out in zip(trained_first(teacher, material, own, engine, progress), absent, strict=True):
            unseen = members[out]
            row[unseen] += _says(teacher, material, trained, unseen) / targets.left_out
    return soft


def trained_first(
    recipe: Recipe, material: Material, job: Job, engine: str, progress: Progress
) -> list[Trained]:
    """The job's models, taught first where their own recipe says so; nothing of them is measured."""
    job = replace(job, soft=teach(recipe, material, job, engine, progress))
    never = Observation(checkpoints=(recipe.epochs + 1,))
    return engines.named(_able(recipe, material, engine))(recipe, material, job, never, progress)


def _able(recipe: Recipe, material: Material, engine: str) -> str:
    """The engine, if it can train that recipe, else the one that would be chosen."""
    with torch.random.fork_rng(devices=[]):
        module = build(recipe.model, material.shape, material.num_classes)
    try:
        return engines.choose(recipe, module, 1, material.device, engine).engine
    except InputError:
        return engines.choose(recipe, module, 1, material.device).engine


def _nothing_said(material: Material, models: int) -> Tensor:
    shape = (models, len(material.inputs), material.num_classes)
    return torch.zeros(shape, dtype=torch.float32, device=material.device)


def _says(
    recipe: Recipe, material: Material, trained: Trained, samples: Members, temperature: float = 1.0
) -> Tensor:
    """The softmax of the trained model's logits / temperature, [samples classes], in evaluation mode."""
    return torch.softmax(answers(recipe, material, trained, samples) / temperature, -1)


@torch.no_grad()
def answers(recipe: Recipe, material: Material, trained: Trained, samples: Members) -> Tensor:
    """The trained model's logits, [samples classes] float32, in evaluation mode."""
    with torch.random.fork_rng(devices=[]):
        module = reopened(recipe, material, trained.weights)
    inputs = material.inputs[torch.from_numpy(samples).to(material.device)]
    logits = [as_columns(module(chunk).float()) for chunk in inputs.split(evaluation_batch(material))]
    return torch.cat(logits)
