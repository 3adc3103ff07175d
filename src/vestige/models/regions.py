"""The regions of a network: contiguous parts that together hold every parameter and buffer once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase  # pyright: ignore[reportPrivateUsage]

from vestige.core import check
from vestige.core.errors import InputError, unknown_name
from vestige.models.probe import probing

GRAINS = ("stage", "block")
NORMS = (_NormBase, nn.LayerNorm, nn.GroupNorm, nn.LocalResponseNorm, nn.RMSNorm)

Given = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Region:
    """A named part of a network: the parameters and buffers that belong to it, by their full names."""

    name: str
    parameters: tuple[str, ...]
    buffers: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class _Unit:
    """A layer or block that counts as one, and the last of its outputs' side lengths; () without any."""

    name: str
    module: nn.Module
    sides: tuple[int, ...]

    @property
    def is_leaf(self) -> bool:
        return next(self.module.children(), None) is None


def inferred_regions(
    module: nn.Module, inputs: Float[Tensor, "batch ..."], grain: str = "stage"
) -> tuple[Region, ...]:
    """The regions of any network in the order in which they run: stem, stages or layers, head.

    A stage ends where the next layer or block puts out maps of another size; where outputs have no sides,
    every layer or block is a region, layer1 and so on. A leading layer before blocks is the stem, a closing
    linear layer the head. Normalization belongs to what stands before it. grain: "block" makes every layer
    or block of a stage a region of its own, stage1-block1 and so on.

    inputs: samples to run once, to see the order; the module is left as it was.
    Raises InputError for an unknown grain and for a module without parameters.
    """
    check.one_of("grain", grain, GRAINS)
    units = _units(module, inputs)
    if not units:
        raise InputError(f"{type(module).__name__} has no parameters, so it has no regions")
    groups: dict[str, list[_Unit]] = {}
    for label, unit in zip(_labels(units, grain), units, strict=True):
        groups.setdefault(label, []).append(unit)
    return _covering(module, {name: [unit.name for unit in group] for name, group in groups.items()})


def given_regions(module: nn.Module, given: Given) -> tuple[Region, ...]:
    """The regions that the user names: for each, the modules or parameters that belong to it.

    Raises InputError for a name that the module has not, and for regions that overlap, leave something out or
    part the two names of a tied tensor.
    """
    known = _names(module)
    owners: dict[str, str] = {}
    for region, parts in given.items():
        for part in parts:
            inside = [name for name in known if name == part or name.startswith(f"{part}.")]
            if not inside:
                raise unknown_name(f"part of region {region}", part, _addressable(known))
            for name in inside:
                if owners.setdefault(name, region) != region:
                    raise InputError(f"regions {owners[name]} and {region} both hold {name}; leave it in one")
    missing = [name for name in known if name not in owners]
    if missing:
        raise InputError(
            f"regions leave out {', '.join(missing[:3])}{' and others' if missing[3:] else ''}; "
            "put every parameter and buffer into one"
        )
    _refuse_torn(module, owners)
    return _regions(module, {name: owners[name] for name in known}, list(given))


def regions_of(
    module: nn.Module, inputs: Float[Tensor, "batch ..."], given: Given | None = None, grain: str = "stage"
) -> tuple[Region, ...]:
    """The regions that are given, or else inferred. Raises InputError as these do."""
    return given_regions(module, given) if given else inferred_regions(module, inputs, grain)


def _units(module: nn.Module, inputs: Tensor) -> list[_Unit]:
    """The layers and blocks with parameters that run, in the order of their first run."""
    parts = [(name, part) for name, part in _parts("", module) if next(part.parameters(), None) is not None]
    ran: dict[str, tuple[int, ...]] = {}

    def noting(name: str) -> Any:
        def note(_part: nn.Module, _inputs: Any, output: Any) -> None:
            sides = tuple(output.shape[2:]) if isinstance(output, Tensor) and output.dim() > 3 else ()
            ran.setdefault(name, sides)

        return note

    hooks = [part.register_forward_hook(noting(name)) for name, part in parts]
    try:
        with probing(module):
            module(inputs)
    finally:
        for hook in hooks:
            hook.remove()
    named = dict(parts)
    return [_Unit(name, named[name], sides) for name, sides in ran.items()]


def _parts(name: str, module: nn.Module, whole: bool = True) -> Iterator[tuple[str, nn.Module]]:
    """A container is taken apart, and so is the whole network, in whatever wrappers it comes.

    whole: whether the module holds all of the network's parameters.
    """
    children = [child for child in module.named_children() if next(child[1].parameters(), None) is not None]
    if not children or not (whole or isinstance(module, nn.Sequential | nn.ModuleList)):
        yield name, module
        return
    wraps = whole and len(children) == 1 and next(module.parameters(recurse=False), None) is None
    for child, part in children:
        yield from _parts(f"{name}.{child}" if name else child, part, wraps)


def _labels(units: Sequence[_Unit], grain: str) -> list[str]:
    """The region of each unit."""
    blocks = any(not unit.is_leaf for unit in units)
    spatial = any(unit.sides for unit in units)
    labels: list[str] = []
    stage, within, sides = 0, 0, None
    for place, unit in enumerate(units):
        if isinstance(unit.module, NORMS) and labels:
            labels.append(labels[-1])
        elif place == len(units) - 1 and isinstance(unit.module, nn.Linear) and place:
            labels.append("head")
        elif spatial and place == 0 and blocks and unit.is_leaf:
            labels.append("stem")
        else:
            if not spatial or not unit.sides or unit.sides != sides:
                stage, within, sides = stage + 1, 0, unit.sides
            within += 1
            kind = "stage" if unit.sides else "layer"
            labels.append(
                f"{kind}{stage}-block{within}" if spatial and grain == "block" else f"{kind}{stage}"
            )
    return labels


def _covering(module: nn.Module, groups: Mapping[str, Sequence[str]]) -> tuple[Region, ...]:
    """Regions of units; what lies outside every unit goes with what is registered before it, or the first."""
    prefixes = {unit: region for region, units in groups.items() for unit in units}
    owners: dict[str, str] = {}
    tensors: dict[int, str] = {}
    last = next(iter(groups))
    for name, value in _tensors(module):
        own = next((prefixes[part] for part in _prefixes(name) if part in prefixes), None)
        last = tensors.setdefault(id(value), own or last)  # a tied tensor belongs where it stands first
        owners[name] = last
    return _regions(module, owners, list(groups))


def _regions(module: nn.Module, owners: Mapping[str, str], order: Iterable[str]) -> tuple[Region, ...]:
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


def _tensors(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Every parameter and buffer by name, in the order of registration, module by module."""
    for prefix, part in module.named_modules(remove_duplicate=False):
        own = (*part.named_parameters("", False, False), *part.named_buffers("", False, False))
        for name, value in own:
            yield f"{prefix}.{name}" if prefix else name, value


def _refuse_torn(module: nn.Module, owners: Mapping[str, str]) -> None:
    """A tensor that goes by two names learns once, so it cannot be in two regions."""
    first: dict[int, str] = {}
    for name, value in _tensors(module):
        known = first.setdefault(id(value), name)
        if owners[known] != owners[name]:
            raise InputError(
                f"regions {owners[known]} and {owners[name]} both hold {known}, which is {name} too; "
                "put the two names into one"
            )


def _names(module: nn.Module) -> list[str]:
    return [name for name, _ in _tensors(module)]


def _prefixes(name: str) -> Iterator[str]:
    """The name and the modules that hold it, innermost first; "" is the whole."""
    words = name.split(".")
    for length in range(len(words), -1, -1):
        yield ".".join(words[:length])


def _addressable(names: Iterable[str]) -> set[str]:
    return {prefix for name in names for prefix in _prefixes(name) if prefix}
