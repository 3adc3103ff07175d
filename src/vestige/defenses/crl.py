"""Center-based relaxed learning."""

from dataclasses import dataclass
from typing import ClassVar

from vestige.defenses import parts
from vestige.training.centered import CenterRelaxed
from vestige.training.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class CRL:
    """The losses of bounded logits, and the spread of bounded features, are each held near a level.

    See `vestige.training.centered.CenterRelaxed`. The published values of each data set are not at hand; the
    defaults are ours.
    """

    level: float
    weight: float = 0.1
    squash: float = 0.05
    upper: float = 1.0
    center_level: float = 0.1
    center_squash: float = 1.0
    center_upper: float = 1.0
    center_lr: float = 0.5

    name: ClassVar[str] = "crl"
    paper: ClassVar[str] = "Fang and Kim 2024"
    part: ClassVar[str] = "loss"
    meaning: ClassVar[str] = "the level, in nats, near which the mean loss of bounded logits is held"
    grid: ClassVar[tuple[int | float, ...]] = (0.1, 0.3, 0.5, 1.0, 2.0)

    def __post_init__(self) -> None:
        self._loss()

    def __call__(self, recipe: Recipe) -> Recipe:
        """The recipe with this loss."""
        return parts.replaced(self.name, recipe, self._loss())

    def _loss(self) -> CenterRelaxed:
        return CenterRelaxed(
            level=self.level,
            weight=self.weight,
            squash=self.squash,
            upper=self.upper,
            center_level=self.center_level,
            center_squash=self.center_squash,
            center_upper=self.center_upper,
            center_lr=self.center_lr,
        )
