"""Which regions are meant, in words."""

from collections.abc import Mapping, Sequence

from vestige.core.errors import InputError, unknown_name
from vestige.models.region import Region

ALL, NONE, FRONT, BACK = "all", "none", "front", "back"
AUTO = "auto"  # regions that are yet to be chosen
TO = ".."


def protected(regions: Sequence[Region], words: Sequence[str]) -> tuple[Region, ...]:
    """The regions that the words mean, in the order of the network.

    A word is a region's name, "first..last" (either end may be left out), "front" or "back" (the first or
    last half of the regions, rounded down), "all" or "none".

    Raises InputError for an unknown name, and for a network with one region, unless all or none are meant.
    """
    names = [region.name for region in regions]
    if len(names) == 1 and not set(words) <= {ALL, NONE}:
        raise InputError(
            f"protect: the model has one region only, {names[0]}, so nothing can be told apart; "
            "take the defense by itself, or name regions of your own in a file, regions=FILE.toml"
        )
    chosen = {name for word in words for name in _meant(names, word)}
    return tuple(region for region in regions if region.name in chosen)


def candidates(regions: Sequence[Region]) -> tuple[tuple[str, ...], ...]:
    """Every proper suffix and prefix of the regions, by their names; suffixes first, short before long."""
    names = tuple(region.name for region in regions)
    suffixes = [names[start:] for start in range(len(names) - 1, 0, -1)]
    prefixes = [names[:stop] for stop in range(1, len(names))]
    return (*suffixes, *prefixes)


def written(names: Sequence[str], chosen: Sequence[str]) -> str:
    """The chosen regions as `protected` reads them: "none", "all", "layer2..head" or names between colons."""
    if not chosen:
        return NONE
    if len(chosen) == len(names):
        return ALL
    first, last = names.index(chosen[0]), names.index(chosen[-1])
    if last - first + 1 == len(chosen) and len(chosen) > 1:
        return f"{chosen[0]}{TO}{chosen[-1]}"
    return ":".join(chosen)


def meanings(names: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """What the words mean that are no names, in a network with these regions."""
    half, every = len(names) // 2, tuple(names)
    return {ALL: every, NONE: (), FRONT: every[:half], BACK: every[len(every) - half :]}


def _meant(names: Sequence[str], word: str) -> Sequence[str]:
    known = meanings(names)
    if word in known:
        return known[word]
    if TO in word:
        first, _, last = word.partition(TO)
        start = _place(names, first) if first else 0
        stop = _place(names, last) + 1 if last else len(names)
        if stop <= start:
            raise InputError(f"protect={word!r}: {last} comes before {first}; turn them round")
        return names[start:stop]
    return (names[_place(names, word)],)


def _place(names: Sequence[str], word: str) -> int:
    if word not in names:
        raise unknown_name("protect", word, (*names, ALL, NONE, FRONT, BACK))
    return names.index(word)
