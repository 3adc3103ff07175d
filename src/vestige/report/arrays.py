"""The arrays that the report's figures need beside the result."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Integer

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
    """

    curves: tuple[RocCurve, ...]
    plane: Plane | None
    ids: Integer[np.ndarray, "samples"]
    labels: Integer[np.ndarray, "samples"] | None
    class_names: tuple[str, ...] = ()
    accuracy: tuple[AccuracyCurve, ...] = ()

    def __post_init__(self) -> None:
        if self.plane is not None and self.plane.n_in.shape[1] != len(self.ids):
            raise InputError(
                f"ids has {len(self.ids)} entries; the plane has {self.plane.n_in.shape[1]} samples"
            )
