"""The layers of a model by name, and which of them give maps."""

import difflib
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from typing import Any

from torch import Tensor, nn

from vestige.core.errors import InputError, unknown_name
from vestige.models.probe import probing

MOST_LISTED = 8


def last_convolution(module: nn.Module, inputs: Tensor) -> str | None:
    """The name of the last Conv2d that runs, wherever it is registered; None without one.

    inputs: [samples ...], of which one is looked at. The module is left as it was.
    """
    ran: list[str] = []

    def note(name: str, *_: Any) -> None:
        ran.append(name)

    hooks = [
        part.register_forward_hook(partial(note, name))
        for name, part in module.named_modules()
        if isinstance(part, nn.Conv2d)
    ]
    try:
        with probing(module):
            module(inputs[:1])
    finally:
        for hook in hooks:
            hook.remove()
    return ran[-1] if ran else None


def map_layer(module: nn.Module, inputs: Tensor, layer: str | None = None) -> tuple[str, nn.Module]:
    """The name and the layer whose outputs are maps [batch channels height width]; None = last convolution.

    Raises InputError for a model without convolutions, an unknown layer, and one that gives no maps or does
    not run.
    """
    last = last_convolution(module, inputs) if len(inputs) else None
    name = last if layer is None else layer
    if name is None:
        raise InputError("the model has no convolution: use integrated_gradients")
    part = layer_named(module, name)
    with probing(module), outputs_of(part) as outputs:
        module(inputs[:1])
    if not outputs:
        raise InputError(f"layer={name!r} does not run when the model is applied; name another")
    if not (isinstance(outputs[-1], Tensor) and outputs[-1].dim() == 4):
        remedy = "use integrated_gradients" if last is None else f"name a convolution, such as {last!r}"
        raise InputError(
            f"layer={name!r} is a {type(part).__name__} and gives no maps [batch channels height width]; "
            f"{remedy}"
        )
    return name, part


def layer_named(module: nn.Module, layer: str) -> nn.Module:
    """The part of the module with that name, as `named_modules` gives it.

    Raises InputError for an unknown name.
    """
    parts = {name: part for name, part in module.named_modules() if name}
    if layer in parts:
        return parts[layer]
    if len(parts) <= MOST_LISTED or difflib.get_close_matches(layer, parts, cutoff=0.5):
        raise unknown_name("layer", layer, parts)
    # a deep model has hundreds of layers, and those asked for mostly stand near its end
    ends = ", ".join(list(parts)[-MOST_LISTED:])
    raise InputError(f"layer={layer!r} is not known; the last of {len(parts)} layers are {ends}")


@contextmanager
def outputs_of(part: nn.Module) -> Generator[list[Any]]:
    """What the layer gave at each run inside the block, as it was then: a later layer may write over it."""
    found: list[Any] = []

    def note(_layer: nn.Module, _inputs: Any, output: Any) -> None:
        found.append(output.detach().clone() if isinstance(output, Tensor) else output)

    hook = part.register_forward_hook(note)
    try:
        yield found
    finally:
        hook.remove()
