"""The engine of differentially private training, through Opacus.

DP-SGD (Abadi et al. 2016, algorithm 1): each step draws every member with the same probability, clips each
sample's gradient, adds Gaussian noise to the sum and divides by the expected batch size. Random numbers come
from streams named by seed and model, so that runs repeat; they are not cryptographically secure.
"""

import contextlib
import copy
import warnings
from collections.abc import Generator, Iterator

import numpy as np
import torch
from torch import Tensor, nn

from vestige.core import seeds
from vestige.core.errors import InputError
from vestige.signals.measure import Observation
from vestige.training.accounting import Sampling, epsilon_spent, noise_for, noise_of, opacus, statement
from vestige.training.centered import CenterRelaxed
from vestige.training.engine import Job, Material, Progress, Recording, Trained, initialized
from vestige.training.logits import as_columns
from vestige.training.losses import RelaxLoss
from vestige.training.optimizers import SAM
from vestige.training.recipe import Recipe
from vestige.training.reopened import as_trained
from vestige.training.sequential import final_weights, observe, release, set_learning_rate
from vestige.training.targets import Distilled, DisturbedLabels, SplitTaught

__all__ = ["Learner", "epsilon_spent", "noise_for", "require", "statement", "train", "unsupported"]

MOST_NUMBERS = 2**27  # of per-sample gradients held at once: half a gigabyte


def unsupported(module: nn.Module, recipe: Recipe) -> str | None:
    """Why this engine cannot train the module, or None if it can."""
    return _unsound(recipe) or _unclippable(module, recipe)


def require(recipe: Recipe, job: Job) -> None:
    """Raise InputError where no noise keeps a model of the job within the recipe's budget."""
    if recipe.privacy is not None:
        fewest = min(len(members) for members in job.members)  # they are drawn the most often
        noise_of(recipe.privacy, fewest, recipe.batch_size, recipe.epochs)


def _unsound(recipe: Recipe) -> str | None:
    if recipe.privacy is None:
        return "the recipe asks for no differential privacy"
    if isinstance(recipe.targets, Distilled | SplitTaught):
        return "a teacher that trains on the same members without noise would void the guarantee"
    if recipe.mixing is not None:
        return "mixup puts two samples into one gradient, so that clipping bounds neither"
    if isinstance(recipe.loss, RelaxLoss | CenterRelaxed):
        return (
            "a relaxed loss looks at the mean of the batch, so that one sample moves the gradients of others"
        )
    if isinstance(recipe.optimizer, SAM):
        return "SAM looks at the batch twice, and the accountant counts one look"
    if recipe.precision != "float32":
        return f"gradients are clipped in float32, not in {recipe.precision}"
    return None


def _unclippable(module: nn.Module, recipe: Recipe) -> str | None:
    library = opacus()
    changed = as_trained(recipe, copy.deepcopy(module)).train()
    errors = [
        *_buffered(changed),
        *library.validators.ModuleValidator.validate(changed, strict=False),
        *library.grad_sample.GradSampleModule.validate(changed, strict=False),
    ]
    return f"Opacus finds no gradient per sample: {_first_sentence(errors[0])}" if errors else None


def _buffered(module: nn.Module) -> Iterator[str]:
    """Parts with parameters of their own and a buffer, which Opacus takes for statistics of the batch.

    Its own message prints the whole part.
    """
    for name, part in module.named_modules():
        buffers = [own for own, _ in part.named_buffers()]
        if buffers and any(p.requires_grad for p in part.parameters(recurse=False)):
            yield (
                f"{name or 'the network'} ({type(part).__name__}) holds parameters beside a buffer, "
                f"{buffers[0]}, where one belongs into a part of its own"
            )


def _first_sentence(error: object) -> str:
    return " ".join(str(error).split()).partition(". ")[0]


def train(
    recipe: Recipe, material: Material, job: Job, observation: Observation, progress: Progress
) -> list[Trained]:
    """The trained models, in the order of `job.models`."""
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
    model = job.models[position]
    recording = Recording.of(recipe, observation, job, model)
    with _own_random_state(seeds.derive(job.seed, "noise", model), material.device), _quiet():
        learner = Learner(recipe, material, job, position)
        for epoch in range(recipe.epochs):
            if epoch in observation.checkpoints:
                released = release(recipe, learner.module, material, learner.members)
                recording.add(observe(learner.module, material, observation, released))
            learner.train_epoch(epoch)
            progress(1)
        released = release(recipe, learner.module, material, learner.members)
        if recipe.epochs in observation.checkpoints:
            recording.add(observe(learner.module, material, observation, released))
    return Trained(model, recording.values(), final_weights(learner.module, released))


class Learner:
    """One model, its members, and the streams of its batches, noise, augmentation and labels."""

    def __init__(self, recipe: Recipe, material: Material, job: Job, position: int) -> None:
        assert recipe.privacy is not None
        self.model, self.members, self.seed = job.models[position], job.members[position], job.seed
        self.recipe, self.material = recipe, material
        self.sampling = Sampling(len(self.members), recipe.batch_size)
        self.module = as_trained(recipe, initialized(recipe, material, self.seed, self.model))
        self.batches = seeds.generator(self.seed, "poisson batches", self.model)
        self.augment = self._stream("augmentation")
        library = opacus()
        self.with_samples = library.grad_sample.GradSampleModule(self.module, loss_reduction="sum")
        protected, self.rest = _parted(recipe, self.module, material.inputs[:2])
        self.plain = recipe.optimizer.build(self.rest) if self.rest else None
        self.optimizer = library.optimizers.DPOptimizer(
            recipe.optimizer.build(protected),
            noise_multiplier=noise_of(recipe.privacy, len(self.members), recipe.batch_size, recipe.epochs),
            max_grad_norm=recipe.privacy.clip,
            expected_batch_size=self.sampling.expected,
            generator=self._stream("privacy noise"),
        )
        parameters = sum(p.numel() for p in self.module.parameters())
        self.most = max(1, MOST_NUMBERS // parameters)

    def train_epoch(self, epoch: int) -> None:
        """The steps of that epoch: as many as make members / batch_size an epoch on average."""
        self.module.train()
        set_learning_rate(self.optimizer, self.recipe, epoch)
        if self.plain is not None:
            set_learning_rate(self.plain, self.recipe, epoch)
        disturbing = seeds.generator(self.seed, "labels", self.model, epoch)
        for _ in range(self.sampling.steps(epoch + 1) - self.sampling.steps(epoch)):
            chosen = self.sampling.draw(self.members, self.batches)
            labels = self.material.labels[chosen]
            if isinstance(self.recipe.targets, DisturbedLabels):
                labels = self.recipe.targets(labels, self.material.num_classes, disturbing)
            self.step(self._tensor(chosen), self._tensor(labels))

    def step(self, chosen: Tensor, targets: Tensor) -> None:
        """One step on these samples and labels, [batch]; a step of noise alone where there are none."""
        inputs = self.material.inputs[chosen]
        if len(chosen):
            inputs = self.recipe.augmentation(inputs, self.augment)
        parts = list(zip(inputs.split(self.most), targets.split(self.most), strict=True))
        for number, part in enumerate(parts, 1):
            self._differentiate(*part)
            self.optimizer.signal_skip_step(number < len(parts))  # clip and add up; move with the last part
            self.optimizer.step()
            self.optimizer.zero_grad()
            for parameter in self.rest:
                parameter.grad_sample = None  # pyright: ignore[reportAttributeAccessIssue]
        if self.plain is not None:
            self._move_rest(self.plain)

    def _move_rest(self, plain: torch.optim.Optimizer) -> None:
        """A step of what is not protected, by the mean gradient: the sum over the expected batch size."""
        for parameter in self.rest:
            found = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            parameter.grad = found / self.sampling.expected
        plain.step()
        plain.zero_grad()

    def _differentiate(self, inputs: Tensor, targets: Tensor) -> None:
        """Leave the gradient of each sample's loss with the parameters."""
        if len(inputs):
            logits = as_columns(self.with_samples(inputs).float())
            self.recipe.loss(logits, targets).sum().backward()
            return
        for parameter in self.optimizer.params:
            parameter.grad_sample = parameter.new_zeros((0, *parameter.shape))

    def _tensor(self, values: np.ndarray) -> Tensor:
        return torch.from_numpy(values).to(self.material.device)

    def _stream(self, name: str) -> torch.Generator:
        return torch.Generator(self.material.device).manual_seed(seeds.derive(self.seed, name, self.model))


def _parted(
    recipe: Recipe, module: nn.Module, inputs: Tensor
) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """The parameters whose gradients are clipped and noisy, and the others; all and none without routing."""
    learning = {name: value for name, value in module.named_parameters() if value.requires_grad}
    if recipe.routing is None:
        return list(learning.values()), []
    regions = recipe.routing.protected.of(module, inputs)
    names = {name for region in regions for name in region.parameters}
    if names.isdisjoint(learning):
        raise InputError("dp_sgd: no protected parameter learns; protect a region that does, or drop dp_sgd")
    return [p for n, p in learning.items() if n in names], [p for n, p in learning.items() if n not in names]


@contextlib.contextmanager
def _own_random_state(seed: int, device: torch.device) -> Generator[None]:
    """Layers such as dropout draw from torch's global state; give it a named seed, then restore it."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


@contextlib.contextmanager
def _quiet() -> Generator[None]:
    """The first layer's inputs need no gradient, and its hook says so at each step."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Full backward hook is firing when gradients are computed")
        yield
