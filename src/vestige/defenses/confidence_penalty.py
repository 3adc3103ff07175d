"""The confidence penalty."""

from dataclasses import dataclass, replace
from typing import ClassVar

from vestige.core import check
from vestige.defenses import parts
from vestige.defenses.conflict import unclaimed
from vestige.training.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class ConfidencePenalty:
    """The loss is cross-entropy less weight times the entropy of the prediction, in nats."""

    weight: float

    name: ClassVar[str] = "confidence_penalty"
    paper: ClassVar[str] = "Pereyra et al. 2017"
    part: ClassVar[str] = "loss"
    meaning: ClassVar[str] = "the weight of the prediction's entropy in the loss"
    grid: ClassVar[tuple[int | float, ...]] = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)

    def __post_init__(self) -> None:
        check.positive("confidence_penalty weight", self.weight)

    def __call__(self, recipe: Recipe) -> Recipe:
        """The recipe with the penalty in its loss."""
        loss = parts.cross_entropy(self.name, recipe)
        unclaimed(self.name, "confidence_penalty", loss.confidence_penalty, 0.0)
        return replace(recipe, loss=replace(loss, confidence_penalty=self.weight))
