"""The fast engine for multilayer perceptrons: many models as one batched tensor program.

Weights are stacked to [models in out] and the backward pass is written by hand, so that each step is a
few batched matrix multiplies. Initialization, batches and dropout come from the same streams as in the
sequential engine; the models agree with it up to float32 rounding.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from vestige.core import seeds
from vestige.data.transforms import View
from vestige.models.region import is_tied
from vestige.signals.measure import Observation, measure
from vestige.training.engine import Job, Material, Progress, Recording, Trained, initialized
from vestige.training.feed import Batch, Feed
from vestige.training.losses import Loss
from vestige.training.optimizers import SAM, SGD, base_rule
from vestige.training.output import Release
from vestige.training.perceptron import ACTIVATIONS, Layer, alternates, layers_of, stacked_parameters
from vestige.training.recipe import Recipe, has_centers
from vestige.training.routing import Routing
from vestige.training.snapshots import snapshot
from vestige.training.updates import StackedAdam, StackedClimb, StackedSGD, Taker, stacked_update

EVALUATION_BATCH = 512  # samples per forward pass, as in the sequential engine


def unsupported(module: nn.Module, recipe: Recipe) -> str | None:
    """Why this engine cannot train the module, or None if it can."""
    if type(module) is not nn.Sequential:  # a subclass may have a forward of its own
        return f"{type(module).__name__} is not an nn.Sequential of linear layers"
    for child in module:
        if type(child) not in {nn.Flatten, nn.Linear, nn.Dropout, nn.Identity, *ACTIVATIONS}:
            return f"it holds a {type(child).__name__} layer"
    if not alternates(module):
        return "its layers are not linear layers, each followed by at most one activation and one dropout"
    if not all(p.requires_grad for p in module.parameters()):
        return "some of its parameters are frozen"
    if is_tied(module):
        return "two of its layers share a parameter"
    rule = base_rule(recipe.optimizer)
    if recipe.retraining is not None:
        return "a part of it is trained again by itself"
    if has_centers(recipe):
        return "its loss learns centers of the features"
    if recipe.routing is not None and _splits_layers(recipe.routing):
        return "its regions part the weight of a layer from its bias"
    if isinstance(rule, SGD) and rule.nesterov:
        return "Nesterov momentum is not part of it"
    return None


def _splits_layers(routing: Routing) -> bool:
    parts = [part for _, names in routing.protected.partition for part in names]
    return any(part.endswith((".weight", ".bias")) for part in parts)


def train(
    recipe: Recipe, material: Material, job: Job, observation: Observation, progress: Progress
) -> list[Trained]:
    """The trained models, in the order of `job.models`."""
    stack = Stack(recipe, material, job)
    early: list[dict[str, Tensor]] = [{} for _ in job.models]
    recording = Recording.of(recipe, observation, job, job.models[0])
    with torch.no_grad():
        for epoch in range(recipe.epochs):
            if epoch in observation.checkpoints:
                recording.add(stack.observe(observation, stack.release()))
            for position, kept in enumerate(early):
                kept |= snapshot(observation, epoch, partial(stack.weights, position))
            stack.train_epoch(epoch)
            progress(len(job.models))
        released = stack.release()
        if recipe.epochs in observation.checkpoints:
            recording.add(stack.observe(observation, released))
    place = {model: position for position, model in enumerate(stack.models)}
    return [
        Trained(m, recording.values(place[m]), stack.weights(place[m], released) | early[place[m]])
        for m in job.models
    ]


Weighted = tuple[tuple[Loss, int | float], ...]


@dataclass(frozen=True)
class Route:
    """The layers, by place, that learn from a weighted sum of losses, at a rate in units of the recipe's."""

    layers: frozenset[int]
    losses: Weighted
    rate: int | float = 1.0


def _routes(
    recipe: Recipe, material: Material, module: nn.Sequential, layers: list[Layer]
) -> tuple[Route, ...]:
    """Which layers learn from what: all from the recipe's loss, unless it routes another to some."""
    every = frozenset(range(len(layers)))
    routing = recipe.routing
    if routing is None or routing.loss is None:
        return (Route(every, ((recipe.loss, 1),)),)
    regions = routing.protected.of(module, material.inputs[:2])
    names = {name for region in regions for name in region.parameters}
    protected = frozenset(place for place, layer in enumerate(layers) if f"{layer.name}.weight" in names)
    blended = ((routing.loss, routing.strength), (recipe.loss, 1 - routing.strength))
    losses = blended if routing.strength < 1 else blended[:1]
    routes = (Route(every - protected, ((recipe.loss, 1),)), Route(protected, losses, routing.rate))
    return tuple(route for route in routes if route.layers)


class Stack:
    """Models side by side, those with the most batches first."""

    def __init__(self, recipe: Recipe, material: Material, job: Job) -> None:
        job = job.at(sorted(range(len(job.models)), key=lambda i: -len(job.members[i])))
        self.recipe, self.material, self.models = recipe, material, job.models
        self.members = [torch.from_numpy(own).to(material.device) for own in job.members]
        modules = [initialized(recipe, material, job.seed, model) for model in job.models]
        first = modules[0]
        assert isinstance(first, nn.Sequential)
        self.layers = layers_of(first)
        self.routes = _routes(recipe, material, first, self.layers)
        self.plain = (Route(frozenset(range(len(self.layers))), ((recipe.loss, 1),)),)
        self.first_epoch = 0 if recipe.routing is None else recipe.routing.first_epoch
        self.parameters = stacked_parameters(modules, self.layers)
        rule = recipe.optimizer
        rates = [route.rate for i in range(len(self.layers)) for route in self.routes if i in route.layers]
        self.update: StackedSGD | StackedAdam = stacked_update(
            rule, self.parameters, [rate for rate in rates for _ in ("weight", "bias")]
        )
        self.climb = StackedClimb(rule.rho, self.parameters) if isinstance(rule, SAM) else None
        self.inputs = material.inputs.flatten(1)
        self.dtype = torch.bfloat16 if recipe.precision == "bf16" else torch.float32
        self.feed = Feed(recipe, material, job, self.dtype)
        self.noise = [
            torch.Generator(material.device).manual_seed(seeds.derive(job.seed, "noise", model))
            for model in self.models
        ]

    def train_epoch(self, epoch: int) -> None:
        """One pass of every model over its own members."""
        lr = self.recipe.optimizer.lr * self.recipe.schedule(epoch, self.recipe.epochs)
        for batch in self.feed.epoch(epoch):
            self._step(batch, epoch, lr)

    def _step(self, batch: Batch, epoch: int, lr: float) -> None:
        active, width = batch.inputs.shape[:2]
        weights, masks = self._matrices(self.parameters, active), self._dropout_masks(width, batch.sizes)
        if self.climb:
            self._differentiate(batch, epoch, weights, masks, self.climb)
            weights = self._matrices(self.climb.weights(active), active)
        self.update.begin(active)
        self._differentiate(batch, epoch, weights, masks, self.update)
        self.update.finish(active, lr)

    def _differentiate(
        self, batch: Batch, epoch: int, weights: list[Tensor], masks: list[Tensor | None], taker: Taker
    ) -> None:
        """Hand the gradient of the mean batch loss at these weights to the taker."""
        inputs = batch.inputs.flatten(2)
        outputs = self._forward(inputs, weights, masks)
        logits = outputs.pop().float()
        for route in self.plain if epoch < self.first_epoch else self.routes:
            gradient = self._logit_gradient(logits, route.losses, batch, epoch)
            self._backward([inputs, *outputs], weights, masks, gradient, route.layers, taker)

    def _matrices(self, parameters: list[Tensor], active: int) -> list[Tensor]:
        return [p[:active].to(self.dtype) for p in parameters]

    def _forward(self, inputs: Tensor, parameters: list[Tensor], masks: list[Tensor | None]) -> list[Tensor]:
        outputs: list[Tensor] = []
        hidden = inputs
        for i, (layer, mask) in enumerate(zip(self.layers, masks, strict=True)):
            hidden = layer.finish(torch.bmm(hidden, parameters[2 * i]), parameters[2 * i + 1])
            outputs.append(hidden)
            if mask is not None:
                hidden = hidden * mask
        return outputs

    def _dropout_masks(self, width: int, sizes: list[int]) -> list[Tensor | None]:
        """For each layer the factors of its outputs, [active width out], or None."""
        shapes = [(len(sizes), width, bias.shape[-1]) for bias in self.parameters[1::2]]
        return [
            self._dropout_mask(shape, layer.dropout, sizes) if layer.dropout else None
            for shape, layer in zip(shapes, self.layers, strict=True)
        ]

    def _dropout_mask(self, shape: tuple[int, ...], probability: float, sizes: list[int]) -> Tensor:
        mask = torch.zeros(shape, device=self.inputs.device)
        for row, size, generator in zip(mask, sizes, self.noise, strict=False):
            row[:size] = torch.empty_like(row[:size]).bernoulli_(1 - probability, generator=generator)
        return mask.div_(1 - probability).to(self.dtype)

    def _logit_gradient(self, logits: Tensor, losses: Weighted, batch: Batch, epoch: int) -> Tensor:
        shares, one = batch.shares, logits.shape[-1] == 1
        if one:  # a binary model's logit z stands for the pair (0, z)
            logits = torch.cat([torch.zeros_like(logits), logits], -1)
        (loss, weight), *others = losses
        gradient = loss.logit_gradient(logits, batch.targets, epoch, shares)
        if others:
            gradient = gradient.mul_(weight)
        for loss, weight in others:
            gradient.add_(loss.logit_gradient(logits, batch.targets, epoch, shares), alpha=weight)
        if one:
            gradient = gradient[..., 1:].contiguous()
        return gradient.mul_(1 / batch.sizes[0] if shares is None else shares.unsqueeze(-1))

    def _backward(
        self,
        inputs: list[Tensor],
        parameters: list[Tensor],
        masks: list[Tensor | None],
        gradient: Tensor,
        wanted: frozenset[int],
        taker: Taker,
    ) -> None:
        """Hand the taker the gradients of the wanted layers; what lies below them is not differentiated."""
        active = len(gradient)
        for i in reversed(range(len(self.layers))):
            low = gradient.to(self.dtype)
            below = masks[i - 1] if i else None
            if i in wanted:
                left = inputs[i] if below is None else inputs[i] * below
                taker.weight(2 * i, active, left, low)
                taker.gradient(2 * i + 1, active, gradient.sum(1, keepdim=True))
            if i == min(wanted):
                return
            gradient = torch.bmm(low, parameters[2 * i].transpose(1, 2))
            if below is not None:
                gradient *= below
            activation = self.layers[i - 1].activation
            if activation:
                gradient = activation.backward(gradient, inputs[i])

    def release(self) -> Release | None:
        """The recipe's output as fitted to what the models say of their members now; None without one."""
        if self.recipe.output is None:
            return None
        chunks = self.inputs.split(EVALUATION_BATCH)
        logits = torch.cat([self._evaluate(chunk)[0] for chunk in chunks], 1)
        return Release.of_many(self.recipe.output, logits, self.material.targets, self.members)

    def observe(
        self, observation: Observation, released: Release | None = None
    ) -> list[dict[str, np.ndarray]]:
        """For each query view the signals of all samples, [models samples], in float32.

        released: what is done to the logits before anybody sees them.
        """
        return [self._observe_view(observation, query, released) for query in observation.queries]

    def _observe_view(
        self, observation: Observation, query: View, released: Release | None
    ) -> dict[str, np.ndarray]:
        parts: list[dict[str, np.ndarray]] = []
        for start in range(0, len(self.inputs), EVALUATION_BATCH):
            chunk = slice(start, start + EVALUATION_BATCH)
            inputs = query(self.material.inputs[chunk]).flatten(1)
            logits, features = self._evaluate(inputs)
            shown = logits if released is None else released(logits)
            parts.append(measure(shown, self.material.targets[chunk], features, observation.signals))
        return {name: np.concatenate([part[name] for part in parts], -1) for name in parts[0]}

    def _evaluate(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Logits [models batch classes] and the last layer's inputs [models batch features]."""
        models = len(self.models)
        features = inputs.expand(models, *inputs.shape)
        # all models see the same samples, so their first layers are one wide matrix multiply
        wide = torch.mm(inputs, self.parameters[0].permute(1, 0, 2).reshape(inputs.shape[1], -1))
        hidden = wide.view(len(inputs), models, -1).transpose(0, 1).contiguous()
        for i, layer in enumerate(self.layers):
            if i:
                features, hidden = hidden, torch.bmm(hidden, self.parameters[2 * i])
            hidden = layer.finish(hidden, self.parameters[2 * i + 1])
        return hidden, features

    def weights(self, position: int, released: Release | None = None) -> dict[str, Tensor]:
        """The final weights of the model at that position, under the module's own names.

        released: its output, of which what is fitted is stored beside them.
        """
        named: dict[str, Tensor] = {}
        for i, layer in enumerate(self.layers):
            named[f"{layer.name}.weight"] = self.parameters[2 * i][position].t().cpu().contiguous()
            named[f"{layer.name}.bias"] = self.parameters[2 * i + 1][position, 0].cpu().contiguous()
        return named if released is None else named | released.stored(position)
