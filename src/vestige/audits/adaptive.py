"""The attacker who knows the defense: queries as training drew them, and the loss that it minimized."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor, nn

from vestige.audits.opened import answers, opened
from vestige.core import seeds
from vestige.data.transforms import Identity
from vestige.population.plan import Plan
from vestige.population.store import Store
from vestige.signals.confidence import Prediction, scaled_logit
from vestige.training import teaching
from vestige.training.engine import Job, Material
from vestige.training.losses import CrossEntropy
from vestige.training.recipe import Recipe, losses_of
from vestige.training.targets import Distilled

Undo = Callable[[nn.Module, Tensor], Tensor]  # released logits of a module to those before, NaN if it cannot
DRAWS = 20  # augmented copies of each sample (Kaya and Dumitras 2021 take 20 to 25)


@dataclass(frozen=True, eq=False)
class Adapted:
    """What the attacker observes of every sample under every model, mean over draws of the augmentation.

    losses: in nats, as training minimized them; lower = more likely a member.
    scaled_logits: higher = more confident in the label. All models answer the same augmented copies.
    own_loss: whether training's loss is another than the plain one.
    undone: the share of draws whose released logits could be undone; the others are taken as they are.
    """

    losses: Float64[np.ndarray, "models samples"]
    scaled_logits: Float64[np.ndarray, "models samples"]
    own_loss: bool
    undone: Float64[np.ndarray, "models samples"]

    @property
    def statistic(self) -> Float64[np.ndarray, "models samples"]:
        """What a likelihood ratio is taken of: minus the own loss, or the scaled logit where it is plain."""
        return -self.losses if self.own_loss else self.scaled_logits


def is_adaptable(recipe: Recipe) -> bool:
    """Whether knowing the recipe tells an attacker more than the plain loss on the plain sample."""
    return not isinstance(recipe.augmentation, Identity) or _has_own_loss(recipe)


def adapted(plan: Plan, store: Store, draws: int = DRAWS, undo: Undo | None = None) -> Adapted:
    """The attacker's observations of a trained population; the models are in evaluation mode.

    undo: what an attacker who knows the recipe's output makes of released logits before looking at them.

    Smoothed labels and confidence penalties are part of the loss, and in distillation the labels are those of
    the model's own teacher, the most that an attacker with a teacher could know. A loss of whole batches is
    taken as plain cross-entropy.
    """
    recipe = plan.recipe
    material = Material.of(plan.dataset, torch.device(plan.device))
    copies = 1 if isinstance(recipe.augmentation, Identity) else draws
    shape = (plan.membership.num_models, plan.dataset.num_samples)
    found = np.empty((3, *shape))
    for task in plan.tasks:
        soft = _taught(plan, material, task.job)
        for model, module in opened(plan, store, material, task.job.models):
            noise = torch.Generator(material.device).manual_seed(seeds.derive(plan.seed, "adaptive"))
            targets = material.targets if soft is None else soft[task.job.models.index(model)]
            rows = [_observed(module, recipe, material, targets, noise, undo) for _ in range(copies)]
            found[:, model] = torch.stack(rows).mean(0).cpu().numpy()
    losses, logits, undone = found
    return Adapted(losses, logits, _has_own_loss(recipe), undone)


def _observed(
    module: nn.Module,
    recipe: Recipe,
    material: Material,
    targets: Tensor,
    noise: torch.Generator,
    undo: Undo | None,
) -> Tensor:
    """Losses, scaled logits and what was undone, under one draw of the augmentation, [3 samples] float64."""
    released = answers(module, material, lambda inputs: recipe.augmentation(inputs, noise))
    logits = released if undo is None else undo(module, released).to(released.dtype)
    undone = logits.isfinite().all(-1)
    logits = torch.where(undone.unsqueeze(-1), logits, released)
    known = Prediction(logits, material.targets)
    return torch.stack([_loss(recipe)(logits, targets), scaled_logit(known), undone]).double()


def _taught(plan: Plan, material: Material, job: Job) -> Tensor | None:
    if not isinstance(plan.recipe.targets, Distilled):
        return None
    return teaching.teachers_say(plan.recipe, material, job, plan.choice.engine)


def _loss(recipe: Recipe) -> CrossEntropy:
    """What training minimized; of a recipe with regions, what the protected ones learned from."""
    last = losses_of(recipe)[-1]
    if not isinstance(last, CrossEntropy):
        return CrossEntropy()
    share = 1.0 if recipe.routing is None else float(recipe.routing.strength)
    return CrossEntropy(
        label_smoothing=share * last.label_smoothing, confidence_penalty=share * last.confidence_penalty
    )


def _has_own_loss(recipe: Recipe) -> bool:
    return _loss(recipe) != CrossEntropy() or isinstance(recipe.targets, Distilled)
