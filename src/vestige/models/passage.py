"""One pass through a network, watched: which parts run, when, and how large their outputs are."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from vestige.models.probe import probing
from vestige.models.region import is_leaf, own_parameters

Sides = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Passage:
    """When parts and parameters were first used, each by its id, and the last side lengths that came of it.

    calls: of modules. uses: of parameters, by whatever function took them; empty where every layer with
      parameters was called as a module.
    """

    calls: dict[int, tuple[int, Sides]] = field(default_factory=dict[int, tuple[int, Sides]])
    uses: dict[int, tuple[int, Sides]] = field(default_factory=dict[int, tuple[int, Sides]])

    def was_called(self, part: nn.Module) -> bool:
        """Whether the part ran as a module."""
        return id(part) in self.calls

    def of(self, part: nn.Module) -> tuple[int, Sides] | None:
        """When the part ran and the sides of its output; of one that was not called, when its parameters were
        used first and what came of the last of them. None for what did not run.
        """
        if self.was_called(part):
            return self.calls[id(part)]
        uses = [self.uses[id(one)] for one in part.parameters() if id(one) in self.uses]
        return (min(uses)[0], max(uses)[1]) if uses else None


def watched(module: nn.Module, inputs: Tensor) -> Passage:
    """What runs when the module is applied to the inputs; it is left as it was."""
    found = _watched(module, inputs, by_function=False)
    layers = [part for part in module.modules() if is_leaf(part) and own_parameters(part)]
    if all(found.was_called(layer) for layer in layers):
        return found
    return _watched(module, inputs, by_function=True)


def _watched(module: nn.Module, inputs: Tensor, *, by_function: bool) -> Passage:
    found = Passage()
    clock = _Clock()
    with _hooked(module, found, clock), probing(module):
        if by_function:
            with _Uses(found, clock):
                module(inputs)
        else:
            module(inputs)
    return found


class _Clock:
    """Counts steps."""

    def __init__(self) -> None:
        self._now = 0

    def __call__(self) -> int:
        self._now += 1
        return self._now


@contextmanager
def _hooked(module: nn.Module, found: Passage, clock: Callable[[], int]) -> Generator[None]:
    def note(part: nn.Module, _inputs: Any, output: Any) -> None:
        found.calls.setdefault(id(part), (clock(), _sides(output)))

    hooks = [part.register_forward_hook(note) for part in module.modules()]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


class _Uses(TorchFunctionMode):
    """Notes each parameter that a function of torch takes and makes a tensor of."""

    def __init__(self, found: Passage, clock: Callable[[], int]) -> None:
        super().__init__()
        self._found, self._clock = found, clock

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if next(_tensors_in(result), None) is not None:  # reading a weight's device or size is no use of it
            seen = (self._clock(), _sides(result))
            for value in _tensors_in([args, list((kwargs or {}).values())]):
                if isinstance(value, nn.Parameter):
                    self._found.uses.setdefault(id(value), seen)
        return result


def _tensors_in(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for one in value:  # pyright: ignore[reportUnknownVariableType]
            yield from _tensors_in(one)


def _sides(output: Any) -> Sides:
    return tuple(output.shape[2:]) if isinstance(output, Tensor) and output.dim() > 3 else ()
