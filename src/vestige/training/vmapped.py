"""Many models of any architecture at once, through torch.func: for accelerators, where launches cost most.

Models with equally many members train side by side; augmentation draws from each model's own stream.
Layers that draw noise of their own, such as dropout, are left to the sequential engine: here they could
not draw from a stream per model.
"""

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, stack_module_state, vmap
from torch.nn.modules.dropout import _DropoutNd  # pyright: ignore[reportPrivateUsage]

from vestige.data.transforms import Identity, View
from vestige.models.region import is_tied
from vestige.signals.measure import Observation, measure
from vestige.training.engine import Job, Material, Progress, Recording, Trained, initialized
from vestige.training.feed import Feed
from vestige.training.logits import as_columns
from vestige.training.optimizers import SAM
from vestige.training.output import Release
from vestige.training.recipe import Recipe, has_centers
from vestige.training.sequential import autocast, evaluation_batch, set_learning_rate
from vestige.training.sharpness import climb

State = dict[str, Tensor]


def unsupported(module: nn.Module, recipe: Recipe, signals: tuple[str, ...] = ()) -> str | None:
    """Why this engine cannot train the module and record the signals, or None if it can."""
    if recipe.routing is not None or recipe.retraining is not None:
        return "its regions learn from different losses"
    if has_centers(recipe):
        return "its loss learns centers of the features"
    if "gradient_norm" in signals:
        return "it sees logits, not the last layer's inputs"
    if any(isinstance(part, _DropoutNd) and part.p > 0 for part in module.modules()):
        return "it draws dropout noise"
    if not all(p.requires_grad for p in module.parameters()):
        return "some of its parameters are frozen"
    if is_tied(module):
        return "two of its layers share a parameter"
    return None


def train(
    recipe: Recipe, material: Material, job: Job, observation: Observation, progress: Progress
) -> list[Trained]:
    """The trained models, in the order of `job.models`."""
    done: dict[int, Trained] = {}
    for size in sorted({len(members) for members in job.members}):
        part = job.at([i for i, members in enumerate(job.members) if len(members) == size])
        for trained in _train_equal(recipe, material, part, observation, progress):
            done[trained.model] = trained
    return [done[model] for model in job.models]


def _train_equal(
    recipe: Recipe, material: Material, job: Job, observation: Observation, progress: Progress
) -> list[Trained]:
    flock = Flock(recipe, material, job)
    recording = Recording.of(recipe, observation, job, job.models[0])
    for epoch in range(recipe.epochs):
        if epoch in observation.checkpoints:
            recording.add(flock.observe(observation, flock.release()))
        flock.train_epoch(epoch)
        progress(len(job.models))
    released = flock.release()
    if recipe.epochs in observation.checkpoints:
        recording.add(flock.observe(observation, released))
    return [
        Trained(model, recording.values(i), flock.weights(i, released)) for i, model in enumerate(job.models)
    ]


class Flock:
    """Models side by side: parameters and buffers stacked to [models ...]."""

    def __init__(self, recipe: Recipe, material: Material, job: Job) -> None:
        self.recipe, self.material, self.job = recipe, material, job
        modules = [initialized(recipe, material, job.seed, model) for model in job.models]
        self.module = modules[0]
        self.parameters: State
        self.buffers: State
        self.parameters, self.buffers = stack_module_state(modules)
        self.optimizer = recipe.optimizer.build(self.parameters.values())
        self.feed = Feed(recipe, material, job)
        self.members = [torch.from_numpy(own).to(material.device) for own in job.members]

    def train_epoch(self, epoch: int) -> None:
        """One pass of every model over its own members."""
        self.module.train()
        set_learning_rate(self.optimizer, self.recipe, epoch)
        for batch in self.feed.epoch(epoch):
            self._step(batch.inputs, batch.targets, epoch)

    def _step(self, inputs: Tensor, targets: Tensor, epoch: int) -> None:
        gradients = self._gradients(self.parameters, self.buffers, inputs, targets, epoch)
        if isinstance(self.recipe.optimizer, SAM):
            uphill = self._uphill(gradients, self.recipe.optimizer.rho)
            # on copies, so that batch-norm statistics never see the climb
            buffers = {name: buffer.clone() for name, buffer in self.buffers.items()}
            gradients = self._gradients(uphill, buffers, inputs, targets, epoch)
        for name, parameter in self.parameters.items():
            parameter.grad = gradients[name]
        self.optimizer.step()

    def _gradients(
        self, parameters: State, buffers: State, inputs: Tensor, targets: Tensor, epoch: int
    ) -> State:
        loss = partial(self._loss, epoch=epoch)
        with autocast(self.recipe, self.material.device):
            return vmap(grad(loss))(parameters, buffers, inputs, targets)

    def _uphill(self, gradients: State, rho: float) -> State:
        steps = climb(list(gradients.values()), rho)
        return {
            name: self.parameters[name].detach() + step for name, step in zip(gradients, steps, strict=True)
        }

    def _loss(self, parameters: State, buffers: State, inputs: Tensor, targets: Tensor, epoch: int) -> Tensor:
        logits: Any = functional_call(self.module, (parameters, buffers), (inputs,))
        return self.recipe.loss(as_columns(logits.float()), targets, epoch).mean()

    @torch.no_grad()
    def release(self) -> Release | None:
        """The recipe's output as fitted to what the models say of their members now; None without one."""
        if self.recipe.output is None:
            return None
        logits = self._logits(Identity())
        return Release.of_many(self.recipe.output, logits, self.material.targets, self.members)

    @torch.no_grad()
    def observe(self, observation: Observation, released: Release | None = None) -> list[dict[str, Any]]:
        """For each query view the signals of all samples, [models samples], in evaluation mode.

        released: what is done to the logits before anybody sees them.
        """
        views: list[dict[str, Any]] = []
        for query in observation.queries:
            logits = self._logits(query)
            shown = logits if released is None else released(logits)
            views.append(measure(shown, self.material.targets, None, observation.signals))
        return views

    def _logits(self, query: View) -> Tensor:
        """The logits of all samples, [models samples classes], in evaluation mode."""
        self.module.eval()
        chunks = self.material.inputs.split(evaluation_batch(self.material))
        return torch.cat([self._evaluate(query(chunk)) for chunk in chunks], 1)

    def _evaluate(self, inputs: Tensor) -> Tensor:
        def forward(parameters: State, buffers: State) -> Tensor:
            output: Any = functional_call(self.module, (parameters, buffers), (inputs,))
            return output.unsqueeze(-1) if output.dim() == 1 else output

        return vmap(forward)(self.parameters, self.buffers).float()

    def weights(self, position: int, released: Release | None = None) -> State:
        """The final weights of the model at that position, under the module's own names.

        released: its output, of which what is fitted is stored beside them.
        """
        named = {**self.parameters, **self.buffers}
        own = {name: value[position].detach().cpu().contiguous() for name, value in named.items()}
        return own if released is None else own | released.stored(position)
