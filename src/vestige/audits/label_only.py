"""The attacker who sees only the predicted class (Choquette-Choo et al. 2021, arXiv 2007.14321)."""

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from vestige.audits.opened import answers, opened
from vestige.core import seeds
from vestige.population.plan import Plan
from vestige.population.store import Store
from vestige.training.engine import Material

SIZES = (0.25, 0.5, 1.0, 2.0)  # of the noise, in standard deviations of the inputs
DRAWS = 3  # noisy copies at each size


def noise_robustness(
    plan: Plan, store: Store, models: int, draws: int = DRAWS
) -> Float64[np.ndarray, "models samples"]:
    """The share of noisy copies that the first models still put in the label's class; higher = more robust.

    Members tend to lie farther from the decision boundary. Gaussian noise of several sizes around a sample
    measures that with predicted classes alone, so a defense that hides or changes confidence does not reach
    it. The plain sample counts as one of the copies.
    """
    material = Material.of(plan.dataset, torch.device(plan.device))
    spread = float(material.inputs.std())
    sizes = [0.0, *(size * spread for size in SIZES for _ in range(draws))]
    found = np.empty((models, plan.dataset.num_samples))
    for model, module in opened(plan, store, material, range(models)):
        noise = torch.Generator(material.device).manual_seed(seeds.derive(plan.seed, "label only"))
        right = torch.zeros(len(material.inputs), device=material.device)
        for size in sizes:

            def noisy(inputs: Tensor, size: float = size, noise: torch.Generator = noise) -> Tensor:
                drawn = torch.randn(inputs.shape, generator=noise, device=inputs.device)
                return inputs + size * drawn

            right += answers(module, material, noisy).argmax(-1) == material.targets
        found[model] = right.double().cpu().numpy() / len(sizes)
    return found
