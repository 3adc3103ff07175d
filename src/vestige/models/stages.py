"""A model cut into stages: what it makes of its inputs on the way to the logits."""

from collections.abc import Iterator
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from vestige.models.probe import probing

MOST_FEATURES = 4096  # larger maps are averaged over neighboring pixels; distances change little, memory much


def stage_outputs(
    module: nn.Module, inputs: Float[Tensor, "batch ..."]
) -> list[Float[Tensor, "batch features"]]:
    """The inputs and what leaves each stage, flattened, the logits last; the model is left as it was.

    A stage begins with a layer or block that has parameters and ends before the next one, so that an
    activation, a pooling or a dropout belongs to the layer before it. The parts of an nn.Sequential count
    one by one; any other part counts whole.
    """
    found: list[tuple[bool, Tensor]] = []

    def note(part: nn.Module, _inputs: Any, output: Any) -> None:
        if isinstance(output, Tensor):
            found.append((next(part.parameters(), None) is not None, output))

    hooks = [part.register_forward_hook(note) for part in _parts(module)]
    try:
        with probing(module):
            module(inputs)
    finally:
        for hook in hooks:
            hook.remove()
    ends = [i for i, (_, _out) in enumerate(found) if i + 1 == len(found) or found[i + 1][0]]
    learned = [found[i][1] for i in ends if any(begins for begins, _ in found[: i + 1])]
    return [_flat(inputs), *(_flat(output) for output in learned)]


def _parts(module: nn.Module) -> Iterator[nn.Module]:
    for child in module.children():
        if isinstance(child, nn.Sequential):
            yield from _parts(child)
        else:
            yield child


def _flat(value: Tensor) -> Tensor:
    if value.dim() == 4 and value[0].numel() > MOST_FEATURES:
        side = max(1, int((MOST_FEATURES / value.shape[1]) ** 0.5))
        value = functional.adaptive_avg_pool2d(value, (min(side, value.shape[2]), min(side, value.shape[3])))
    return value.detach().float().flatten(1)
