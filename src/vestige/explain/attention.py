"""What an attribution looks at, in numbers: spread, place and concentration of each sample's map."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Float64

from vestige.core import check
from vestige.core.errors import InputError
from vestige.explain.given import matrix
from vestige.leakage.numbers import Numbers

Maps: TypeAlias = Float64[np.ndarray, "samples height width"]
STRONGEST = 0.2  # the share of a map's cells that count as what it points at
CENTRAL = 0.5  # the side of the central box, as a share of the map's


@dataclass(frozen=True, kw_only=True)
class AttentionMeasure:
    """One number per sample that describes its attribution."""

    name: str
    title: str
    definition: str


MEASURES = (
    AttentionMeasure(
        name="entropy",
        title="Spread of attention",
        definition="entropy of the attribution's shares over its highest value: 0 = one cell or feature, "
        "1 = all alike",
    ),
    AttentionMeasure(
        name="center_offset",
        title="Attention off center",
        definition="distance of the map's center of mass from the middle, in half diagonals",
    ),
    AttentionMeasure(
        name="central_share",
        title="Attention in the middle",
        definition="share of the mass of the strongest fifth of the cells in the central box of half the "
        "side; 0.25 where it is even",
    ),
    AttentionMeasure(
        name="features_for_half",
        title="Features for half",
        definition="the fewest features that hold half of the attribution",
    ),
)
BY_NAME = {measure.name: measure for measure in MEASURES}


@dataclass(frozen=True, kw_only=True, eq=False)
class Attention:
    """Measures of each sample's attribution, as `contrast` takes them.

    values: by measure, [samples]; NaN where an attribution is zero everywhere.
    notes: what a reader should know.
    """

    values: dict[str, Float64[np.ndarray, "samples"]]
    notes: tuple[str, ...] = ()


def attention(maps: Numbers) -> Attention:
    """Spread and place of maps [samples height width] of 0 and up, such as those of Grad-CAM; any scale.

    entropy: 0 = one cell, 1 = even. center_offset: 0 = the middle, towards 1 in a corner. central_share: 1 =
    what the map points at lies in the middle, 0 = at the rim.

    Raises InputError for another shape, and for values below 0 or not finite.
    """
    mass = _maps(maps)
    if mass.min() < 0:
        raise InputError(f"maps hold {mass.min():g}; their values must be 0 or more, as after a ReLU")
    shares = _shares(mass.reshape(len(mass), -1)).reshape(mass.shape)
    values = {
        "entropy": _entropy(shares.reshape(len(mass), -1)),
        "center_offset": _center_offset(shares),
        "central_share": _central_share(shares),
    }
    return Attention(values=values, notes=_notes(shares.reshape(len(mass), -1), "cell"))


def concentration(attributions: Numbers) -> Attention:
    """How few features carry attributions [samples features], by their absolute values; any scale.

    entropy: 0 = one feature, 1 = all alike. features_for_half: the fewest that hold half of the total.

    Raises InputError for another shape, and for values that are not finite.
    """
    given = matrix("attributions", attributions, "samples, features")
    _finite("attributions", given)
    shares = _shares(np.abs(given))
    held = np.cumsum(-np.sort(-shares, axis=1), axis=1)
    # a share summed in floats may fall short of one half in its last digit
    fewest = np.where(np.isnan(held[:, -1]), np.nan, (held < 0.5 - 1e-12).sum(1) + 1.0)
    values = {"entropy": _entropy(shares), "features_for_half": fewest}
    return Attention(values=values, notes=_notes(shares, "feature"))


def normalized(maps: Numbers) -> Maps:
    """Each map [samples height width] stretched to 0..1 for drawing; 0 everywhere where it does not vary.

    Raises InputError for another shape, and for values that are not finite.
    """
    given = _maps(maps)
    low = given.min((1, 2), keepdims=True)
    span = given.max((1, 2), keepdims=True) - low
    return (given - low) / np.where(span > 0, span, 1.0)


def upsampled(maps: Numbers, height: int, width: int) -> Maps:
    """Maps [samples height width] of another size by bilinear interpolation between the cells' centers.

    Beyond the outermost centers the outermost value holds.

    Raises InputError for another shape, values that are not finite, and a size below 1.
    """
    check.at_least("height", height, 1)
    check.at_least("width", width, 1)
    given = _maps(maps)
    rows, columns = _weights(given.shape[1], height), _weights(given.shape[2], width)
    return rows @ given @ columns.T


def _maps(maps: Numbers) -> Maps:
    found = np.asarray(maps, np.float64)
    if found.ndim != 3 or 0 in found.shape:
        raise InputError(f"maps has shape {found.shape}; give (samples, height, width), none of them 0")
    _finite("maps", found)
    return found


def _finite(name: str, values: np.ndarray) -> None:
    if not np.isfinite(values).all():
        raise InputError(f"{name} hold NaN or infinity; remove these samples")


def _shares(mass: Float64[np.ndarray, "samples cells"]) -> Float64[np.ndarray, "samples cells"]:
    """Mass over its sum; NaN where there is none."""
    largest = mass.max(1, keepdims=True)
    scaled = mass / np.where(largest > 0, largest, np.nan)  # a tiny map's sum would lose its digits
    return scaled / scaled.sum(1, keepdims=True)


def _entropy(shares: Float64[np.ndarray, "samples cells"]) -> Float64[np.ndarray, "samples"]:
    cells = shares.shape[1]
    if cells == 1:
        return np.full(len(shares), np.nan)
    logs = np.log(np.where(shares > 0, shares, 1.0))
    return np.abs((shares * logs).sum(1)) / np.log(cells)


def _center_offset(shares: Maps) -> Float64[np.ndarray, "samples"]:
    height, width = shares.shape[1:]
    down = shares.sum(2) @ (np.arange(height) + 0.5 - height / 2)
    across = shares.sum(1) @ (np.arange(width) + 0.5 - width / 2)
    return np.hypot(down, across) / (np.hypot(height, width) / 2)


def _central_share(shares: Maps) -> Float64[np.ndarray, "samples"]:
    height, width = shares.shape[1:]
    box = np.outer(_in_the_middle(height), _in_the_middle(width)).ravel()
    flat = shares.reshape(len(shares), -1)
    strongest = flat * _strongest(flat)
    return (strongest @ box) / strongest.sum(1)


def _strongest(flat: Float64[np.ndarray, "samples cells"]) -> Float64[np.ndarray, "samples cells"]:
    """1 for the strongest fifth of each map's cells; cells tied for its last places share them."""
    places = int(np.ceil(STRONGEST * flat.shape[1]))
    last = -np.partition(-flat, places - 1, axis=1)[:, places - 1 : places]
    above, tied = flat > last, flat == last
    free = (places - above.sum(1, keepdims=True)) / np.maximum(tied.sum(1, keepdims=True), 1)
    return above + tied * free


def _in_the_middle(cells: int) -> Float64[np.ndarray, "cells"]:
    """The share of each cell's length in the middle part of a side."""
    low, high = (1 - CENTRAL) / 2 * cells, (1 + CENTRAL) / 2 * cells
    starts = np.arange(cells)
    return np.clip(np.minimum(starts + 1, high) - np.maximum(starts, low), 0, 1)


def _weights(cells: int, wanted: int) -> Float64[np.ndarray, "wanted cells"]:
    """The weight of each cell in each new one along a side."""
    place = np.clip((np.arange(wanted) + 0.5) * cells / wanted - 0.5, 0, cells - 1)
    return np.maximum(0.0, 1 - np.abs(place[:, None] - np.arange(cells)))


def _notes(shares: Float64[np.ndarray, "samples cells"], cell: str) -> tuple[str, ...]:
    empty = int(np.isnan(shares[:, 0]).sum())
    notes = (
        [f"{empty} of {len(shares)} attributions are zero everywhere and have no measure."] if empty else []
    )
    if shares.shape[1] == 1:
        notes.append(f"There is one {cell} only, over which nothing can spread.")
    return tuple(notes)
