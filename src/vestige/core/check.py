"""Checks of arguments: each returns its value or raises an InputError that names it."""

from typing import TypeVar

import numpy as np

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
