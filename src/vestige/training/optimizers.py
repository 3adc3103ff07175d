"""Update rules, as options of a recipe, as torch optimizers and as in-place steps on stacked parameters."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from vestige.core import check
from vestige.core.errors import InputError, unknown_name

Parameters = Iterable[Tensor] | Iterable[dict[str, Any]]  # or groups of them, as torch's optimizers take them


@dataclass(frozen=True, kw_only=True)
class SGD:
    """Stochastic gradient descent with momentum; weight decay is added to the gradient, as in torch."""

    lr: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        check.positive("lr", self.lr)
        check.within("momentum", self.momentum, 0.0, 1.0)
        check.at_least("weight_decay", self.weight_decay, 0.0)

    def build(self, parameters: Parameters) -> torch.optim.Optimizer:
        """The torch optimizer."""
        return torch.optim.SGD(
            parameters,
            lr=self.lr,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            nesterov=self.nesterov and self.momentum > 0,
        )


@dataclass(frozen=True, kw_only=True)
class Adam:
    """Adam (Kingma and Ba 2015); `decoupled` decay makes it AdamW (Loshchilov and Hutter 2019)."""

    lr: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0
    decoupled: bool = False

    def __post_init__(self) -> None:
        check.positive("lr", self.lr)
        check.at_least("weight_decay", self.weight_decay, 0.0)

    def build(self, parameters: Parameters) -> torch.optim.Optimizer:
        """The torch optimizer."""
        rule = torch.optim.AdamW if self.decoupled else torch.optim.Adam
        return rule(parameters, lr=self.lr, betas=self.betas, eps=self.eps, weight_decay=self.weight_decay)


Rule = SGD | Adam


@dataclass(frozen=True, kw_only=True)
class SAM:
    """Sharpness-aware minimization (Foret et al. 2021, algorithm 1) around another rule.

    The base rule moves the weights by the gradient found at w + rho g / ||g||, where g is the gradient of
    the mean batch loss at w and the norm runs over all parameters. Weight decay belongs to the base rule.
    """

    base: Rule = field(default_factory=SGD)
    rho: float = 0.05

    def __post_init__(self) -> None:
        check.positive("rho", self.rho)

    @property
    def lr(self) -> float:
        """The learning rate of the base rule."""
        return self.base.lr

    def build(self, parameters: Parameters) -> torch.optim.Optimizer:
        """The torch optimizer of the base rule; the engines find the gradient that it is given."""
        return self.base.build(parameters)


Optimizer = SGD | Adam | SAM
NAMES = ("sgd", "adam", "adamw", "sam")


def by_name(
    name: str,
    lr: float | None = None,
    momentum: float | None = None,
    weight_decay: float = 0.0,
    rho: float | None = None,
) -> Optimizer:
    """The optimizer of that name with its usual defaults where nothing is given; "sam" is SAM around SGD.

    Raises InputError for an unknown name, and for a rho without SAM.
    """
    if name not in NAMES:
        raise unknown_name("optimizer", name, NAMES)
    if rho is not None and name != "sam":
        raise InputError(f"rho={rho} is the radius of SAM, which optimizer={name!r} has not; use sam")
    if name in ("adam", "adamw"):
        return Adam(lr=Adam.lr if lr is None else lr, weight_decay=weight_decay, decoupled=name == "adamw")
    sgd = SGD(
        lr=SGD.lr if lr is None else lr,
        momentum=SGD.momentum if momentum is None else momentum,
        weight_decay=weight_decay,
    )
    return sgd if name == "sgd" else SAM(base=sgd, rho=SAM.rho if rho is None else rho)


def base_rule(optimizer: Optimizer) -> Rule:
    """The rule that moves the weights: the optimizer itself, or the one inside SAM."""
    return optimizer.base if isinstance(optimizer, SAM) else optimizer
