"""The gallery of records: cards that sort and filter, and a page of its own for each record."""

import zlib
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped, UInt8

from vestige.report.explanation_page import Records
from vestige.report.markup import table, text
from vestige.report.packing import pack
from vestige.report.pictures import BUDGET, LARGEST
from vestige.report.shell import asset
from vestige.risk.exposure import class_name

SCRIPTS = (
    "unpack.js",
    "gallery_data.js",
    "gallery_pictures.js",
    "gallery_charts.js",
    "gallery_record.js",
    "gallery.js",
)
PRINTED = 50  # records in the table and on paper
MAP_SIDE = 16  # cells per side that are kept of a map: more than the last convolution of most networks has
UNKNOWN = 0xFF  # in 8 bits: no place
GIVEN_AWAY, WRONG_LABEL, MEMBER = 1, 2, 4  # bits of a record's marks

Arrays = dict[str, Shaped[np.ndarray, "..."]]
Packed = tuple[dict[str, Any], Arrays]
Pictures = UInt8[np.ndarray, "pictured channels height width"]


def gallery(records: Records, class_names: tuple[str, ...]) -> str:
    """The gallery as HTML with its data; `script` brings it to life, without scripts it is a table."""
    classes = _classes(records, class_names)
    packed = data(records, class_names)
    return (
        f'<div class="gallery" id="gallery">{_controls(records, classes)}'
        '<p class="g-count" role="status"></p><ul class="g-list" aria-label="Records"></ul>'
        '<article class="g-record" aria-label="Record" hidden></article>'
        f"<noscript>{_table(records, classes)}</noscript>"
        f'<script type="application/octet-stream" id="gallery-data">{packed}</script></div>'
    )


def script() -> str:
    """The gallery's own source, in a scope of its own."""
    return "(() => {\n" + "\n".join(asset(name) for name in SCRIPTS) + "\n})();"


def data(records: Records, class_names: tuple[str, ...]) -> str:
    """All that the script looks up, packed; it computes no figure of its own."""
    quantities = _quantities(records)
    header = {
        "classes": _classes(records, class_names),
        "quantities": [{"title": title, "kind": kind} for title, kind, _ in quantities],
        "epochs": records.epochs.tolist(),
        "loss_epochs": records.loss_epochs.tolist(),
        "labels_known": records.mislabelled is not None,
    }
    described, drawn = _drawn(records)
    packed = _facts(records) | _numbers([values for *_, values in quantities]) | _courses(records) | drawn
    return pack(header | described, packed)


def _quantities(records: Records) -> list[tuple[str, str, Float[np.ndarray, "records"]]]:
    """Title, kind and values of all that records are sorted by."""
    measures = [(title, "measure", values) for title, values in records.measures.items()]
    return measures + [(title, "score", values) for title, values in records.scores.items()]


def _classes(records: Records, class_names: tuple[str, ...]) -> list[str]:
    seen = np.concatenate([records.labels, records.predicted, records.pictured_labels])
    return [class_name(label, class_names) for label in range(int(seen.max(initial=-1)) + 1)]


def _facts(records: Records) -> Arrays:
    marks = GIVEN_AWAY * records.vulnerable + MEMBER * records.member
    if records.mislabelled is not None:
        marks = marks + WRONG_LABEL * records.mislabelled
    return {
        "ids": records.ids.astype(np.float64),  # exact up to 2 ** 53
        "labels": records.labels.astype(np.int16),
        "predicted": records.predicted.astype(np.int16),
        "marks": marks.astype(np.uint8),
        "neighbors": records.neighbors.astype(np.uint32),
        "distances": records.neighbor_distances.astype(np.float32),
        "pictured_ids": records.pictured_ids.astype(np.float64),
        "pictured_labels": records.pictured_labels.astype(np.int16),
    }


def _order(records: Records) -> Int[np.ndarray, "records"]:
    """Records by falling first measure, unknown ones last; by id where nothing is measured."""
    first = next((values for *_, values in _quantities(records)), None)
    return np.lexsort((records.ids, np.zeros(len(records.ids)) if first is None else -first))


def _numbers(quantities: list[Float[np.ndarray, "records"]]) -> Arrays:
    if not quantities:
        return {"values": np.empty(0, np.float32), "places": np.empty(0, np.uint8)}
    return {
        "values": np.stack(quantities).astype(np.float32),
        "places": np.stack([_places(values) for values in quantities]),
    }


def _places(values: Float[np.ndarray, "records"]) -> UInt8[np.ndarray, "records"]:
    """The percentage of the known values that lie below each, ties counting half."""
    known = np.sort(values[~np.isnan(values)])
    both = np.searchsorted(known, values, "left") + np.searchsorted(known, values, "right")
    return np.where(np.isnan(values), UNKNOWN, np.round(50 * both / max(len(known), 1))).astype(np.uint8)


def _courses(records: Records) -> Arrays:
    return {name: getattr(records, name).astype(np.float32) for name in ("fpr", "tpr", "losses")}


def _drawn(records: Records) -> Packed:
    """What records look like: pictures with maps, or rows of a table."""
    if records.pictures is not None:
        described, drawn = _pixels(records, records.pictures)
        if records.maps is None:
            return described, drawn
        maps = _mapped(records.maps)
        return described | {"map_shape": maps.shape[1:]}, drawn | {"maps": maps}
    return ({}, {}) if records.features is None else _rows(records.features)


def _pixels(records: Records, pictures: Pictures) -> Packed:
    """The records' pictures, and as many of their neighbors' as fit, the nearest first."""
    count = len(records.ids)
    factor = -(-max(pictures.shape[2:]) // LARGEST)
    while factor < max(pictures.shape[2:]) and _weight(_shrunk(pictures[:count], factor)) > BUDGET:
        factor += 1
    own = _shrunk(pictures[:count], factor)
    near = records.neighbors.T.ravel()
    near, first = np.unique(near[near >= count], return_index=True)
    near = near[np.argsort(first)]
    others = _fitting(pictures[near], factor, BUDGET - _weight(own))
    shapes = {"own_shape": own.shape[1:], "other_shape": others.shape[1:]}
    pixels = {"own": _steps(own), "others": _steps(others)}
    return shapes, pixels | {"embedded": near[: len(others)].astype(np.uint32)}


def _fitting(
    pictures: Pictures, factor: int, room: int
) -> UInt8[np.ndarray, "embedded channels rows columns"]:
    """The pictures at this factor if they fit the room in bytes, else at half the size as many as do."""
    whole = _shrunk(pictures, factor)
    if _weight(whole) <= room:
        return whole
    half = _shrunk(pictures, 2 * factor)
    return half[: int(len(half) * min(1, max(room, 0) / _weight(half)))]


def _weight(pictures: Pictures) -> int:
    """Bytes that the pictures take once compressed."""
    return len(zlib.compress(_steps(pictures).tobytes()))


def _steps(pictures: Pictures) -> Pictures:
    """Each pixel as the change from its left neighbor, modulo 256: smooth pictures compress better so."""
    return np.diff(pictures, axis=-1, prepend=np.uint8(0))


def _shrunk(pictures: Pictures, factor: int) -> UInt8[np.ndarray, "pictured channels rows columns"]:
    return pictures if factor == 1 else np.round(_averaged(pictures, factor)).astype(np.uint8)


def _averaged(
    grids: Shaped[np.ndarray, "*grids height width"], factor: int
) -> Float[np.ndarray, "*grids rows columns"]:
    """Means over blocks of so many cells per side; the last block may hold fewer."""
    sums = grids.astype(np.float64)
    for axis in (-2, -1):
        starts = np.arange(0, grids.shape[axis], factor)
        sizes = np.diff(starts, append=grids.shape[axis])
        sums = np.add.reduceat(sums, starts, axis) / (sizes if axis == -1 else sizes[:, None])
    return sums


def _mapped(maps: Float[np.ndarray, "records height width"]) -> UInt8[np.ndarray, "records rows columns"]:
    """Maps of at most MAP_SIDE cells per side in 255ths of their strongest cell; unknown cells are 0."""
    small = _averaged(np.nan_to_num(maps), -(-max(maps.shape[1:]) // MAP_SIDE))
    most = small.max((1, 2), keepdims=True)
    return np.round(255 * np.clip(small / np.where(most > 0, most, 1.0), 0, 1)).astype(np.uint8)


def _rows(features: tuple[tuple[tuple[str, float, float], ...], ...]) -> Packed:
    """Names once, and per record as many entries as the longest has; values are NaN where it has fewer."""
    names = {
        name: place for place, name in enumerate(dict.fromkeys(n for row in features for n, _, _ in row))
    }
    kept = max(map(len, features), default=0)
    places = np.zeros((len(features), kept), np.uint32)
    numbers = np.full((2, len(features), kept), np.nan, np.float32)
    for at, row in enumerate(features):
        for k, (name, value, attribution) in enumerate(row):
            places[at, k] = names[name]
            numbers[:, at, k] = value, attribution
    described = {"features": list(names), "kept": kept}
    return described, {"feature_places": places, "feature_values": numbers[0], "attributions": numbers[1]}


def _controls(records: Records, classes: list[str]) -> str:
    """What sorts and filters; hidden until the script takes over."""
    titles = [(str(k), title) for k, (title, _, _) in enumerate(_quantities(records))]
    labels = [(str(c), name) for c, name in enumerate(classes) if (records.labels == c).any()]
    who = [("", "All"), ("away", "Given away"), ("others", "Not given away")]
    shown = records.mislabelled is not None, records.maps is not None and records.pictures is not None
    return (
        f'<form class="g-controls" hidden>{_select("sort", "Sort by", [*titles, ("id", "Record number")])}'
        '<button type="button" data-do="turn" aria-pressed="false">↓ Highest first</button>'
        f"{_select('class', 'Class', [('', 'All'), *labels])}{_select('who', 'Records', who)}"
        f"{_check('wrong', 'Wrongly predicted')}"
        f"{_check('label', 'Label known to be wrong') if shown[0] else ''}"
        f"{_check('maps', 'Maps over pictures') if shown[1] else ''}"
        '<label>Find record<input type="text" name="find" inputmode="numeric" autocomplete="off" size="8">'
        "</label></form>"
    )


def _select(name: str, title: str, options: list[tuple[str, str]]) -> str:
    inner = "".join(f'<option value="{value}">{text(words)}</option>' for value, words in options)
    return f'<label>{title}<select name="{name}" autocomplete="off">{inner}</select></label>'


def _check(name: str, title: str) -> str:
    return f'<label><input type="checkbox" name="{name}" autocomplete="off">{title}</label>'


def _table(records: Records, classes: list[str]) -> str:
    """The first records for readers without scripts."""
    header = ["Record", "Class", "Predicted", "Marks", *records.measures, *records.scores]
    order = _order(records)[:PRINTED]
    rows = [_cells(records, classes, int(i)) for i in order]
    caption = f"The first {len(order)} of {len(records.ids)} records"
    return table(caption, header, rows, numeric=range(4, len(header)))


def _cells(records: Records, classes: list[str], i: int) -> list[str]:
    names = [classes[c] if c >= 0 else "" for c in (int(records.labels[i]), int(records.predicted[i]))]
    wrong = records.mislabelled is not None and bool(records.mislabelled[i])
    marks = ["given away"] * bool(records.vulnerable[i]) + ["wrong label"] * wrong
    numbers = [float(values[i]) for *_, values in _quantities(records)]
    shown = ["unknown" if np.isnan(v) else f"{v:.3g}" for v in numbers]
    return [str(records.ids[i]), *names, ", ".join(marks), *shown]
