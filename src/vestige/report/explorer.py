"""The explorer of the plane: its data, packed, and the frame that its script fills."""

from typing import Any

import numpy as np
from jaxtyping import Float, Int, Integer, Shaped

from vestige.report.arrays import ReportArrays
from vestige.report.colors import CLASSES, COLORS, color_of
from vestige.report.markup import download, text
from vestige.report.packing import pack, smallest, steps
from vestige.report.pictures import pictures
from vestige.report.plane_table import cell_table
from vestige.report.shell import asset
from vestige.report.territory import territory
from vestige.risk.exposure import Exposure, class_name, ranking
from vestige.risk.plane import Plane

SCRIPTS = (
    "unpack.js",
    "explorer_data.js",
    "explorer_marks.js",
    "explorer_stage.js",
    "explorer_panel.js",
    "explorer_legend.js",
    "explorer_pointing.js",
    "explorer.js",
)
LISTED = 200  # records in the list of the most exposed: more than anybody reads
NONE = 0xFFFF  # in 16 bits: no label, or no difficulty on record
LOSS_STEP = 1000  # losses are kept in thousandths of a nat


def explorer(found: Exposure, arrays: ReportArrays, plane: Plane) -> str:
    """The explorer as a figure, with its data in the page and its cells as CSV."""
    last = zip(plane.partition.shown, plane.shares[-1], strict=True)
    shares = ", ".join(f"{name} {100 * share:.1f} %" for name, share in last)
    alt = f"At the last checkpoint the records lie in these regions: {shares}."
    frame = asset("explorer.html")
    caption = (
        "Each dot is a record: up, the share of models trained with it that name it (TPR); across, the share "
        "of models trained without it that name it (FPR). On the dashed line membership makes no difference. "
        "Records that are named equally often share a point and are drawn side by side around it. Between "
        "checkpoints dots are moved evenly; nothing was measured there."
    )
    return (
        f'<figure id="figure-plane" class="explorer">{frame.replace("ALT", text(alt))}'
        f"<figcaption>{text(caption)} {download('plane', cell_table(plane))}</figcaption>"
        f'<script type="application/octet-stream" id="explorer-data">{data(found, arrays, plane)}</script>'
        "</figure>"
    )


def script() -> str:
    """The explorer's own source, in a scope of its own."""
    return "(() => {\n" + "\n".join(asset(name) for name in SCRIPTS) + "\n})();"


def data(found: Exposure, arrays: ReportArrays, plane: Plane) -> str:
    """All that the script looks up, packed: it computes no figure of its own."""
    order = _order(found, arrays, plane)
    ground = territory(plane)
    header = {
        "samples": len(arrays.ids),
        "epochs": [float(e) for e in plane.epochs],
        "pad": ground.pad,
        "side": len(ground.codes),
        "regions": _regions(plane, ground.labels),
        "classes": _classes(arrays),
        "loss_step": LOSS_STEP,
    }
    described, shown = _pictures(arrays, order, exposed=min(LISTED, len(order)))
    packed = _counts(plane) | _samples(arrays, plane, order) | {"territory": ground.codes} | shown
    return pack(header | {"picture": described}, packed)


def _order(found: Exposure, arrays: ReportArrays, plane: Plane) -> Int[np.ndarray, "samples"]:
    """Positions by falling exposure, beginning with the records that the tables name."""
    place = {int(sample): position for position, sample in enumerate(arrays.ids)}
    first = np.array([place[record.sample] for record in found.records if record.sample in place], np.int64)
    rest = ranking(plane)
    return np.concatenate([first, rest[~np.isin(rest, first)]])


def _counts(plane: Plane) -> dict[str, Shaped[np.ndarray, "..."]]:
    return {
        "hits_in": steps(plane.hits_in),
        "hits_out": steps(plane.hits_out),
        "n_in": smallest(_once(plane.n_in)),
        "n_out": smallest(_once(plane.n_out)),
        "region_codes": plane.regions.astype(np.uint8),
    }


def _once(
    trials: Integer[np.ndarray, "checkpoints samples"],
) -> Integer[np.ndarray, "checkpoints_or_1 samples"]:
    return trials[:1] if (trials == trials[:1]).all() else trials


def _samples(
    arrays: ReportArrays, plane: Plane, order: Int[np.ndarray, "samples"]
) -> dict[str, Shaped[np.ndarray, "..."]]:
    rows: dict[str, Shaped[np.ndarray, "..."]] = {
        "ids": arrays.ids.astype(np.float64),  # exact up to 2 ** 53
        "since": plane.first_exposed.astype(np.int16),
        "exposed": order[:LISTED].astype(np.uint32),
    }
    if arrays.labels is not None:
        places = np.searchsorted(_known_classes(arrays.labels), arrays.labels)
        rows["labels"] = np.where(arrays.labels < 0, NONE, places).astype(np.uint16)
    if arrays.difficulty is not None and np.isfinite(arrays.difficulty).any():
        rows |= _difficulty(arrays.difficulty)
    return rows


def _difficulty(loss: Float[np.ndarray, "samples"]) -> dict[str, Shaped[np.ndarray, "..."]]:
    """The loss in thousandths of a nat, and the percentage of records that are easier."""
    known = np.isfinite(loss)
    kept = np.where(known, np.clip(np.nan_to_num(loss) * LOSS_STEP, 0, NONE - 1).round(), NONE)
    ranks = np.searchsorted(np.sort(loss[known]), loss, side="left") * 100 / known.sum()
    return {"loss": kept.astype(np.uint16), "harder": np.clip(ranks, 0, 100).astype(np.uint8)}


def _regions(plane: Plane, labels: tuple[tuple[float, float, float] | None, ...]) -> list[dict[str, Any]]:
    parts = plane.partition
    return [
        {
            "name": parts.shown[r],
            "meaning": parts.meaning[r],
            "color": COLORS[color_of(parts, r)],
            "vulnerable": r in parts.vulnerable,
            "label": labels[r],
        }
        for r in range(len(parts.names))
    ]


def _classes(arrays: ReportArrays) -> list[dict[str, str]]:
    if arrays.labels is None:
        return []
    return [
        {"name": class_name(c, arrays.class_names), "color": CLASSES[place % len(CLASSES)]}
        for place, c in enumerate(_known_classes(arrays.labels).tolist())
    ]


def _known_classes(labels: Integer[np.ndarray, "samples"]) -> Integer[np.ndarray, "classes"]:
    """The classes that occur, which may have any numbers."""
    return np.unique(labels[labels >= 0])


def _pictures(
    arrays: ReportArrays, order: Int[np.ndarray, "samples"], *, exposed: int
) -> tuple[dict[str, Any] | None, dict[str, Shaped[np.ndarray, "..."]]]:
    if arrays.inputs is None:
        return None, {}
    return pictures(
        arrays.inputs,
        order,
        exposed=exposed,
        image_shape=arrays.image_shape,
        feature_names=arrays.feature_names,
    )
