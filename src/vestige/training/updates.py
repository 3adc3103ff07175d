"""Update rules on stacked parameters: the same arithmetic as torch's optimizers, many models at once.

Parameters are [models ...]. A step may concern only the first `active` models, because models with
fewer members have fewer batches in an epoch.
"""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from vestige.training.optimizers import SGD, Adam, Optimizer, base_rule
from vestige.training.sharpness import climb


@runtime_checkable
class Taker(Protocol):
    """Whatever takes in gradients as the backward pass finds them."""

    def weight(self, index: int, active: int, left: Tensor, right: Tensor) -> None:
        """Take in the gradient left' right of a weight, [active in out]."""
        ...

    def gradient(self, index: int, active: int, gradient: Tensor) -> None:
        """Take in any gradient, [active ...]."""
        ...


class StackedClimb:
    """The gradients of SAM's first pass, and the weights uphill of the parameters."""

    def __init__(self, rho: float, parameters: list[Tensor]) -> None:
        self.rho, self.parameters = rho, parameters
        self.found: list[Tensor] = [p.new_empty(0) for p in parameters]

    def weight(self, index: int, active: int, left: Tensor, right: Tensor) -> None:
        """Take in the gradient left' right of a weight, [active in out]."""
        self.gradient(index, active, torch.bmm(left.transpose(1, 2), right))

    def gradient(self, index: int, active: int, gradient: Tensor) -> None:
        """Take in any gradient, [active ...]."""
        self.found[index] = gradient.float()

    def weights(self, active: int) -> list[Tensor]:
        """The parameters of the first `active` models, each rho up its own gradient."""
        steps = climb(self.found, self.rho)
        return [p[:active] + step for p, step in zip(self.parameters, steps, strict=True)]


class StackedSGD:
    """Momentum buffers of stacked parameters. rates: of each, its learning rate in units of the recipe's."""

    def __init__(self, rule: SGD, parameters: list[Tensor], rates: Sequence[int | float]) -> None:
        self.rule, self.parameters, self.rates = rule, parameters, rates
        self.velocity = [torch.zeros_like(p) for p in parameters]

    def begin(self, active: int) -> None:
        """Start a step of the first `active` models."""

    def weight(self, index: int, active: int, left: Tensor, right: Tensor) -> None:
        """Take in the gradient left' right of a weight, [active in out]."""
        if not self.rule.weight_decay and left.dtype == torch.float32:
            # the gradient is accumulated into the momentum by the matrix multiply itself
            self.velocity[index][:active].baddbmm_(left.transpose(1, 2), right, beta=self.rule.momentum)
        else:
            self.gradient(index, active, torch.bmm(left.transpose(1, 2), right))

    def gradient(self, index: int, active: int, gradient: Tensor) -> None:
        """Take in any gradient, [active ...]."""
        velocity, parameter = self.velocity[index][:active], self.parameters[index][:active]
        gradient = gradient.float()
        if self.rule.weight_decay:
            gradient = gradient.add(parameter, alpha=self.rule.weight_decay)
        torch.add(gradient, velocity, alpha=self.rule.momentum, out=velocity)

    def finish(self, active: int, lr: float) -> None:
        """Move the parameters."""
        for parameter, velocity, rate in zip(self.parameters, self.velocity, self.rates, strict=True):
            parameter[:active].add_(velocity[:active], alpha=-lr * rate)


class StackedAdam:
    """First and second moments of stacked parameters, with a step count for each model.

    rates: of each parameter, its learning rate in units of the recipe's.
    """

    def __init__(self, rule: Adam, parameters: list[Tensor], rates: Sequence[int | float]) -> None:
        self.rule, self.parameters, self.rates = rule, parameters, rates
        self.mean = [torch.zeros_like(p) for p in parameters]
        self.square = [torch.zeros_like(p) for p in parameters]
        self.steps = torch.zeros(len(parameters[0]), dtype=torch.float64, device=parameters[0].device)

    def begin(self, active: int) -> None:
        """Start a step of the first `active` models."""
        self.steps[:active] += 1

    def weight(self, index: int, active: int, left: Tensor, right: Tensor) -> None:
        """Take in the gradient left' right of a weight, [active in out]."""
        self.gradient(index, active, torch.bmm(left.transpose(1, 2), right))

    def gradient(self, index: int, active: int, gradient: Tensor) -> None:
        """Take in any gradient, [active ...]."""
        gradient = gradient.float()
        if self.rule.weight_decay and not self.rule.decoupled:
            gradient = gradient.add(self.parameters[index][:active], alpha=self.rule.weight_decay)
        first, second = self.rule.betas
        self.mean[index][:active].lerp_(gradient, 1 - first)
        self.square[index][:active].mul_(second).addcmul_(gradient, gradient, value=1 - second)

    def finish(self, active: int, lr: float) -> None:
        """Move the parameters (Kingma and Ba 2015, algorithm 1)."""
        first, second = self.rule.betas
        size = (lr / (1 - first ** self.steps[:active])).float()
        scale = (1 - second ** self.steps[:active]).sqrt().float()
        moved = zip(self.parameters, self.mean, self.square, self.rates, strict=True)
        for parameter, mean, square, rate in moved:
            shape = (active,) + (1,) * (parameter.dim() - 1)
            if self.rule.decoupled and self.rule.weight_decay:
                parameter[:active].mul_(1 - lr * rate * self.rule.weight_decay)
            denominator = (square[:active].sqrt() / scale.view(shape)).add_(self.rule.eps)
            parameter[:active].sub_(mean[:active] / denominator * (size * rate).view(shape))


def stacked_update(
    rule: Optimizer, parameters: list[Tensor], rates: Sequence[int | float] | None = None
) -> StackedSGD | StackedAdam:
    """The update rule for stacked parameters; of SAM, that of its base.

    rates: the learning rate of each parameter in units of the recipe's; 1 for all unless given.
    """
    base, rates = base_rule(rule), rates or [1.0] * len(parameters)
    if isinstance(base, SGD):
        return StackedSGD(base, parameters, rates)
    return StackedAdam(base, parameters, rates)
