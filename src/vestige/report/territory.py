"""The regions of the plane as a picture: any partition, evaluated on a fine lattice."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, UInt8
from scipy.ndimage import distance_transform_edt

from vestige.risk.plane import Plane

FINE = 600  # lattice points per axis: about one per pixel
COARSE = 150  # enough to place a name
WIDE_STEPS = 16  # models: with more, dots lie so close to their points that borders need not yield
MARGIN = 0.02  # of the plane around its outermost dots


@dataclass(frozen=True, kw_only=True, eq=False)
class Territory:
    """The plane from -pad to 1 + pad on both axes, seen from above.

    codes: index of the region at each lattice point, rows by rising TPR, columns by rising FPR.
    labels: for each region the FPR and TPR of its roomiest place, and the room around it; None if it is
      nowhere.
    """

    pad: float
    codes: UInt8[np.ndarray, "rows columns"]
    labels: tuple[tuple[float, float, float] | None, ...]


def territory(plane: Plane) -> Territory:
    """The territory of each region.

    Where all records are scored by the same few models, borders run halfway between the points that records
    can take, so that a dot drawn beside its point never leaves its region.
    """
    pad = 0.5 / _fewest(plane) + MARGIN
    codes = _codes(plane, pad, FINE)
    coarse = _codes(plane, pad, COARSE)
    labels = tuple(_place(coarse == r, pad) for r in range(len(plane.partition.names)))
    return Territory(pad=pad, codes=codes, labels=labels)


def _fewest(plane: Plane) -> int:
    """The fewest models that scored a sample on either side, among those scored at all."""
    trials = np.concatenate([plane.n_in.ravel(), plane.n_out.ravel()])
    return int(trials[trials > 0].min()) if trials.any() else 1


def _codes(plane: Plane, pad: float, size: int) -> UInt8[np.ndarray, "size size"]:
    axis = np.clip(_axis(pad, size), 0.0, 1.0)
    fpr, tpr = np.meshgrid(_snapped(axis, plane.n_out), _snapped(axis, plane.n_in))
    return plane.partition.of(fpr, tpr).astype(np.uint8)


def _axis(pad: float, size: int) -> Float64[np.ndarray, "size"]:
    return -pad + (1 + 2 * pad) * (np.arange(size) + 0.5) / size


def _snapped(axis: Float64[np.ndarray, "size"], trials: np.ndarray) -> Float64[np.ndarray, "size"]:
    """The axis moved to the nearest share of `trials`, where all records have equally few."""
    numbers = np.unique(trials)
    if len(numbers) != 1 or not 0 < numbers[0] <= WIDE_STEPS:
        return axis
    return np.round(axis * numbers[0]) / numbers[0]


def _place(inside: Bool[np.ndarray, "size size"], pad: float) -> tuple[float, float, float] | None:
    """The middle of the roomiest part of a region."""
    if not inside.any():
        return None
    room = np.asarray(distance_transform_edt(np.pad(inside, 1)))[1:-1, 1:-1]
    roomiest = np.argwhere(room >= room.max() - 0.5)
    middle = roomiest[np.argmin(((roomiest - roomiest.mean(0)) ** 2).sum(1))]
    axis = _axis(pad, len(inside))
    width = (1 + 2 * pad) / len(inside)
    return float(axis[middle[1]]), float(axis[middle[0]]), float(room.max() * width)
