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
PART = re.compile(r"\s*regions\s*=.+?\.toml(?=\s*(?:[,/]|$))|[^,/]+")  # a path keeps its slashes
WORDS = {"true": True, "false": False, "yes": True, "no": False}


def from_text(text: str) -> Composed:
    """The defenses in "NAME:VALUE+NAME:VALUE", in that order; "none" is no defense.

    A parameter stands by position or as name=value; several are separated by commas or, where commas
    separate whole defenses, by slashes: "dp_sgd:noise=1/delta=1e-5". A parameter that is itself a defense
    separates its own by semicolons. A defense of the user's own is named "package.module:function".

    Raises InputError for an unknown name, parameter or value, and DefenseConflict for one given twice.
    """
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        kind = type(text).__name__
        raise InputError(
            f"defense: a {kind} is given where text is read; write it, for example label_smoothing:0.1, or "
            "apply it to a recipe and give an audit recipe="
        )
    words = [word.strip() for word in BETWEEN.split(text)]
    return compose(*(_one(word) for word in words if word != NONE))


def parameters_of(given: str) -> list[str]:
    """The parameters in what stands after a defense's name, as they are written."""
    return [part.strip() for part in PART.findall(given) if part.strip()]


def _one(text: str) -> Defense | OwnDefense:
    name, _, given = text.partition(":")
    if name in DEFENSES:
        return _with_parameters(name, parameters_of(given))
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
            raise _of_inner(unknown_name(f"parameter of {name}", key, kinds), given, key)
        if key in given:
            raise _of_inner(InputError(f"defense {name}: {key} is given twice"), given, "name")
        if kinds[key] is Defense:
            given[key] = _nested(name, value, parts[1:])
        else:
            given[key] = _value(name, key, value, kinds[key])
    _check_complete(name, given)
    return DEFENSES[name](**given)


def _nested(name: str, text: str, others: list[str]) -> Defense | OwnDefense:
    """The defense within another. others: the further parameters of the other."""
    inner, _, given = text.partition(":")
    if inner == NONE:
        raise InputError(f"defense {name}: {NONE} within it protects nothing; name a defense, or drop {name}")
    if inner not in DEFENSES and not _is_own(inner, given):
        raise unknown_name(f"defense within {name}", inner, DEFENSES)
    try:
        return _one(text.replace(";", "/"))
    except InputError as error:
        known = _parameters(inner) if inner in DEFENSES else {}
        keys = [named[1] if (named := NAMED.fullmatch(part)) else "" for part in others]
        lost = any(not key or (key in known and key not in _parameters(name)) for key in keys)
        if not lost:
            raise
        raise InputError(f"{error}{_semicolons(inner)}") from error


def _of_inner(error: InputError, given: dict[str, Any], key: str) -> InputError:
    """The error, with the remedy where a defense that is given already has a parameter of that name."""
    inner = [one.name for one in given.values() if isinstance(one, Defense) and hasattr(one, key)]
    return InputError(f"{error}{_semicolons(inner[0])}") if inner else error


def _semicolons(inner: str) -> str:
    """How parameters of a defense within another are told from those of the other."""
    return f"; within another defense, parameters of {inner} are separated by semicolons"


def _check_complete(name: str, given: dict[str, Any]) -> None:
    for field in _fields(name):
        required = field.default is field.default_factory is dataclasses.MISSING
        if required and field.name not in given:
            values = DEFENSES[name].grid
            example = f"{values[len(values) // 2]:g}" if values else "label_smoothing:0.3"
            raise InputError(f"defense {name}: {field.name} is missing; write for example {name}:{example}")


def _value(name: str, key: str, text: str, kind: type) -> Any:
    if key == "regions" and not text.endswith(".toml"):  # of another path only the first folder is left
        raise InputError(f"defense {name}: regions must be a .toml file, for example regions=regions.toml")
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
