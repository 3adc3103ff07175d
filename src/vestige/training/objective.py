"""What one step of training differentiates, and which parameters take which gradient."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from vestige.training.centered import Centered, CenterRelaxed
from vestige.training.losses import Loss
from vestige.training.recipe import Recipe

Bound = Loss | Centered
RATE = "rate"  # key of an optimizer's group: its learning rate in units of the recipe's


@dataclass(frozen=True, eq=False)
class Objective:
    """The losses of a network's two parts, which are found in one forward pass.

    loss: of the rest. protecting: of the protected parameters; None where nothing is protected.
    strength: the share of `protecting` in what they learn from; loss has what is left.
    rate: of the protected parameters, in units of the optimizer's. first_epoch: the first with `protecting`.
    """

    loss: Bound
    rest: Sequence[nn.Parameter] = ()
    protecting: Bound | None = None
    protected: Sequence[nn.Parameter] = ()
    strength: int | float = 1.0
    rate: int | float = 1.0
    first_epoch: int = 0

    @classmethod
    def of(
        cls, recipe: Recipe, module: nn.Module, inputs: Tensor, classes: int = 0, seed: int = 0
    ) -> "Objective":
        """The recipe's objective.

        inputs: a few samples, to see the module's regions. seed: of what the loss itself has to learn.
        """
        routing = recipe.routing
        if routing is None or routing.loss is None:
            return cls(bound(recipe.loss, module, inputs, classes, seed))
        names = {name for region in routing.protected.of(module, inputs) for name in region.parameters}
        learning = {name: value for name, value in module.named_parameters() if value.requires_grad}
        return cls(
            bound(recipe.loss, module, inputs, classes, seed),
            [value for name, value in learning.items() if name not in names],
            bound(routing.loss, module, inputs, classes, seed),
            [value for name, value in learning.items() if name in names],
            routing.strength,
            routing.rate,
            routing.first_epoch,
        )

    def groups(self, module: nn.Module) -> list[dict[str, Any]]:
        """The module's parameters as torch's optimizers take them, each group with the rate of its own."""
        if self.rate == 1:
            return [{"params": list(module.parameters())}]
        groups = [{"params": self.rest}, {"params": self.protected, RATE: self.rate}]
        return [group for group in groups if group["params"]]

    def differentiate(self, logits: Tensor, targets: Tensor, epoch: int) -> None:
        """Leave each parameter the gradient of its own mean batch loss, from logits [batch classes]."""
        for learned in self._learned():
            learned.optimizer.zero_grad()
        self._differentiate(logits, targets, epoch)
        for learned in self._learned():
            learned.optimizer.step()

    def _differentiate(self, logits: Tensor, targets: Tensor, epoch: int) -> None:
        if self.protecting is None or not self.protected or epoch < self.first_epoch:
            self.loss(logits, targets, epoch).mean().backward()
            return
        plain = self.loss(logits, targets, epoch).mean()
        defended = self.protecting(logits, targets, epoch).mean()
        if self.strength < 1:
            defended = self.strength * defended + (1 - self.strength) * plain
        if not self.rest:
            defended.backward()
            return
        _leave(plain, self.rest, retain=True)
        centers = [learned.centers for learned in self._learned()]
        _leave(defended, [*self.protected, *centers])

    def _learned(self) -> list[Centered]:
        return [one for one in (self.loss, self.protecting) if isinstance(one, Centered)]


def bound(loss: Loss, module: nn.Module, inputs: Tensor, classes: int, seed: int) -> Bound:
    """The loss as it can be asked about the module's logits, with what it has to learn itself."""
    if isinstance(loss, CenterRelaxed) and loss.weight > 0:
        return Centered(loss, module, inputs, classes, seed)
    return loss


def _leave(loss: Tensor, parameters: Sequence[nn.Parameter], retain: bool = False) -> None:
    """The gradient in these parameters alone: what lies below all of them is not differentiated."""
    found = torch.autograd.grad(loss, parameters, retain_graph=retain, allow_unused=True)
    for parameter, gradient in zip(parameters, found, strict=True):
        parameter.grad = gradient
