"""Dropout, of units and of whole channels."""

from dataclasses import dataclass
from typing import ClassVar

from vestige.core import check
from vestige.defenses import parts
from vestige.training.recipe import Recipe

RATES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True, kw_only=True)
class Dropout:
    """Units are dropped in training wherever the model has a place for it.

    It sets the model's option `dropout`, and in a convolutional network also `spatial_dropout`.
    """

    rate: float

    name: ClassVar[str] = "dropout"
    paper: ClassVar[str] = "Srivastava et al. 2014"
    part: ClassVar[str] = "model"
    meaning: ClassVar[str] = "the probability that a unit, or a channel, is dropped"
    grid: ClassVar[tuple[int | float, ...]] = RATES

    def __post_init__(self) -> None:
        check.within("dropout rate", self.rate, 0.0, 0.99)

    def __call__(self, recipe: Recipe) -> Recipe:
        """The recipe with a model that drops units."""
        return parts.with_options(self.name, recipe, ("dropout", "spatial_dropout"), self.rate)


@dataclass(frozen=True, kw_only=True)
class SpatialDropout:
    """Whole channels are dropped in training after each stage or block of a convolutional network."""

    rate: float

    name: ClassVar[str] = "spatial_dropout"
    paper: ClassVar[str] = "Tompson et al. 2015"
    part: ClassVar[str] = "model"
    meaning: ClassVar[str] = "the probability that a channel is dropped"
    grid: ClassVar[tuple[int | float, ...]] = RATES

    def __post_init__(self) -> None:
        check.within("spatial_dropout rate", self.rate, 0.0, 0.99)

    def __call__(self, recipe: Recipe) -> Recipe:
        """The recipe with a model that drops channels."""
        return parts.with_options(self.name, recipe, ("spatial_dropout",), self.rate)
