"""Mixup."""

from dataclasses import dataclass, replace
from typing import ClassVar

from vestige.defenses.conflict import unclaimed
from vestige.training.mixing import Mixup
from vestige.training.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class MixupDefense:
    """Each batch is mixed with a second one, inputs and targets, at one share for the whole batch.

    The share is drawn from Beta(alpha, alpha); alpha = inf is one half always.
    """

    alpha: float

    name: ClassVar[str] = "mixup"
    paper: ClassVar[str] = "Zhang et al. 2018"
    part: ClassVar[str] = "mixing"
    meaning: ClassVar[str] = (
        "both parameters of the beta distribution that the share of a batch is drawn from"
    )
    grid: ClassVar[tuple[int | float, ...]] = (
        0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, float("inf"),
    )  # fmt: skip

    def __post_init__(self) -> None:
        Mixup(alpha=self.alpha)

    def __call__(self, recipe: Recipe) -> Recipe:
        """The recipe with mixed batches."""
        unclaimed(self.name, "mixing", recipe.mixing, None)
        return replace(recipe, mixing=Mixup(alpha=self.alpha))
