"""Gaussian noise on the inputs of training."""

from dataclasses import dataclass
from typing import ClassVar

from vestige.data.transforms import GaussianNoise
from vestige.defenses import parts
from vestige.training.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class GaussianNoiseDefense:
    """Fresh noise for every sample at every step, in units of the inputs as the model sees them.

    low, high: where given, inputs are clipped there afterwards. Kaya and Dumitras 2021 train on pixels in
    [0, 1] and clip to it: give low=0, high=1 for such data; normalized inputs have other limits.
    """

    std: float
    low: float | None = None
    high: float | None = None

    name: ClassVar[str] = "gaussian_noise"
    paper: ClassVar[str] = "Kaya and Dumitras 2021"
    part: ClassVar[str] = "augmentation"
    meaning: ClassVar[str] = "the standard deviation of the noise"
    grid: ClassVar[tuple[int | float, ...]] = (
        0.01, 0.025, 0.05, 0.075, 0.1, 0.125, 0.15, 0.175, 0.2, 0.225, 0.25, 0.275, 0.3, 0.325, 0.35,
    )  # fmt: skip

    def __post_init__(self) -> None:
        self._transform()

    def __call__(self, recipe: Recipe) -> Recipe:
        """The recipe with noisy inputs."""
        return parts.augmented(self.name, recipe, self._transform())

    def _transform(self) -> GaussianNoise:
        return GaussianNoise(self.std, low=self.low, high=self.high)
