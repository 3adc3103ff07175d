"""The layer before the logits."""

from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from vestige.models.probe import probing


def penultimate(module: nn.Module, inputs: Float[Tensor, "batch ..."]) -> nn.Linear | None:
    """The linear layer that ends the model, whose inputs are the penultimate features; None without one.

    It is the last layer with parameters that runs when the model is applied to `inputs`, wherever it is
    registered. A model that ends in another kind of layer, such as a 1x1 convolution, has none. The model
    is left as it was.
    """
    last: list[nn.Module] = []

    def note(layer: nn.Module, _inputs: Any, _output: Any) -> None:
        last[:] = [layer]

    hooks = [layer.register_forward_hook(note) for layer in module.modules() if _is_layer(layer)]
    try:
        with probing(module):
            module(inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return last[0] if last and isinstance(last[0], nn.Linear) else None


def _is_layer(module: nn.Module) -> bool:
    """Whether it has parameters and no parts; a container runs to its end only after its last layer."""
    return next(module.children(), None) is None and next(module.parameters(), None) is not None
