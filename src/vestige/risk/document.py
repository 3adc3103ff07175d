"""Frozen dataclasses as JSON and back, by their own type hints."""

import dataclasses
import math
import types
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from vestige.core.errors import InputError

Record = TypeVar("Record")


def to_plain(value: Any) -> Any:
    """The value as JSON types; a number that is not finite becomes null, because JSON has none."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [to_plain(item) for item in cast(tuple[Any, ...], value)]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def from_plain(kind: type[Record], data: Any, where: str = "result") -> Record:
    """The dataclass of that kind that `to_plain` wrote; null in place of a bare number becomes NaN.

    Raises InputError, naming the place, for missing or unknown fields and values of another type.
    """
    if not isinstance(data, dict):
        raise InputError(f"{where} must be an object; the file is not what Vestige wrote")
    found = cast(dict[str, Any], data)
    hints = get_type_hints(kind)
    fields = {f.name for f in dataclasses.fields(kind)}  # pyright: ignore[reportArgumentType]
    if fields != set(found):
        odd = ", ".join(sorted(fields ^ set(found)))
        raise InputError(
            f"{where} has missing or unknown fields: {odd}; was the file written by another version?"
        )
    return kind(**{name: _value(hints[name], item, f"{where}.{name}") for name, item in found.items()})


def _value(hint: Any, data: Any, where: str) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        inner = next(a for a in get_args(hint) if a is not type(None))
        return None if data is None else _value(inner, data, where)
    if get_origin(hint) is tuple:
        if not isinstance(data, list):
            raise InputError(f"{where} must be a list")
        items = cast(list[Any], data)
        return tuple(_value(get_args(hint)[0], item, f"{where}[{i}]") for i, item in enumerate(items))
    if dataclasses.is_dataclass(hint):
        kind: type[Any] = hint  # pyright: ignore[reportAssignmentType]
        return from_plain(kind, data, where)
    return _scalar(hint, data, where)


def _scalar(hint: Any, data: Any, where: str) -> Any:
    if hint is float:
        if data is None:
            return math.nan
        if isinstance(data, int | float) and not isinstance(data, bool):
            return float(data)
    elif isinstance(data, hint) and not (hint is int and isinstance(data, bool)):
        return data
    raise InputError(f"{where}={data!r} must be of type {hint.__name__}")
