"""Cutout."""

from dataclasses import dataclass
from typing import ClassVar

from vestige.data.transforms import Cutout
from vestige.defenses import parts
from vestige.training.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class CutoutDefense:
    """In each image a square is set to 0; its center is uniform over the image, its rim is cut off there."""

    size: int

    name: ClassVar[str] = "cutout"
    paper: ClassVar[str] = "DeVries and Taylor 2017"
    part: ClassVar[str] = "augmentation"
    meaning: ClassVar[str] = "the side of the square, in pixels"
    grid: ClassVar[tuple[int | float, ...]] = (
        4, 8, 12, 16, 20, 24, 28, 32, 33, 34, 35, 36, 40, 44, 46, 48, 50, 52,
    )  # fmt: skip

    def __post_init__(self) -> None:
        Cutout(self.size)

    def __call__(self, recipe: Recipe) -> Recipe:
        """The recipe with cut images."""
        return parts.augmented(self.name, recipe, Cutout(self.size))
