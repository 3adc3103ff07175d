"""Defenses as they are written: label_smoothing:0.1+random_crop:4."""

import dataclasses
import re
import types
from difflib import get_close_matches
from typing import Any, Union, get_args, get_origin, get_type_hints

from vestige.core.errors import InputError, unknown_name
from vestige.defenses.catalog import DEFENSES
from vestige.defenses.defense import Composed, Defense, compose
from vestige.defenses.own import OwnDefense

NONE = "none"
BETWEEN = re.compile(r"\+(?=\s*[A-Za-z_])")  # not the plus of 1e+5
NAMED = re.compile(r"\s*(\w+)\s*=(.*)", re.DOTALL)
WORDS = {"true": True, "false": False, "yes": True, "no": False}


def from_text(text: str) -> Composed:
    """The defenses in "NAME:VALUE+NAME:VALUE", in that order; "none" is no defense.

    A parameter stands by position or as name=value; several are separated by commas or, where commas
    separate whole defenses, by slashes: "dp_sgd:noise=1/delta=1e-5". A parameter that is itself a defense
    separates its own by semicolons. A defense of the user's own is named "package.module:function".

    Raises InputError for an unknown name, parameter or value, and DefenseConflict for one given twice.
    """
    words = [word.strip() for word in BETWEEN.split(text)]
    return compose(*(_one(word) for word in words if word != NONE))


def _one(text: str) -> Defense | OwnDefense:
    name, _, given = text.partition(":")
    if name in DEFENSES:
        return _with_parameters(name, [part.strip() for part in re.split(r"[,/]", given) if part.strip()])
    if _is_own(name, given):
        return OwnDefense(reference=text)
    raise unknown_name("defense", name, [NONE, *DEFENSES])


def _is_own(name: str, given: str) -> bool:
    """Whether the text is package.module:function, and not a misspelt defense with a word for a parameter."""
    path = bool(given) and all(word.isidentifier() for word in [*name.split("."), *given.split(".")])
    return path and not get_close_matches(name, DEFENSES, cutoff=0.75)


def _with_parameters(name: str, parts: list[str]) -> Defense:
    kinds = _parameters(name)
    given: dict[str, Any] = {}
    for position, part in enumerate(parts):
        if named := NAMED.fullmatch(part):
            key, value = named[1], named[2].strip()
        elif position >= len(kinds):
            raise InputError(f"defense {name}: {part!r} is one parameter too many; it has {', '.join(kinds)}")
        else:
            key, value = list(kinds)[position], part
        if key not in kinds:
            raise unknown_name(f"parameter of {name}", key, kinds)
        if key in given:
            raise InputError(f"defense {name}: {key} is given twice")
        given[key] = _value(name, key, value, kinds[key])
    _check_complete(name, given)
    return DEFENSES[name](**given)


def _check_complete(name: str, given: dict[str, Any]) -> None:
    for field in _fields(name):
        required = field.default is field.default_factory is dataclasses.MISSING
        if required and field.name not in given:
            values = DEFENSES[name].grid
            example = f"{values[len(values) // 2]:g}" if values else "VALUE"
            raise InputError(f"defense {name}: {field.name} is missing; write for example {name}:{example}")


def _value(name: str, key: str, text: str, kind: type) -> Any:
    if kind is Defense:
        return _one(text.replace(";", "/"))
    try:
        return WORDS[text.lower()] if kind is bool else kind(text)
    except (ValueError, KeyError):
        wanted = {int: "a whole number", float: "a number", bool: "true or false"}.get(kind, "a word")
        raise InputError(f"defense {name}: {key}={text!r} must be {wanted}") from None


def _parameters(name: str) -> dict[str, type]:
    """The defense's parameters that can be written, in order, each with its type."""
    hints = get_type_hints(DEFENSES[name])
    kinds = {field.name: _kind(hints[field.name]) for field in _fields(name)}
    return {field: kind for field, kind in kinds.items() if kind is not None}


def _kind(hint: Any) -> type | None:
    """float of `float | None`; None for what cannot be written as text."""
    options = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    return next((kind for kind in (Defense, bool, float, int, str) if kind in options), None)


def _fields(name: str) -> tuple["dataclasses.Field[Any]", ...]:
    defense: Any = DEFENSES[name]
    return dataclasses.fields(defense)
