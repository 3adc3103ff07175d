"""RelaxLoss."""

from dataclasses import dataclass
from typing import ClassVar

from vestige.defenses import parts
from vestige.training.losses import RelaxLoss
from vestige.training.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class RelaxLossDefense:
    """The mean loss is held near a level instead of at zero; see `vestige.training.losses.RelaxLoss`."""

    level: float
    upper: float = 1.0
    form: str = "image"
    detach: bool = False
    first_epoch: int = 0

    name: ClassVar[str] = "relax_loss"
    paper: ClassVar[str] = "Chen, Yu and Fritz 2022"
    part: ClassVar[str] = "loss"
    meaning: ClassVar[str] = "the level, in nats, near which the mean training loss is held"
    grid: ClassVar[tuple[int | float, ...]] = (0.1, 0.2, 0.4, 0.5, 0.8, 1.0, 2.0, 2.5, 3.0)

    def __post_init__(self) -> None:
        self._loss()

    def __call__(self, recipe: Recipe) -> Recipe:
        """The recipe with this loss."""
        return parts.replaced(self.name, recipe, self._loss())

    def _loss(self) -> RelaxLoss:
        return RelaxLoss(
            level=self.level,
            upper=self.upper,
            form=self.form,
            detach=self.detach,
            first_epoch=self.first_epoch,
        )
