"""What single records look like: pictures, or the features in which they depart most from the mean."""

from typing import Any

import numpy as np
from jaxtyping import Float64, Int, Shaped, UInt8

from vestige.core.seeds import generator

BUDGET = 1_500_000  # bytes before base64, which makes 2 MB of them
LARGEST = 64  # pixels per side: enough to recognize, and small enough to embed
FEATURES = 8
TAILS = (0.005, 0.995)  # of all pixels, that black and white stand for

Packed = tuple[dict[str, Any], dict[str, Shaped[np.ndarray, "..."]]]


def pictures(
    inputs: Shaped[np.ndarray, "samples ..."],
    order: Int[np.ndarray, "samples"],
    *,
    exposed: int,
    image_shape: tuple[int, ...] | None = None,
    feature_names: tuple[str, ...] = (),
    budget: int = BUDGET,
) -> Packed:
    """A description and arrays of as many records as fit the budget in bytes.

    order: positions by falling exposure; the first `exposed` come first, then others at random.
    image_shape: channels, height and width of inputs that are stored flat.
    """
    images = _as_images(inputs, image_shape)
    size = int(np.prod(images.shape[1:])) if images is not None else 8 * FEATURES
    chosen = _chosen(order, exposed, budget // max(size, 1))
    if images is not None:
        shape = list(images.shape[1:])
        return {"kind": "image", "shape": shape}, {
            "pictured": chosen.astype(np.uint32),
            "pixels": as_bytes(images, chosen),
        }
    return _rows(inputs.reshape(len(inputs), -1).astype(np.float64), chosen, feature_names)


def _chosen(order: Int[np.ndarray, "samples"], exposed: int, room: int) -> Int[np.ndarray, "chosen"]:
    rest = generator(0, "report", "pictures").permutation(order[exposed:])
    return np.concatenate([order[:exposed], rest])[:room]


def _as_images(
    inputs: Shaped[np.ndarray, "samples ..."], image_shape: tuple[int, ...] | None
) -> Shaped[np.ndarray, "samples channels height width"] | None:
    """The inputs as images of at most LARGEST pixels per side; None if they are not images."""
    images = inputs.reshape(len(inputs), *image_shape) if image_shape else inputs
    if images.ndim == 3 and not image_shape:
        images = images[:, None]
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        return None
    stride = -(-max(images.shape[2:]) // LARGEST)
    return images[:, :, ::stride, ::stride]


def as_bytes(
    images: Shaped[np.ndarray, "samples channels height width"], chosen: Int[np.ndarray, "chosen"]
) -> UInt8[np.ndarray, "chosen channels height width"]:
    """The chosen images as bytes: as they are, or floats stretched over all but the rarest values."""
    shown = images[chosen]
    if images.dtype == np.uint8:
        return shown
    # where pixels are standardized one by one, those that are rarely lit have values far from all others
    low, high = np.quantile(images, TAILS)
    return np.round(255 * np.clip((shown - low) / max(high - low, 1e-12), 0, 1)).astype(np.uint8)


def _rows(
    rows: Float64[np.ndarray, "samples features"],
    chosen: Int[np.ndarray, "chosen"],
    feature_names: tuple[str, ...],
) -> Packed:
    """The features of each chosen record that lie most standard deviations from the mean."""
    mean, spread = rows.mean(0), rows.std(0)
    departure = np.abs(rows[chosen] - mean) / np.where(spread > 0, spread, np.inf)
    kept = np.argsort(-departure, axis=1, kind="stable")[:, :FEATURES]
    names = list(feature_names) or [f"feature {i}" for i in range(rows.shape[1])]
    described = {
        "kind": "row",
        "names": names,
        "means": [float(f"{m:.4g}") for m in np.where(np.abs(mean) < 1e-6 * spread, 0.0, mean)],
        "spreads": [float(f"{s:.4g}") for s in spread],
        "kept": kept.shape[1],
    }
    values = np.take_along_axis(rows[chosen], kept, 1).astype(np.float32)
    return described, {
        "pictured": chosen.astype(np.uint32),
        "features": kept.astype(np.uint32),
        "values": values,
    }
