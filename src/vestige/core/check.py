"""Checks of arguments: each returns its value or raises an InputError that names it."""

from typing import TypeVar

import numpy as np
from jaxtyping import Int64, Shaped

from vestige.core.errors import InputError

Number = TypeVar("Number", int, float)


def at_least(name: str, value: Number, minimum: Number) -> Number:
    """The value, if it is at least the minimum."""
    if not value >= minimum:
        raise InputError(f"{name}={value} must be at least {minimum}")
    return value


def positive(name: str, value: Number) -> Number:
    """The value, if it is finite and above zero."""
    if not (value > 0 and np.isfinite(value)):
        raise InputError(f"{name}={value} must be a finite number above 0")
    return value


def within(name: str, value: Number, low: Number, high: Number) -> Number:
    """The value, if it lies in [low, high]."""
    if not low <= value <= high:
        raise InputError(f"{name}={value} must lie between {low} and {high}")
    return value


def one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    """The value, if it is one of the allowed words."""
    if value not in allowed:
        raise InputError(f"{name}={value!r} must be one of {', '.join(allowed)}")
    return value


def whole_numbers(name: str, values: Shaped[np.ndarray, "..."], count: int) -> Int64[np.ndarray, "count"]:
    """The values as integers, if they are `count` whole numbers on one axis; booleans are 0 and 1."""
    if values.shape != (count,):
        one_hot = f", such as {name}.argmax(1) of one-hot rows" if values.ndim == 2 else ""
        raise InputError(f"{name} has shape {values.shape}; give {count} integers, one per sample{one_hot}")
    if values.dtype.kind not in "biuf":
        raise InputError(
            f"{name} has type {values.dtype}; give {count} integers, one per sample, such as "
            f"np.unique({name}, return_inverse=True)[1] of words"
        )
    with np.errstate(invalid="ignore"):  # of NaN, which is no whole number
        whole = values.astype(np.int64)
    if len(wrong := np.flatnonzero(whole != values)):
        raise InputError(
            f"{name}: sample {wrong[0]} has {values[wrong[0]]}; give {count} integers, one per sample"
        )
    return whole
