"""What a model makes of each sample before it answers: the features of its last layers."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor, nn

from vestige.core import check
from vestige.core.errors import InputError
from vestige.models.penultimate import penultimate
from vestige.models.probe import probing
from vestige.signals.convolutions import layer_named, outputs_of

BATCH = 512


@dataclass(frozen=True, eq=False)
class Described:
    """Samples as a model sees them, from one pass.

    features: [samples features], in the layer's own units. logits: [samples classes].
    """

    features: Float32[np.ndarray, "samples features"]
    logits: Float32[np.ndarray, "samples classes"]


def described(
    module: nn.Module, inputs: Tensor, *, layer: str | None = None, batch: int = BATCH
) -> Described:
    """Features and logits of samples [samples ...], in evaluation mode; the module is left as it was.

    layer: None takes the inputs of the linear layer that ends the model. A name takes the outputs of that
      layer, as `module.named_modules()` names it: the mean over the pixels where they are maps [batch
      channels height width], else flattened. batch: samples in one pass.

    Raises InputError for an unknown layer, one that gives no tensor, and a model that ends in no linear layer
    where none is named.
    """
    check.at_least("batch", batch, 1)
    if not len(inputs):
        raise InputError("inputs holds no sample; give at least one")
    kept: list[tuple[Tensor, Tensor]] = []
    with probing(module), _observed(module, inputs, layer) as seen:
        for some in inputs.split(batch):
            seen.clear()
            logits: Tensor = module(some)
            kept.append((_rows(seen, layer, len(some)), logits.float().reshape(len(some), -1).cpu()))
    features, logits_of_all = (torch.cat(parts).numpy() for parts in zip(*kept, strict=True))
    return Described(features, logits_of_all)


@contextmanager
def _observed(module: nn.Module, inputs: Tensor, layer: str | None) -> Generator[list[Any]]:
    """A list that fills with the values to take as the model runs."""
    if layer is not None:
        with outputs_of(layer_named(module, layer)) as outputs:
            yield outputs
        return
    last = penultimate(module, inputs[:1])
    if last is None:
        raise InputError("the model does not end in a linear layer; name the layer that gives its features")
    entered: list[Any] = []

    def note(_layer: nn.Module, given: tuple[Any, ...]) -> None:
        entered.append(given[0].detach().clone())

    hook = last.register_forward_pre_hook(note)
    try:
        yield entered
    finally:
        hook.remove()


def _rows(seen: list[Any], layer: str | None, samples: int) -> Tensor:
    """The value of the last run as [samples features]; a layer may run more than once."""
    value = seen[-1] if seen else None
    if not (isinstance(value, Tensor) and value.dim() and len(value) == samples):
        found = "does not run" if value is None else f"gives a {type(value).__name__}, not one row per sample"
        raise InputError(f"layer={layer!r} {found}; name another")
    value = value.float()
    rows = value.mean((2, 3)) if value.dim() == 4 else value.reshape(samples, -1)
    return rows.cpu()
