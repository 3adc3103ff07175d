"""Arrays that a caller gave, in the types that the measures compute with."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from vestige.core.errors import InputError
from vestige.data.membership import Membership
from vestige.leakage.numbers import Numbers

Matrix = Float64[np.ndarray, "_rows _columns"]
Vector = Float64[np.ndarray, "_entries"]


@dataclass(frozen=True, eq=False)
class Coins:
    """Who trained on what, and which targets depend on each other by design.

    member: [targets samples]. clusters: [targets], equal for dependent targets.
    """

    member: Bool[np.ndarray, "targets samples"]
    clusters: Int64[np.ndarray, "targets"]


def matrix(name: str, values: Numbers, axes: str = "targets, samples") -> Matrix:
    """The values as float64 with two axes.

    Raises InputError for other shapes, or none at all.
    """
    found = np.asarray(values, np.float64)
    if found.ndim != 2 or 0 in found.shape:
        raise InputError(f"{name} has shape {found.shape}; give ({axes}), neither of them 0")
    return found


def vector(name: str, values: Numbers, length: int | None = None) -> Vector:
    """The values as float64, one per sample.

    Raises InputError for another number of axes or another length.
    """
    found = np.asarray(values, np.float64)
    if found.ndim != 1 or not found.size:
        raise InputError(f"{name} has shape {found.shape}; give one number per sample")
    same_length(name, found, length)
    return found


def truth(name: str, values: Numbers, length: int | None = None) -> Bool[np.ndarray, "_entries"]:
    """The values as booleans, one per sample.

    Raises InputError for another length, or values other than 0 and 1.
    """
    found = np.asarray(values)
    if found.ndim != 1:
        raise InputError(f"{name} has shape {found.shape}; give one true or false per sample")
    same_length(name, found, length)
    return _zero_one(name, found)


def coins(membership: Numbers | Membership, shape: tuple[int, ...]) -> Coins:
    """The membership of each target, of that shape; complementary neighbors depend on each other.

    Raises InputError for another shape, values other than 0 and 1, and a target without members or without
    non-members.
    """
    member, clusters = _coins(membership)
    if member.shape != shape:
        raise InputError(
            f"membership has shape {member.shape} and the values need {shape}: (targets, samples)"
        )
    inside = member.sum(1)
    alone = np.flatnonzero((inside == 0) | (inside == shape[1]))
    if len(alone):
        raise InputError(
            f"membership: target {alone[0]} has {inside[alone[0]]} members of {shape[1]} samples; leave out "
            "targets without members or without non-members"
        )
    return Coins(member, np.asarray(clusters, np.int64))


def same_length(name: str, values: np.ndarray, length: int | None) -> None:
    """Nothing, if there is one value per sample.

    Raises InputError otherwise.
    """
    if length is not None and len(values) != length:
        raise InputError(f"{name} holds {len(values)} entries for {length} samples; give one per sample")


def _coins(membership: Numbers | Membership) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(membership, Membership):
        return membership.mask, membership.clusters()
    mask = _zero_one("membership", np.asarray(membership))
    whole, models = len(mask) // 2 * 2, np.arange(len(mask))
    paired = whole > 0 and bool((mask[0:whole:2] ^ mask[1:whole:2]).all())
    return mask, models // 2 if paired else models


def _zero_one(name: str, values: np.ndarray) -> Bool[np.ndarray, "..."]:
    found = values.astype(bool)
    if values.dtype != np.bool_ and not np.array_equal(found, values):
        raise InputError(f"{name} holds values other than 0 and 1; give a bool array")
    return found
