"""Multilayer perceptrons."""

import math

from torch import nn

from vestige.core import check
from vestige.core.errors import unknown_name

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "elu": nn.ELU,
    "sigmoid": nn.Sigmoid,
}


def linear(shape: tuple[int, ...], num_classes: int) -> nn.Sequential:
    """Multinomial logistic regression: Flatten, Linear."""
    return mlp(shape, num_classes, hidden=())


def mlp(
    shape: tuple[int, ...],
    num_classes: int,
    hidden: tuple[int, ...] = (128,),
    activation: str = "tanh",
    dropout: float = 0.0,
) -> nn.Sequential:
    """Flatten, then for each width Linear, activation and, where dropout > 0, Dropout; then Linear.

    Raises InputError for an unknown activation, a width below 1 or a dropout outside [0, 1).
    """
    if activation not in ACTIVATIONS:
        raise unknown_name("activation", activation, ACTIVATIONS)
    check.within("dropout", dropout, 0.0, 0.99)
    layers: list[nn.Module] = [nn.Flatten()]
    width = math.prod(shape)
    for next_width in hidden:
        check.at_least("hidden width", next_width, 1)
        layers += [nn.Linear(width, next_width), ACTIVATIONS[activation]()]
        if dropout > 0:
            layers.append(nn.Dropout(dropout))
        width = next_width
    return nn.Sequential(*layers, nn.Linear(width, num_classes))
