"""Label smoothing."""

from dataclasses import dataclass, replace
from typing import ClassVar

from vestige.core import check
from vestige.defenses import parts
from vestige.defenses.conflict import unclaimed
from vestige.training.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class LabelSmoothing:
    """The target is (1 - amount) times the label's row, or the teacher's, and amount / K for every class.

    It may raise what attacks find: only members' wrong-class probabilities become flat (Kaya et al. 2020).
    """

    amount: float

    name: ClassVar[str] = "label_smoothing"
    paper: ClassVar[str] = "Szegedy et al. 2016"
    part: ClassVar[str] = "loss"
    meaning: ClassVar[str] = "the share of each target that is spread evenly over all classes"
    grid: ClassVar[tuple[int | float, ...]] = (
        0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975, 0.99, 0.9915, 0.9925, 0.993,
        0.9935, 0.994, 0.995,
    )  # fmt: skip

    def __post_init__(self) -> None:
        check.within("label_smoothing amount", self.amount, 0.0, 1.0)

    def __call__(self, recipe: Recipe) -> Recipe:
        """The recipe with smoothed targets."""
        loss = parts.cross_entropy(self.name, recipe)
        unclaimed(self.name, "label_smoothing", loss.label_smoothing, 0.0)
        return replace(recipe, loss=replace(loss, label_smoothing=self.amount))
