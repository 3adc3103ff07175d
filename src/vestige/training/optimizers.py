"""Update rules, as options of a recipe, as torch optimizers and as in-place steps on stacked parameters."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from vestige.core import check
from vestige.core.errors import unknown_name


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

    def build(self, parameters: Iterable[Tensor]) -> torch.optim.Optimizer:
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

    def build(self, parameters: Iterable[Tensor]) -> torch.optim.Optimizer:
        """The torch optimizer."""
        rule = torch.optim.AdamW if self.decoupled else torch.optim.Adam
        return rule(parameters, lr=self.lr, betas=self.betas, eps=self.eps, weight_decay=self.weight_decay)


Optimizer = SGD | Adam
NAMES = ("sgd", "adam", "adamw")


def by_name(
    name: str, lr: float | None = None, momentum: float | None = None, weight_decay: float = 0.0
) -> Optimizer:
    """The optimizer of that name with its usual defaults where nothing is given."""
    if name == "sgd":
        return SGD(
            lr=SGD.lr if lr is None else lr,
            momentum=SGD.momentum if momentum is None else momentum,
            weight_decay=weight_decay,
        )
    if name in ("adam", "adamw"):
        return Adam(lr=Adam.lr if lr is None else lr, weight_decay=weight_decay, decoupled=name == "adamw")
    raise unknown_name("optimizer", name, NAMES)
