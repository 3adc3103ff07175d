"""Weight decay."""

from dataclasses import dataclass, replace
from typing import ClassVar

from vestige.core import check
from vestige.defenses.conflict import unclaimed
from vestige.training.optimizers import SAM, Optimizer, base_rule
from vestige.training.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class WeightDecay:
    """An L2 penalty in the optimizer: added to the gradient, or decoupled where the optimizer is AdamW."""

    amount: float

    name: ClassVar[str] = "weight_decay"
    paper: ClassVar[str] = "Krogh and Hertz 1992"
    part: ClassVar[str] = "optimizer"
    meaning: ClassVar[str] = "times each weight, what the optimizer adds to its gradient"
    grid: ClassVar[tuple[int | float, ...]] = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)

    def __post_init__(self) -> None:
        check.at_least("weight_decay amount", self.amount, 0.0)

    def __call__(self, recipe: Recipe) -> Recipe:
        """The recipe with a decaying optimizer."""
        present = base_rule(recipe.optimizer).weight_decay
        unclaimed(self.name, "weight_decay", present, 0.0)
        return replace(recipe, optimizer=_decaying(recipe.optimizer, self.amount))


def _decaying(optimizer: Optimizer, amount: float) -> Optimizer:
    if isinstance(optimizer, SAM):
        return replace(optimizer, base=replace(optimizer.base, weight_decay=amount))
    return replace(optimizer, weight_decay=amount)
