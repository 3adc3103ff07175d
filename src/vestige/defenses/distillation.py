"""Distillation: soft labels of a teacher that trained on the same members."""

from dataclasses import dataclass
from typing import ClassVar

from vestige.defenses import parts
from vestige.training.recipe import Recipe
from vestige.training.targets import Distilled


@dataclass(frozen=True, kw_only=True)
class Distillation:
    """The target is the softmax of a teacher's logits / temperature; no label and no other term is left.

    The teacher has the student's architecture, optimizer and epochs, trains on the same members, and knows
    neither smoothing nor mixing nor augmentation. The student trains and answers at temperature 1.
    """

    temperature: float = 1.0

    name: ClassVar[str] = "distillation"
    paper: ClassVar[str] = "Hinton, Vinyals and Dean 2015"
    part: ClassVar[str] = "targets"
    meaning: ClassVar[str] = "what the teacher's logits are divided by: higher is softer"
    grid: ClassVar[tuple[int | float, ...]] = (
        1.0, 2.0, 3.0, 5.0, 10.0, 15.0, 25.0, 50.0, 75.0, 100.0, 125.0, 150.0, 250.0, 500.0, 650.0, 700.0,
        750.0, 850.0, 900.0, 1000.0,
    )  # fmt: skip

    def __post_init__(self) -> None:
        self._targets()

    def __call__(self, recipe: Recipe) -> Recipe:
        """The recipe with a teacher."""
        return parts.taught(self.name, recipe, self._targets())

    def _targets(self) -> Distilled:
        return Distilled(temperature=self.temperature)
