"""A look at a model that leaves no trace."""

from collections.abc import Generator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def probing(module: nn.Module) -> Generator[None, None, None]:
    """Evaluation mode without gradients, with every part's mode and torch's random state put back after."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):  # pyright: ignore[reportUnknownMemberType]
            yield
    finally:
        for part, training in modes:
            part.training = training
