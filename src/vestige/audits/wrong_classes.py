"""How probability spreads over the wrong classes: smoothing flattens it for members alone."""

import numpy as np
import torch
from jaxtyping import Float64

from vestige.audits.opened import answers, opened
from vestige.population.plan import Plan
from vestige.population.store import Store
from vestige.training.engine import Material


def wrong_class_spreads(plan: Plan, store: Store, models: int) -> Float64[np.ndarray, "models samples"]:
    """The standard deviation of each sample's probabilities over the classes that are not its label.

    Of the first models. Under label smoothing a member's approach one value, a / K, and a non-member's do
    not: that is what an attack then sees (Kaya and Dumitras 2021). NaN with two classes.
    """
    material = Material.of(plan.dataset, torch.device(plan.device))
    found = np.full((models, plan.dataset.num_samples), np.nan)
    if material.num_classes < 3:
        return found
    for model, module in opened(plan, store, material, range(models)):
        p = answers(module, material).softmax(-1)
        wrong = torch.ones_like(p, dtype=torch.bool).scatter(1, material.targets[:, None], value=False)
        found[model] = p[wrong].view(len(p), -1).double().std(1, correction=0).cpu().numpy()
    return found
