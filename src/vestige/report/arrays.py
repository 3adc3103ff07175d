"""The arrays that the report's figures need beside the result."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Integer

from vestige.core.errors import InputError
from vestige.risk.curve import RocCurve, roc_curve
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


def report_arrays(
    scores: Mapping[str, Float[np.ndarray, "targets samples"]],
    member: Bool[np.ndarray, "targets samples"],
    clusters: Integer[np.ndarray, "targets"],
    ids: Integer[np.ndarray, "samples"],
    *,
    labels: Integer[np.ndarray, "samples"] | None = None,
    plane: Plane | None = None,
    class_names: tuple[str, ...] = (),
    accuracy: tuple[AccuracyCurve, ...] = (),
) -> ReportArrays:
    """What figures draw, from the final scores of each attack, the headline attack first.

    member, clusters: of the targets, in the order of the rows of the scores.
    """
    return ReportArrays(
        curves=tuple(roc_curve(values, member, clusters, attack=name) for name, values in scores.items()),
        plane=plane,
        ids=ids,
        labels=labels,
        class_names=class_names,
        accuracy=accuracy,
    )
