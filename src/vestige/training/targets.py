"""What a sample's label becomes before the loss sees it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int

from vestige.core import check

if TYPE_CHECKING:
    from vestige.training.recipe import Recipe


@dataclass(frozen=True)
class Labels:
    """The label itself."""


@dataclass(frozen=True, kw_only=True)
class DisturbedLabels:
    """At each step the label is drawn anew: with probability `rate` uniformly from all classes, the true one
    among them, so it stays with probability 1 - (K - 1) / K rate (Xie et al. 2016, DisturbLabel).
    """

    rate: float

    def __post_init__(self) -> None:
        check.within("disturb_label rate", self.rate, 0.0, 1.0)

    def __call__(
        self, labels: Int[np.ndarray, "batch"], num_classes: int, generator: np.random.Generator
    ) -> Int[np.ndarray, "batch"]:
        """Labels drawn anew; the given ones are left as they are."""
        drawn = generator.random(len(labels)) < self.rate
        return np.where(drawn, generator.integers(num_classes, size=len(labels)), labels)


@dataclass(frozen=True, kw_only=True)
class Distilled:
    """The softmax of a teacher's logits / temperature; the teacher is trained first, on the same members.

    teacher: its recipe; None for the student's own with plain labels and no defense.
    """

    temperature: float = 1.0
    teacher: "Recipe | None" = None

    def __post_init__(self) -> None:
        check.positive("distillation temperature", self.temperature)


@dataclass(frozen=True, kw_only=True)
class SplitTaught:
    """The mean prediction of the sub-models that did not train on the sample (Tang et al. 2022, SELENA).

    Of `submodels`, each sample is left out by exactly `left_out`, chosen at random; they train first, on the
    model's own members. teacher: their recipe; None for the student's own with plain labels and no defense.
    """

    submodels: int = 25
    left_out: int = 10
    teacher: "Recipe | None" = None

    def __post_init__(self) -> None:
        check.within("selena left_out", self.left_out, 1, self.submodels - 1)


Targets = Labels | DisturbedLabels | Distilled | SplitTaught
