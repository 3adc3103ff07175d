"""Logit reweighting."""

from dataclasses import dataclass, replace
from typing import ClassVar

from vestige.defenses.conflict import unclaimed
from vestige.training.output import LogitReweighting
from vestige.training.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class LogitReweightingDefense:
    """Outputs s z + (1 - s) mu, with mu the mean member logit of the predicted class, s = weight cos(z, mu).

    Training stays as it is, to the last bit, and so does the predicted class. hard: mu itself. clamp: s >= 0.
    fallback: for classes whose mean does not predict the class, "identity" (logits stay) or "error".
    queries: "all", or "outlying": only those as far from their class's mean as the `share` of members that
    lie farthest; that a query was treated then tells that it lies far out.
    """

    weight: int | float = 0.1
    hard: bool = False
    clamp: bool = True
    fallback: str = "identity"
    queries: str = "all"
    share: int | float = 0.1

    name: ClassVar[str] = "logit_reweighting"
    paper: ClassVar[str] = "Khalil et al. 2025"
    part: ClassVar[str] = "output"
    meaning: ClassVar[str] = "the most that is left of a record's own logits; the smaller, the stronger"
    grid: ClassVar[tuple[int | float, ...]] = (0.5, 0.3, 0.1, 0.05, 0.0)

    def __post_init__(self) -> None:
        self._output()

    def __call__(self, recipe: Recipe) -> Recipe:
        """The recipe with reweighted logits."""
        unclaimed(self.name, "output", recipe.output, None)
        return replace(recipe, output=self._output())

    def _output(self) -> LogitReweighting:
        return LogitReweighting(
            weight=self.weight,
            hard=self.hard,
            clamp=self.clamp,
            fallback=self.fallback,
            queries=self.queries,
            share=self.share,
        )
