"""The models of a finished population, opened one after the other."""

from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor, nn

from vestige.population.plan import Plan
from vestige.population.store import Store
from vestige.training.arithmetic import configure, restored
from vestige.training.engine import Material
from vestige.training.logits import as_columns
from vestige.training.reopened import reopened
from vestige.training.sequential import evaluation_batch


def opened(
    plan: Plan, store: Store, material: Material, models: Iterable[int]
) -> Iterator[tuple[int, nn.Module]]:
    """Each model with its number, in evaluation mode and without gradients, while the loop has it.

    It runs on one thread in the arithmetic of training; after the loop the caller's own is back.
    """
    with restored(), torch.random.fork_rng(devices=[]), torch.no_grad():
        configure(threads=1, device=plan.device)
        for model in models:
            yield model, laid_out(reopened(plan.recipe, material, store.weights(model)), material)


def laid_out(module: nn.Module, material: Material) -> nn.Module:
    """The module, changed in place, with the weights of images as training had them: channels last.

    Measured on a CPU: convolution and pooling take a quarter of the time so.
    """
    if material.inputs.dim() == 4:
        module.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    return module


def answers(
    module: nn.Module, material: Material, query: Callable[[Tensor], Tensor] = lambda inputs: inputs
) -> Tensor:
    """The logits of all samples as they are after the query, [samples classes] float32."""
    chunks = material.inputs.split(evaluation_batch(material))
    return torch.cat([as_columns(module(query(inputs)).float()) for inputs in chunks])
