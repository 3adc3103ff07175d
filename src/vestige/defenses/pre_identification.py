"""Pre-identification: members that would be given away are found before training, and treated apart."""

from dataclasses import dataclass, replace
from typing import ClassVar

from vestige.defenses.conflict import unclaimed
from vestige.training.recipe import Recipe
from vestige.training.treatment import Treatment


@dataclass(frozen=True, kw_only=True)
class PreIdentification:
    """Each model flags those of its own members that proxies find exposed, and treats them as `action` says.

    flag, action, strength, folds: as of `vestige.training.treatment.Treatment`. It costs the training of the
    proxies: `folds` of them, or one where features are compared. Other members may become more exposed by it
    (Carlini et al. 2022, the privacy onion effect), so a comparison reports them apart.
    """

    share: int | float = 0.1
    action: str = "drop"
    flag: str = "out_of_fold_loss"
    strength: int | float = 0.5
    folds: int = 4

    name: ClassVar[str] = "pre_identification"
    paper: ClassVar[str] = "Khalil et al. 2025, a reconstruction"
    part: ClassVar[str] = "treatment"
    meaning: ClassVar[str] = "share of a model's own members that is flagged before it trains"
    grid: ClassVar[tuple[int | float, ...]] = (0.02, 0.05, 0.1, 0.2)

    def __post_init__(self) -> None:
        self._treatment()

    def __call__(self, recipe: Recipe) -> Recipe:
        """The recipe with a treatment of flagged members."""
        unclaimed(self.name, "treatment", recipe.treatment, None)
        return replace(recipe, treatment=self._treatment())

    def _treatment(self) -> Treatment:
        return Treatment(
            share=self.share, flag=self.flag, action=self.action, strength=self.strength, folds=self.folds
        )
