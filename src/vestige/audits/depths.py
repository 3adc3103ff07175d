"""Prediction depths of some models of a population, which takes the models themselves."""

import numpy as np
import torch
from jaxtyping import Float64

from vestige.audits.opened import opened
from vestige.population.plan import Plan
from vestige.population.store import Store
from vestige.signals.depth import NEIGHBORS, prediction_depth
from vestige.training.engine import Material

MOST_MODELS = 4  # two pairs; each costs a search for neighbors at every stage
MOST_PASSES = 40_000  # models x samples


def prediction_depths(
    plan: Plan, store: Store, models: tuple[int, ...]
) -> Float64[np.ndarray, "models samples"] | None:
    """The depths under the first few of these models, NaN rows for the others.

    None where the models have too few members for a vote of neighbors.
    """
    mask = plan.membership.mask
    if min(int(mask[model].sum()) for model in models) <= NEIGHBORS:
        return None
    number = min(MOST_MODELS, max(2, MOST_PASSES // plan.dataset.num_samples))
    material = Material.of(plan.dataset, torch.device(plan.device))
    found = np.full((len(models), plan.dataset.num_samples), np.nan)
    for row, (model, module) in enumerate(opened(plan, store, material, models[:number])):
        members = np.flatnonzero(mask[model])
        found[row] = prediction_depth(module, material.inputs, material.targets, members, seed=plan.seed)
    return found
