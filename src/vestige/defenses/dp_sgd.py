"""Differentially private stochastic gradient descent."""

from dataclasses import dataclass, replace
from typing import ClassVar

from vestige.core import check
from vestige.defenses.conflict import unclaimed
from vestige.training.optimizers import SAM
from vestige.training.privacy import DPSGD
from vestige.training.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class DPSGDDefense:
    """Poisson batches, clipped gradients, Gaussian noise; see `vestige.training.privacy.DPSGD`.

    noise or epsilon, one of the two, and delta are required. Batch normalization gives way to groups.
    batch_size, lr: private training wants its own, larger ones of both; None leaves those of the recipe.
    """

    noise: float | None = None
    delta: float | None = None
    clip: float = 1.0
    epsilon: float | None = None
    accountant: str = "prv"
    batch_size: int | None = None
    lr: float | None = None

    name: ClassVar[str] = "dp_sgd"
    paper: ClassVar[str] = "Abadi et al. 2016"
    part: ClassVar[str] = "privacy"
    meaning: ClassVar[str] = "standard deviation of the noise, in units of the clipping norm"
    grid: ClassVar[tuple[int | float, ...]] = (
        0.01, 0.025, 0.05, 0.075, 0.1, 0.175, 0.25, 0.375, 0.5, 0.75, 1.0, 1.75, 2.5, 3.75, 5.0, 7.5, 10.0,
    )  # fmt: skip

    def __post_init__(self) -> None:
        self._privacy()
        if self.batch_size is not None:
            check.at_least("dp_sgd batch_size", self.batch_size, 1)
        if self.lr is not None:
            check.positive("dp_sgd lr", self.lr)

    def __call__(self, recipe: Recipe) -> Recipe:
        """The recipe with private training."""
        unclaimed(self.name, "privacy", recipe.privacy, None)
        optimizer = recipe.optimizer
        if self.lr is not None and not isinstance(optimizer, SAM):  # which the engine refuses by name
            optimizer = replace(optimizer, lr=self.lr)
        batch_size = self.batch_size or recipe.batch_size
        return replace(recipe, privacy=self._privacy(), optimizer=optimizer, batch_size=batch_size)

    def _privacy(self) -> DPSGD:
        return DPSGD(
            delta=self.delta,
            clip=self.clip,
            noise=self.noise,
            epsilon=self.epsilon,
            accountant=self.accountant,
        )
