"""The second phase of a training: what goes back to its initialization, what learns, and what stays."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vestige.training.objective import Objective, bound
from vestige.training.recipe import Recipe


def phase_of(recipe: Recipe, epoch: int) -> tuple[int, int]:
    """The epoch's place in its phase, and how many epochs the phase has; one phase without retraining."""
    later = 0 if recipe.retraining is None else recipe.retraining.epochs
    first = recipe.epochs - later
    return (epoch, first) if epoch < first else (epoch - first, later)


def begins_again(recipe: Recipe, epoch: int) -> bool:
    """Whether the second phase begins with that epoch."""
    return recipe.retraining is not None and phase_of(recipe, epoch)[0] == 0 and epoch > 0


@dataclass(frozen=True, eq=False)
class Second:
    """What learns in the second phase and from what, and the parts whose statistics stay as they are."""

    objective: Objective
    learning: list[nn.Parameter]
    resting: list[nn.Module]

    def rest(self) -> None:
        """Take the parts that stay out of training mode."""
        for part in self.resting:
            part.eval()


@torch.no_grad()
def rewound(
    recipe: Recipe, module: nn.Module, initial: nn.Module, inputs: Tensor, classes: int = 0, seed: int = 0
) -> Second:
    """The module with its protected regions as they were initialized, and the rest frozen; changed in place.

    inputs: a few samples, to see the module's regions. seed: of what the loss itself has to learn.
    """
    assert recipe.retraining is not None
    regions = recipe.retraining.protected.of(module, inputs)
    own = {name for region in regions for name in (*region.parameters, *region.buffers)}
    state, beginning = module.state_dict(), initial.state_dict()
    for name in own & state.keys():
        state[name].copy_(beginning[name])
    for name, parameter in module.named_parameters():
        parameter.requires_grad_(name in own and parameter.requires_grad)
    loss = bound(recipe.retraining.loss, module, inputs, classes, seed)
    learning = [parameter for parameter in module.parameters() if parameter.requires_grad]
    return Second(Objective(loss), learning, list(_with_buffers(module, own)))


def _with_buffers(module: nn.Module, moving: set[str]) -> Iterable[nn.Module]:
    """The parts that have buffers of their own, none of which may move."""
    for prefix, part in module.named_modules():
        names = [f"{prefix}.{name}" if prefix else name for name, _ in part.named_buffers(recurse=False)]
        if names and not moving.intersection(names):
            yield part
