"""Critical-weight rewinding and freezing."""

from dataclasses import dataclass, fields, replace
from typing import ClassVar

from vestige.core.errors import InputError
from vestige.defenses.conflict import unclaimed
from vestige.defenses.defense import Defense
from vestige.models.protected import NONE
from vestige.training.losses import CrossEntropy
from vestige.training.recipe import Recipe
from vestige.training.routing import CriticalWeights, Protected, Retraining


@dataclass(frozen=True, kw_only=True)
class CWRF:
    """Weights that privacy hangs on go back to their initialization and stay; the rest learns on.

    A reconstruction from a third party's account. Weights are scored on a model trained without the defense
    by |gradient times weight| of cross-entropy on its members and of the distance to the initialization on a
    tenth of them; the audit's non-members have no part in it. The rest is trained on from the defense, half
    as long, with the schedule anew.

    defense: of the loss. share: of all weights. trade: of the distance in the score.
    """

    defense: Defense
    share: int | float = 0.05
    trade: int | float = 0.5

    name: ClassVar[str] = "cwrf"
    paper: ClassVar[str] = "arXiv 2603.13186, a reconstruction"
    part: ClassVar[str] = "retraining"
    meaning: ClassVar[str] = "the defense that the other weights learn on from, with its parameters"
    grid: ClassVar[tuple[int | float, ...]] = ()

    def __post_init__(self) -> None:
        self._critical()

    def __call__(self, recipe: Recipe) -> Recipe:
        """The recipe with a second phase. Raises InputError for a defense that changes more than the loss."""
        unclaimed(self.name, "routing", recipe.routing, None)
        unclaimed(self.name, "retraining", recipe.retraining, None)
        unclaimed(self.name, "loss", recipe.loss, CrossEntropy())
        defended = self.defense(recipe)
        changed = {f.name for f in fields(Recipe) if getattr(defended, f.name) != getattr(recipe, f.name)}
        if changed != {"loss"}:
            raise InputError(
                f"cwrf cannot train on with {self.defense.name}: it changes {', '.join(sorted(changed))}; "
                "give one that changes the loss, such as label_smoothing or relax_loss"
            )
        again = max(1, recipe.epochs // 2)
        retraining = Retraining(
            protected=Protected(words=(NONE,)), loss=defended.loss, epochs=again, critical=self._critical()
        )
        return replace(recipe, epochs=recipe.epochs + again, retraining=retraining)

    def _critical(self) -> CriticalWeights:
        return CriticalWeights(share=self.share, trade=self.trade)
