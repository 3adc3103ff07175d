"""The regions that any network falls into, by the order in which its layers and blocks run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase  # pyright: ignore[reportPrivateUsage]

from vestige.core import check
from vestige.core.errors import InputError
from vestige.models.passage import Passage, watched
from vestige.models.region import Region, gathered, is_leaf, own_parameters, prefixes, tensors

GRAINS = ("stage", "block")
NORMS = (_NormBase, nn.LayerNorm, nn.GroupNorm, nn.LocalResponseNorm, nn.RMSNorm)
CONTAINERS = (
    nn.Sequential, nn.ModuleList, nn.ModuleDict,
    nn.Transformer, nn.TransformerEncoder, nn.TransformerDecoder,
)  # fmt: skip
FEW = 3  # parts: with fewer, a body beside a head is not told apart any further


@dataclass(frozen=True, eq=False)
class _Part:
    """A layer or a block. listed: one of several alike, as in a Sequential within the network."""

    name: str
    module: nn.Module
    listed: bool

    @property
    def is_norm(self) -> bool:
        return isinstance(self.module, NORMS)

    @property
    def layers(self) -> int:
        """How many layers it holds, normalization aside; a leaf is one."""
        found = [one for one in self.module.modules() if is_leaf(one) and own_parameters(one)]
        return sum(not isinstance(one, NORMS) for one in found)


@dataclass(frozen=True, eq=False)
class _Unit:
    """A layer or block that counts as one, and the last of its outputs' side lengths; () without any."""

    name: str
    module: nn.Module
    sides: tuple[int, ...]

    @property
    def is_norm(self) -> bool:
        return isinstance(self.module, NORMS)


def inferred_regions(
    module: nn.Module, inputs: Float[Tensor, "batch ..."], grain: str = "stage"
) -> tuple[Region, ...]:
    """The regions of any network in the order in which they run: stem, stages or layers, head.

    A stage ends where the next layer or block puts out maps of another size; where outputs have no sides,
    every layer or block is a region, layer1 and so on. A leading layer before blocks is the stem, a closing
    linear layer the head. Normalization belongs to what stands before it, a leading one to what follows.
    grain: "block" makes every layer or block of a stage a region of its own, stage1-block1 and so on.

    What is no layer or block that runs belongs to what is registered before it, or to the first region.

    inputs: samples to run once, to see the order; the module is left as it was.
    Raises InputError for an unknown grain and for a module without parameters.
    """
    check.one_of("grain", grain, GRAINS)
    if next(module.parameters(), None) is None:
        raise InputError(f"{type(module).__name__} has no parameters, so it has no regions")
    units = _units(module, watched(module, inputs)) or [_Unit("", module, ())]
    groups: dict[str, list[str]] = {}
    for label, unit in zip(_labels(units, grain), units, strict=True):
        groups.setdefault(label, []).append(unit.name)
    return _covering(module, groups)


def _units(module: nn.Module, passage: Passage) -> list[_Unit]:
    """The layers and blocks with parameters that run, each once, in the order of their first run."""
    ran: dict[int, tuple[int, _Unit]] = {}
    for part in _told_apart(module, passage):
        seen = passage.of(part.module)
        if seen is not None:
            ran.setdefault(id(part.module), (seen[0], _Unit(part.name, part.module, seen[1])))
    return [unit for _, unit in sorted(ran.values(), key=lambda one: one[0])]


def _told_apart(module: nn.Module, passage: Passage) -> list[_Part]:
    """The parts of the network, with a body that holds nearly all of it taken apart too."""
    parts = list(_parts("", module, passage))
    while bodies := _bodies(parts):
        parts = [
            inner
            for part in parts
            for inner in (_parts(part.name, part.module, passage) if part in bodies else [part])
        ]
    return parts


def _bodies(parts: Sequence[_Part]) -> list[_Part]:
    """The only block of several layers, or any where there are few parts; not one of a list of blocks."""
    if len(parts) == 1:
        return []
    blocks = [part for part in parts if not is_leaf(part.module) and part.layers > 1]
    few = sum(not part.is_norm for part in parts) < FEW
    return [part for part in blocks if not part.listed and (few or len(blocks) == 1)]


def _parts(name: str, module: nn.Module, passage: Passage, whole: bool = True) -> Iterator[_Part]:
    """A container is taken apart, and so are what is not called itself and the whole network, in whatever
    wrappers it comes.

    whole: whether the module holds all of the network's parameters, or all of a body's.
    """
    yield from _inner(_Part(name, module, False), passage, whole)


def _inner(part: _Part, passage: Passage, whole: bool) -> Iterator[_Part]:
    module = part.module
    children = [child for child in module.named_children() if next(child[1].parameters(), None) is not None]
    listing = isinstance(module, CONTAINERS)
    if not children or not (whole or listing or not passage.was_called(module)):
        yield part
        return
    wraps = whole and len(children) == 1 and not own_parameters(module)
    for name, child in children:
        inner = _Part(f"{part.name}.{name}" if part.name else name, child, listing and not whole)
        yield from _inner(inner, passage, wraps)


def _labels(units: Sequence[_Unit], grain: str) -> list[str]:
    """The region of each unit."""
    layers = [unit for unit in units if not unit.is_norm] or units
    spatial = any(unit.sides for unit in units)
    own = dict(zip((unit.name for unit in layers), _layer_labels(layers, spatial, grain), strict=True))
    labels: list[str] = []
    before = own[layers[0].name]
    for unit in units:
        before = own.get(unit.name, before)
        labels.append(before)
    return labels


def _layer_labels(layers: Sequence[_Unit], spatial: bool, grain: str) -> list[str]:
    """The region of each unit but normalization."""
    blocks = any(not is_leaf(unit.module) for unit in layers)
    labels: list[str] = []
    stage, within, sides = 0, 0, None
    for place, unit in enumerate(layers):
        if place and place == len(layers) - 1 and isinstance(unit.module, nn.Linear):
            labels.append("head")
        elif spatial and place == 0 and blocks and is_leaf(unit.module):
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
    homes = {unit: region for region, units in groups.items() for unit in units}
    owners: dict[str, str] = {}
    first: dict[int, str] = {}
    last = next(iter(groups))
    for name, value in tensors(module):
        own = next((homes[part] for part in prefixes(name) if part in homes), None)
        last = first.setdefault(id(value), own or last)  # a tied tensor belongs where it stands first
        owners[name] = last
    return tuple(one for one in gathered(module, owners, list(groups)) if one.parameters)
