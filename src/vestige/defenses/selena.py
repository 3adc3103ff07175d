"""SELENA: each member is taught by sub-models that did not train on it."""

from dataclasses import dataclass
from typing import ClassVar

from vestige.defenses import parts
from vestige.training.recipe import Recipe
from vestige.training.targets import SplitTaught


@dataclass(frozen=True, kw_only=True)
class Selena:
    """Sub-models train on random parts of the members; each member is taught by those that left it out.

    The student alone is kept and queried. It costs submodels trainings of (1 - left_out / submodels) of the
    members each, beside its own.
    """

    submodels: int = 25
    left_out: int = 10

    name: ClassVar[str] = "selena"
    paper: ClassVar[str] = "Tang et al. 2022"
    part: ClassVar[str] = "targets"
    meaning: ClassVar[str] = "how many sub-models teach; left_out of them do not train on a given member"
    grid: ClassVar[tuple[int | float, ...]] = (25,)

    def __post_init__(self) -> None:
        self._targets()

    def __call__(self, recipe: Recipe) -> Recipe:
        """The recipe with sub-models as teachers."""
        return parts.taught(self.name, recipe, self._targets())

    def _targets(self) -> SplitTaught:
        return SplitTaught(submodels=self.submodels, left_out=self.left_out)
