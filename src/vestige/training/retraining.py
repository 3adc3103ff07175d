"""The second phase of a training: what goes back to its initialization, what learns, and what stays."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from vestige.training.critical import largest, set_apart, weight_scores
from vestige.training.engine import Material
from vestige.training.objective import Objective, bound
from vestige.training.recipe import Recipe
from vestige.training.routing import CriticalWeights


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
    """What learns in the second phase and from what, and what stays: statistics of parts, single weights."""

    objective: Objective
    learning: list[nn.Parameter]
    resting: list[nn.Module]
    fixed: list[tuple[nn.Parameter, Tensor]] = field(default_factory=list[tuple[nn.Parameter, Tensor]])

    @torch.no_grad()
    def hold(self) -> None:
        """Put single weights that stay back to where they were; NaN marks those that move."""
        for parameter, values in self.fixed:
            parameter.copy_(torch.where(values.isnan(), parameter, values))

    def rest(self) -> None:
        """Take the parts that stay out of training mode."""
        for part in self.resting:
            part.eval()


def second_phase(
    recipe: Recipe, module: nn.Module, initial: nn.Module, material: Material, members: Tensor, seed: int
) -> Second:
    """The module as it goes into the second phase, changed in place, with what learns and what stays.

    initial: the module as it was initialized. seed: of what the loss itself has to learn, and of the members
    that are set apart for scores of weights.
    """
    assert recipe.retraining is not None
    again, few = recipe.retraining, material.inputs[:2]
    loss = bound(again.loss, module, few, material.num_classes, seed)
    if again.critical is not None:
        fixed = _critical(again.critical, module, initial, material, members, seed)
        learning = [parameter for parameter in module.parameters() if parameter.requires_grad]
        second = Second(Objective(loss), learning, [], fixed)
        second.hold()
        return second
    regions = again.protected.of(module, few)
    own = {name for region in regions for name in (*region.parameters, *region.buffers)}
    _rewind(module, initial, own)
    learning = [parameter for parameter in module.parameters() if parameter.requires_grad]
    return Second(Objective(loss), learning, list(_with_buffers(module, own)))


@torch.no_grad()
def _rewind(module: nn.Module, initial: nn.Module, own: set[str]) -> None:
    """Put what is named back to its initialization, and freeze the rest."""
    state, beginning = module.state_dict(), initial.state_dict()
    for name in own & state.keys():
        state[name].copy_(beginning[name])
    for name, parameter in module.named_parameters():
        parameter.requires_grad_(name in own and parameter.requires_grad)


def _critical(
    chosen: CriticalWeights,
    module: nn.Module,
    initial: nn.Module,
    material: Material,
    members: Tensor,
    seed: int,
) -> list[tuple[nn.Parameter, Tensor]]:
    """Each parameter with the initial values of its critical weights, NaN elsewhere."""
    module.eval()
    apart = set_apart(members, seed)
    scores, _ = weight_scores(module, initial.eval(), material, members, apart, chosen.trade)
    beginning = dict(initial.named_parameters())
    return [
        (module.get_parameter(name), torch.where(mask, beginning[name].detach(), torch.nan))
        for name, mask in largest(scores, chosen.share).items()
    ]


def _with_buffers(module: nn.Module, moving: set[str]) -> Iterable[nn.Module]:
    """The parts that have buffers of their own, none of which may move."""
    for prefix, part in module.named_modules():
        names = [f"{prefix}.{name}" if prefix else name for name, _ in part.named_buffers(recurse=False)]
        if names and not moving.intersection(names):
            yield part
