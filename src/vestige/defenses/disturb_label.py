"""DisturbLabel."""

from dataclasses import dataclass
from typing import ClassVar

from vestige.defenses import parts
from vestige.training.recipe import Recipe
from vestige.training.targets import DisturbedLabels


@dataclass(frozen=True, kw_only=True)
class DisturbLabel:
    """At every step some labels are drawn anew, uniformly from all K classes.

    A label stays with probability 1 - (K - 1) / K rate; every other one has rate / K.
    """

    rate: float

    name: ClassVar[str] = "disturb_label"
    paper: ClassVar[str] = "Xie et al. 2016"
    part: ClassVar[str] = "targets"
    meaning: ClassVar[str] = "the share of labels that are drawn anew at each step"
    grid: ClassVar[tuple[int | float, ...]] = (
        0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.425, 0.45, 0.5, 0.525, 0.55, 0.575, 0.6, 0.7, 0.725, 0.75, 0.775,
        0.8, 0.825, 0.85, 0.875, 0.9, 0.95, 0.975, 0.99,
    )  # fmt: skip

    def __post_init__(self) -> None:
        DisturbedLabels(rate=self.rate)

    def __call__(self, recipe: Recipe) -> Recipe:
        """The recipe with disturbed labels."""
        return parts.taught(self.name, recipe, DisturbedLabels(rate=self.rate))
