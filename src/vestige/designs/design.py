"""A design: which options vary, over which levels, and the cells that follow."""

import dataclasses
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

from vestige.audits.options import Options
from vestige.core.errors import InputError, unknown_name

# What a cell keeps to itself, or what would change no model.
FIXED = ("out", "data_dir", "jobs", "policy_by", "policy_reason", "release_context", "operator", "reviewer")
MOST_CELLS = 500


@dataclass(frozen=True)
class Factor:
    """An option and the levels it takes."""

    option: str
    levels: tuple[Any, ...]


@dataclass(frozen=True)
class Cell:
    """One condition: the level of every factor, and the options that follow."""

    levels: tuple[tuple[str, Any], ...]
    options: Options

    @property
    def name(self) -> str:
        """As tables and pictures show it: the levels, "base" without any."""
        return ", ".join(f"{option}={shown(level)}" for option, level in self.levels) or "base"

    @property
    def folder(self) -> str:
        """The name as a folder."""
        return re.sub(r"[^\w.=-]+", "-", "_".join(f"{o}={shown(v)}" for o, v in self.levels)) or "base"


@dataclass(frozen=True)
class Design:
    """The full crossing of the factors, each cell with the base options otherwise.

    Raises InputError for an option that does not exist or may not vary, a level twice or none, or levels of
    the wrong type.
    """

    base: Options
    factors: tuple[Factor, ...]

    def __post_init__(self) -> None:
        names = [factor.option for factor in self.factors]
        if len(set(names)) < len(names):
            raise InputError(f"vary: {', '.join(names)} names an option twice; give all levels in one list")
        if len(self.cells) > MOST_CELLS:
            raise InputError(f"vary: {len(self.cells)} cells are more than {MOST_CELLS}; vary less at once")

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All cells, the last factor varying fastest."""
        found: list[Cell] = []
        for levels in itertools.product(*(factor.levels for factor in self.factors)):
            chosen = tuple(zip((f.option for f in self.factors), levels, strict=True))
            values = {option: _as_field(option, level) for option, level in chosen}
            found.append(Cell(chosen, dataclasses.replace(self.base, **values)))
        return tuple(found)


def factor_from(text: str) -> Factor:
    """The factor in "option=level,level"; levels get the option's own type.

    Raises InputError for anything else.
    """
    option, equals, levels = text.partition("=")
    if not equals:
        raise InputError(f"vary={text!r} must be OPTION=LEVEL,LEVEL, for example optimizer=sgd,adam")
    return factor(option.strip().replace("-", "_"), [level.strip() for level in levels.split(",")])


def factors_from(vary: Mapping[str, Sequence[Any]]) -> tuple[Factor, ...]:
    """The factors of a mapping from options to levels. Raises InputError as `Design` does."""
    return tuple(factor(option, levels) for option, levels in vary.items())


def factor(option: str, levels: Sequence[Any]) -> Factor:
    """The option and its levels, checked and turned into the option's own type."""
    hints = get_type_hints(Options)
    allowed = [name for name in hints if name not in FIXED]
    if option not in allowed:
        raise unknown_name("option to vary", option, allowed)
    if isinstance(levels, str) or not levels:
        raise InputError(f"vary {option}={levels!r} must be a list of at least one level")
    typed = tuple(_typed(option, level, hints[option]) for level in levels)
    if len(set(typed)) < len(typed):
        raise InputError(f"vary {option}: {', '.join(map(str, levels))} names a level twice")
    return Factor(option, typed)


def shown(level: Any) -> str:
    """A level as text."""
    return f"{level:g}" if isinstance(level, float) else str(level)


def _typed(option: str, level: Any, hint: Any) -> Any:
    kinds = [kind for kind in (get_args(hint) or (hint,)) if kind in (int, float, str, Path)]
    kind = kinds[0] if kinds else str
    try:
        return kind(level)
    except (TypeError, ValueError):
        wanted = "whole numbers" if kind is int else "numbers" if kind is float else "text"
        raise InputError(f"vary {option}: {level!r} is no level of it; give {wanted}") from None


def _as_field(option: str, level: Any) -> Any:
    """Lists of one, where the option is a list."""
    return (level,) if option in ("attack", "signals") else level
