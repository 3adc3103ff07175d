"""Early stopping."""

from dataclasses import dataclass, replace
from typing import ClassVar

from vestige.core import check
from vestige.core.errors import InputError
from vestige.defenses.conflict import DefenseConflict
from vestige.training.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class EarlyStopping:
    """Training ends after so many epochs, with the whole schedule of the learning rate within them.

    The number is fixed beforehand, so no held-out data are needed.
    """

    epochs: int

    name: ClassVar[str] = "early_stopping"
    paper: ClassVar[str] = "Kaya et al. 2020"
    part: ClassVar[str] = "epochs"
    meaning: ClassVar[str] = "the number of epochs"
    grid: ClassVar[tuple[int | float, ...]] = (21, 14, 7, 4, 3, 2)

    def __post_init__(self) -> None:
        check.at_least("early_stopping epochs", self.epochs, 1)

    def __call__(self, recipe: Recipe) -> Recipe:
        """The recipe with fewer epochs. Raises InputError if it has no more than these."""
        if recipe.retraining is not None:
            raise DefenseConflict(
                "early_stopping would cut the first of two phases short; give it before cwrf, or before pptp "
                "in two phases"
            )
        if self.epochs >= recipe.epochs:
            raise InputError(
                f"early_stopping epochs={self.epochs} stops nothing: the recipe trains for {recipe.epochs}; "
                "give fewer"
            )
        return replace(recipe, epochs=self.epochs)
