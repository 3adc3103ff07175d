"""The arrays that the report's figures need beside the result."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Integer, Shaped

from vestige.core.errors import InputError
from vestige.risk.curve import RocCurve
from vestige.risk.plane import Plane


@dataclass(frozen=True, kw_only=True, eq=False)
class AccuracyCurve:
    """Accuracy of every model at every checkpoint on one part of the data, as fractions of 1.

    part: "members" (what the model was trained on), "non-members" or "test".
    """

    part: str
    epochs: Float[np.ndarray, "checkpoints"]
    values: Float[np.ndarray, "models checkpoints"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ReportArrays:
    """What figures draw.

    curves: one ROC per attack, the headline attack first.
    plane: None where none was counted.
    ids: [samples], the row in the user's own file. labels: [samples], class indices; None if not on record.
    difficulty: [samples], mean loss in nats of the models trained without the sample; higher = harder.
    inputs: [samples ...], what the records look like: images, or rows of features; None if not at hand.
    image_shape: channels, height and width of images that `inputs` holds flat.
    """

    curves: tuple[RocCurve, ...]
    plane: Plane | None
    ids: Integer[np.ndarray, "samples"]
    labels: Integer[np.ndarray, "samples"] | None
    class_names: tuple[str, ...] = ()
    accuracy: tuple[AccuracyCurve, ...] = ()
    # the lengths of these two are checked below, with a message
    difficulty: Float[np.ndarray, "_"] | None = None
    inputs: Shaped[np.ndarray, "_ ..."] | None = None
    image_shape: tuple[int, ...] | None = None
    feature_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.plane is not None and self.plane.n_in.shape[1] != len(self.ids):
            raise InputError(
                f"ids has {len(self.ids)} entries; the plane has {self.plane.n_in.shape[1]} samples"
            )
        for name in ("difficulty", "inputs"):
            rows = getattr(self, name)
            if rows is not None and len(rows) != len(self.ids):
                raise InputError(f"{name} has {len(rows)} entries; ids has {len(self.ids)}")
