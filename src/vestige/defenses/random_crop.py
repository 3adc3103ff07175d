"""Random crops."""

from dataclasses import dataclass
from typing import ClassVar

from vestige.data.transforms import RandomCrop
from vestige.defenses import parts
from vestige.training.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class RandomCropDefense:
    """Each image is padded with zeros on all sides and cropped to its size at a random place."""

    padding: int

    name: ClassVar[str] = "random_crop"
    paper: ClassVar[str] = "Krizhevsky et al. 2012"
    part: ClassVar[str] = "augmentation"
    meaning: ClassVar[str] = "pixels of zeros on each side before the crop"
    grid: ClassVar[tuple[int | float, ...]] = (1, *range(2, 39, 2))

    def __post_init__(self) -> None:
        RandomCrop(self.padding, "zero")

    def __call__(self, recipe: Recipe) -> Recipe:
        """The recipe with cropped images."""
        return parts.augmented(self.name, recipe, RandomCrop(self.padding, "zero"))
