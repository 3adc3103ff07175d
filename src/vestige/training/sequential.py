"""The reference engine: one model after the other, in the loop that everybody knows."""

import contextlib
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from vestige.core import seeds
from vestige.data.transforms import View
from vestige.models.penultimate import penultimate
from vestige.signals.measure import Observation, measure
from vestige.training import batches
from vestige.training.engine import Job, Material, Progress, Recording, Trained, initialized
from vestige.training.flagged import augmented, flags_of
from vestige.training.lessons import lesson, one_hot
from vestige.training.logits import as_columns
from vestige.training.mixing import blend
from vestige.training.objective import RATE, Objective
from vestige.training.optimizers import SAM
from vestige.training.output import Release
from vestige.training.recipe import Recipe
from vestige.training.retraining import Second, begins_again, phase_of, second_phase
from vestige.training.sharpness import uphill
from vestige.training.snapshots import snapshot

# Samples that a forward pass holds at once; fixed, so that signals repeat bit for bit. Measured: a few images
# stay in cache (half the time of 512 at once), rows of a table want large matrices.
IMAGE_BATCH, TABLE_BATCH = 64, 512


def train(
    recipe: Recipe, material: Material, job: Job, observation: Observation, progress: Progress
) -> list[Trained]:
    """The trained models, in the order of `job.models`."""
    material = _channels_last(material)
    return [
        _train_one(recipe, material, job, position, observation, progress)
        for position in range(len(job.models))
    ]


def _train_one(
    recipe: Recipe,
    material: Material,
    job: Job,
    position: int,
    observation: Observation,
    progress: Progress,
) -> Trained:
    model, seed = job.models[position], job.seed
    module = initialized(recipe, material, seed, model)
    if material.inputs.dim() == 4:
        module.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    own = seeds.derive(seed, "centers", model)
    objective = Objective.of(recipe, module, material.inputs[:2], material.num_classes, own)
    optimizer = recipe.optimizer.build(objective.groups(module))
    second: Second | None = None
    early: dict[str, Tensor] = {}
    recording = Recording.of(recipe, observation, job, model)
    with _own_random_state(seeds.derive(seed, "noise", model), material.device):
        augment = torch.Generator(material.device).manual_seed(seeds.derive(seed, "augmentation", model))
        for epoch in range(recipe.epochs):
            if epoch in observation.checkpoints:
                released = release(recipe, module, material, job.members[position])
                recording.add(observe(module, material, observation, released))
            early |= snapshot(observation, epoch, module.state_dict)
            if begins_again(recipe, epoch):
                initial = initialized(recipe, material, seed, model)
                members = torch.from_numpy(job.members[position]).to(material.device)
                second = second_phase(recipe, module, initial, material, members, own)
                objective, optimizer = second.objective, recipe.optimizer.build(second.learning)
            set_learning_rate(optimizer, recipe, epoch)
            module.train()
            if second is not None:
                second.rest()
            for inputs, targets in _batches(recipe, material, job, position, epoch, augment):
                _step(recipe, module, objective, optimizer, inputs, targets, phase_of(recipe, epoch)[0])
                if second is not None:
                    second.hold()
            progress(1)
        released = release(recipe, module, material, job.members[position])
        if recipe.epochs in observation.checkpoints:
            recording.add(observe(module, material, observation, released))
    return Trained(model, recording.values(), final_weights(module, released) | early)


def _batches(
    recipe: Recipe, material: Material, job: Job, position: int, epoch: int, augment: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Inputs and targets of each step: labels, or rows where they are soft or mixed."""
    drawn = lesson(recipe, material, job, position, epoch)
    orders, labels = (
        [torch.from_numpy(v).to(material.device) for v in vs] for vs in (drawn.orders, drawn.labels)
    )
    for step, span in enumerate(batches.bounds(len(orders[0]), recipe.batch_size)):
        now = slice(*span)
        turns = [(order[now], flags_of(job, position, order[now])) for order in orders]
        inputs = [augmented(recipe, material.inputs[turn], flags, augment) for turn, flags in turns]
        targets = [label[now] for label in labels]
        if job.soft is not None:
            targets = [job.soft[position][order[now]] for order in orders]
        if drawn.shares is None:
            yield inputs[0], targets[0]
            continue
        rows = targets if job.soft is not None else [one_hot(t, material.num_classes) for t in targets]
        share = float(drawn.shares[step])
        yield blend(inputs[0], inputs[1], share), blend(rows[0], rows[1], share)


def _step(
    recipe: Recipe,
    module: nn.Module,
    objective: Objective,
    optimizer: torch.optim.Optimizer,
    inputs: Tensor,
    targets: Tensor,
    epoch: int,
) -> None:
    def differentiate() -> None:
        with autocast(recipe, inputs.device):
            logits = module(inputs)
        objective.differentiate(as_columns(logits.float()), targets, epoch)

    optimizer.zero_grad(set_to_none=True)
    if isinstance(recipe.optimizer, SAM):
        # the gradient at w + rho g / ||g||, of the same function: both passes draw the same noise
        with torch.random.fork_rng(devices=_devices(inputs.device)):
            differentiate()
        with uphill(module, recipe.optimizer.rho):
            differentiate()
    else:
        differentiate()
    optimizer.step()


@torch.no_grad()
def release(recipe: Recipe, module: nn.Module, material: Material, members: np.ndarray) -> Release | None:
    """The recipe's output as fitted to what the module says of its members now; None without an output."""
    if recipe.output is None:
        return None
    own = torch.from_numpy(members).to(material.device)
    was_training = module.training
    module.eval()
    logits = [
        as_columns(module(material.inputs[part]).float()) for part in own.split(evaluation_batch(material))
    ]
    module.train(was_training)
    return Release.of(recipe.output, torch.cat(logits), material.targets[own])


def final_weights(module: nn.Module, released: Release | None) -> dict[str, Tensor]:
    """What is stored of the trained module: its weights and buffers, and what its output was fitted to."""
    own = {name: value.detach().cpu().contiguous() for name, value in module.state_dict().items()}
    return own if released is None else own | released.stored()


@torch.no_grad()
def observe(
    module: nn.Module, material: Material, observation: Observation, released: Release | None = None
) -> list[dict[str, np.ndarray]]:
    """For each query view the signals of all samples, [samples], in evaluation mode and float32.

    released: what is done to the logits before anybody sees them.
    Measuring changes nothing: evaluation mode leaves batch-norm statistics alone and draws no noise,
    and the module returns to the mode it was in.
    """
    was_training = module.training
    module.eval()
    views = [_observe_view(module, material, observation, query, released) for query in observation.queries]
    module.train(was_training)
    return views


def _observe_view(
    module: nn.Module, material: Material, observation: Observation, query: View, released: Release | None
) -> dict[str, np.ndarray]:
    head = penultimate(module, material.inputs[:2]) if observation.needs_features else None
    captured: list[Tensor] = []
    hook = head.register_forward_pre_hook(lambda _, args: captured.append(args[0])) if head else None
    logits: list[Tensor] = []
    for chunk in material.inputs.split(evaluation_batch(material)):
        output = module(query(chunk)).float()
        logits.append(output.unsqueeze(-1) if output.dim() == 1 else output)
    if hook:
        hook.remove()
    features = torch.cat(captured) if captured else None
    shown = torch.cat(logits) if released is None else released(torch.cat(logits))
    return measure(shown, material.targets, features, observation.signals)


def evaluation_batch(material: Material) -> int:
    """How many samples to evaluate at once."""
    on_cpu_images = material.device.type == "cpu" and material.inputs.dim() == 4
    return IMAGE_BATCH if on_cpu_images else TABLE_BATCH


def _channels_last(material: Material) -> Material:
    if material.inputs.dim() != 4:
        return material
    stored = material.inputs.contiguous(memory_format=torch.channels_last)
    return Material(stored, material.targets, material.shape, material.num_classes)


def set_learning_rate(optimizer: torch.optim.Optimizer, recipe: Recipe, epoch: int) -> None:
    """Give the optimizer the learning rate of that epoch."""
    for group in optimizer.param_groups:
        scheduled = recipe.optimizer.lr * recipe.schedule(*phase_of(recipe, epoch))
        group["lr"] = scheduled * group.get(RATE, 1.0)


def autocast(recipe: Recipe, device: torch.device) -> contextlib.AbstractContextManager[object]:
    """Forward passes in bfloat16 where the recipe asks for it; weights and losses stay float32."""
    if recipe.precision == "bf16":
        return torch.autocast(device.type, torch.bfloat16)
    return contextlib.nullcontext()


@contextlib.contextmanager
def _own_random_state(seed: int, device: torch.device):
    """Layers such as dropout draw from torch's global state; give it a named seed, then restore it."""
    with torch.random.fork_rng(devices=_devices(device)):
        torch.manual_seed(seed)
        yield


def _devices(device: torch.device) -> list[torch.device]:
    """The devices beside the CPU whose random state training moves."""
    return [device] if device.type == "cuda" else []
