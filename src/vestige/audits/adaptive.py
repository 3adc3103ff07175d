"""The attacker who knows the defense: the loss that training minimized, under the augmentation it used."""

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor, nn

from vestige.core import seeds
from vestige.data.transforms import Identity
from vestige.population.plan import Plan
from vestige.population.store import Store
from vestige.training.arithmetic import configure, restored
from vestige.training.engine import Material
from vestige.training.losses import CrossEntropy
from vestige.training.recipe import Recipe
from vestige.training.reopened import reopened
from vestige.training.sequential import as_columns, evaluation_batch

DRAWS = 20  # augmented copies of each sample (Kaya and Dumitras 2021 take 20 to 25)


def is_adaptable(recipe: Recipe) -> bool:
    """Whether knowing the recipe tells an attacker more than the plain loss on the plain sample."""
    return not isinstance(recipe.augmentation, Identity) or _own_loss(recipe) != CrossEntropy()


def training_losses(plan: Plan, store: Store, draws: int = DRAWS) -> Float64[np.ndarray, "models samples"]:
    """The loss of every sample under every model as training saw it, mean over draws of the augmentation.

    Smoothed labels and confidence penalties are part of the loss; a loss of whole batches is taken as plain
    cross-entropy. The model is in evaluation mode. Lower = more likely a member.
    """
    recipe, number = plan.recipe, plan.membership.num_models
    copies = 1 if isinstance(recipe.augmentation, Identity) else draws
    material = Material.of(plan.dataset, torch.device(plan.device))
    found = np.empty((number, plan.dataset.num_samples))
    with restored(), torch.random.fork_rng(devices=[]):
        configure(threads=1, device=plan.device)
        for model in range(number):
            module = reopened(recipe, material, store.weights(model))
            noise = torch.Generator(material.device).manual_seed(seeds.derive(plan.seed, "adaptive", model))
            rows = [_losses(module, recipe, material, noise) for _ in range(copies)]
            found[model] = torch.stack(rows).mean(0).cpu().numpy()
    return found


@torch.no_grad()
def _losses(module: nn.Module, recipe: Recipe, material: Material, noise: torch.Generator) -> Tensor:
    """The losses of all samples, each under one draw of the augmentation, float64."""
    loss, size = _own_loss(recipe), evaluation_batch(material)
    parts = [
        loss(as_columns(module(recipe.augmentation(inputs, noise)).float()), targets)
        for inputs, targets in zip(material.inputs.split(size), material.targets.split(size), strict=True)
    ]
    return torch.cat(parts).double()


def _own_loss(recipe: Recipe) -> CrossEntropy:
    return recipe.loss if isinstance(recipe.loss, CrossEntropy) else CrossEntropy()
