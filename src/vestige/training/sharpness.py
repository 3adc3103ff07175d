"""The climb of sharpness-aware minimization (Foret et al. 2021, eq. 2), of one module or of many models."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn


def climb(gradients: Sequence[Tensor], rho: float) -> list[Tensor]:
    """rho g / ||g|| for each model, where the norm runs over all of its parameters; 0 where g is 0.

    gradients: one tensor per parameter, [models ...].
    """
    squares = [gradient.flatten(1).square().sum(1) for gradient in gradients]
    scale = _scale(torch.stack(squares).sum(0).sqrt(), rho)
    return [g * scale.view(-1, *(1,) * (g.dim() - 1)) for g in gradients]


@contextmanager
def uphill(module: nn.Module, rho: float) -> Generator[None]:
    """Within, the weights lie rho up the gradient that they hold, and gradients are cleared.

    Afterwards weights and buffers are copied back, so that batch-norm statistics never see the climb;
    the gradients found within stay.
    """
    parameters = [p for p in module.parameters() if p.grad is not None]
    gradients = [p.grad for p in parameters if p.grad is not None]
    kept = [(tensor, tensor.detach().clone()) for tensor in (*parameters, *module.buffers())]
    norm = torch.stack([gradient.norm() for gradient in gradients]).norm()
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.add_(gradient * _scale(norm, rho))
    module.zero_grad(set_to_none=True)
    try:
        yield
    finally:
        with torch.no_grad():
            for tensor, value in kept:
                tensor.copy_(value)


def _scale(norm: Tensor, rho: float) -> Tensor:
    """rho / norm, and 0 where the gradient is 0 and has no direction."""
    return torch.where(norm > 0, rho / norm, 0.0)
