"""Regions that the user names."""

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence

from jaxtyping import Float
from torch import Tensor, nn

from vestige.core.errors import InputError, unknown_name
from vestige.models.passage import watched
from vestige.models.protected import AUTO, meanings
from vestige.models.region import Region, gathered, is_leaf, prefixes, tensors

Given = Mapping[str, str | Sequence[str]]
NAME = re.compile(r"\w+(?:[ .-]\w+)*")  # what protect= can name: no colon, no two dots, no slash


def given_regions(module: nn.Module, inputs: Float[Tensor, "batch ..."], given: Given) -> tuple[Region, ...]:
    """The regions that the user names: for each, the modules or parameters that belong to it.

    They come back in the order in which they run.

    inputs: samples to run once, to see the order; the module is left as it was.
    Raises InputError for a name that the module has not or `protect` cannot mean, and for regions that
    overlap, leave something out, hold nothing, interleave or part the two names of a tied tensor.
    """
    owners = _owners(module, given)
    _refuse_torn(module, owners)
    found = gathered(module, owners, given)
    for region in found:
        if not region.parameters:
            raise InputError(f"region {region.name} holds no parameter; put a layer into it, or leave it out")
    ordered = _in_order(module, inputs, found, owners)
    _check_names([region.name for region in ordered])
    return ordered


def _owners(module: nn.Module, given: Given) -> dict[str, str]:
    """The region of each parameter and buffer by name, in the order of registration."""
    known = [name for name, _ in tensors(module)]
    owners: dict[str, str] = {}
    for region, parts in given.items():
        for part in (parts,) if isinstance(parts, str) else parts:
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
    return {name: owners[name] for name in known}


def _refuse_torn(module: nn.Module, owners: Mapping[str, str]) -> None:
    """A tensor that goes by two names learns once, so it cannot be in two regions."""
    first: dict[int, str] = {}
    for name, value in tensors(module):
        known = first.setdefault(id(value), name)
        if owners[known] != owners[name]:
            raise InputError(
                f"regions {owners[known]} and {owners[name]} both hold {known}, which is {name} too; "
                "put the two names into one"
            )


def _in_order(
    module: nn.Module, inputs: Tensor, found: Sequence[Region], owners: Mapping[str, str]
) -> tuple[Region, ...]:
    """The regions as they run. What no layer holds has no place in the order: it may be in any region."""
    times = _times(module, inputs)
    spans: dict[str, tuple[int, int]] = {}
    for name, time in times.items():
        low, high = spans.get(owners[name], (time, time))
        spans[owners[name]] = (min(low, time), max(high, time))
    ordered = sorted(found, key=lambda region: spans.get(region.name, (-1, -1)))
    placed = [region.name for region in ordered if region.name in spans]
    for one, other in itertools.pairwise(placed):
        if spans[other][0] < spans[one][1]:
            _refuse_interleaved(one, other, times, owners, spans)
    return tuple(ordered)


def _refuse_interleaved(
    one: str,
    other: str,
    times: Mapping[str, int],
    owners: Mapping[str, str],
    spans: Mapping[str, tuple[int, int]],
) -> None:
    between = next(n for n, time in times.items() if owners[n] == other and time == spans[other][0])
    after = next(n for n, time in times.items() if owners[n] == one and time == spans[one][1])
    raise InputError(
        f"regions {one} and {other} interleave: {after} of {one} runs after {between} of {other}; "
        "give each region layers that follow one another"
    )


def _times(module: nn.Module, inputs: Tensor) -> dict[str, int]:
    """When each layer's parameters first ran, by name."""
    passage = watched(module, inputs)
    found: dict[str, int] = {}
    seen: set[int] = set()
    for prefix, part in module.named_modules():
        ran = passage.of(part) if is_leaf(part) else None
        for name, value in part.named_parameters(prefix, recurse=False):
            if ran is not None and id(value) not in seen:  # a tied tensor has the place where it stands first
                found[name] = ran[0]
            seen.add(id(value))
    return found


def _check_names(names: Sequence[str]) -> None:
    words = meanings(names)
    for name in names:
        if not NAME.fullmatch(name):
            raise InputError(
                f"region {name!r} has a name that protect cannot mean; use letters, digits and single dashes"
            )
        if name == AUTO or words.get(name, (name,)) != (name,):
            raise InputError(f"region {name!r}: protect={name} means something else; choose another name")


def _addressable(names: Iterable[str]) -> set[str]:
    return {prefix for name in names for prefix in prefixes(name) if prefix}
