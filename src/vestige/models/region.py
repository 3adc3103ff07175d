"""A region of a network, and the names of all that a network holds."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class Region:
    """A named part of a network: the parameters and buffers that belong to it, by their full names."""

    name: str
    parameters: tuple[str, ...]
    buffers: tuple[str, ...] = ()


def gathered(module: nn.Module, owners: Mapping[str, str], order: Iterable[str]) -> tuple[Region, ...]:
    """The regions in that order. owners: the region of every parameter and buffer of the module."""
    parameters = {name for name, _ in module.named_parameters(remove_duplicate=False)}
    found = {region: [name for name, owner in owners.items() if owner == region] for region in order}
    return tuple(
        Region(
            region,
            tuple(name for name in names if name in parameters),
            tuple(name for name in names if name not in parameters),
        )
        for region, names in found.items()
    )


def tensors(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Every parameter and buffer by name, in the order of registration, module by module."""
    for prefix, part in module.named_modules(remove_duplicate=False):
        own = (*part.named_parameters("", False, False), *part.named_buffers("", False, False))
        for name, value in own:
            yield f"{prefix}.{name}" if prefix else name, value


def prefixes(name: str) -> Iterator[str]:
    """The name and the modules that hold it, innermost first; "" is the whole."""
    words = name.split(".")
    for length in range(len(words), -1, -1):
        yield ".".join(words[:length])


def own_parameters(part: nn.Module) -> list[nn.Parameter]:
    """The parameters that the part itself holds, not its children."""
    return list(part.parameters(recurse=False))


def is_leaf(part: nn.Module) -> bool:
    """Whether the part has no parts."""
    return next(part.children(), None) is None


def is_tied(module: nn.Module) -> bool:
    """Whether a parameter goes by two names: tied weights, or a layer that is used twice."""
    return len(list(module.parameters())) < len(list(module.named_parameters(remove_duplicate=False)))
