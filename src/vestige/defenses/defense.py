"""What a defense is, and several of them as one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

from vestige.defenses.conflict import DefenseConflict, check_together
from vestige.defenses.own import OwnDefense
from vestige.training.recipe import Conflict, Recipe

LIMITING = {"routing", "retraining"}  # parts of a recipe that give some weights a loss of their own


@runtime_checkable
class Defense(Protocol):
    """A frozen dataclass whose fields are its parameters; it edits one part of a recipe.

    name: as on the command line. paper: where it comes from. part: of the recipe, that it edits.
    meaning: of its first parameter. grid: values of that parameter worth trying, weakest first.
    """

    name: ClassVar[str]
    paper: ClassVar[str]
    part: ClassVar[str]
    meaning: ClassVar[str]
    grid: ClassVar[tuple[int | float, ...]]

    def __call__(self, recipe: Recipe) -> Recipe:
        """The recipe with its edit.

        Raises DefenseConflict where the recipe holds what the edit would displace, and InputError where the
        recipe's model or length does not allow it.
        """
        ...


@dataclass(frozen=True)
class Composed:
    """Defenses applied in turn; without any, the recipe as it is."""

    defenses: tuple[Defense | OwnDefense, ...]

    def __post_init__(self) -> None:
        names = [defense.name for defense in self.defenses]
        for name in names:
            if names.count(name) > 1:
                raise DefenseConflict(f"{name} would displace {name}, which is given before it; keep one")

    @property
    def name(self) -> str:
        """Their names with + between; "none" without any."""
        return "+".join(defense.name for defense in self.defenses) or "none"

    def __call__(self, recipe: Recipe) -> Recipe:
        """The recipe after the last edit. Raises DefenseConflict for edits that cannot all hold."""
        _refuse_beside(self.defenses)
        for defense in self.defenses:
            try:
                recipe = defense(recipe)
            except DefenseConflict:
                raise
            except Conflict as error:
                raise DefenseConflict(str(error)) from error
        check_together(recipe)
        return recipe


def _refuse_beside(defenses: Sequence[Defense | OwnDefense]) -> None:
    """A defense of the loss that follows one for some weights only would have all of them learn from it."""
    limiting: Defense | OwnDefense | None = None
    for defense in defenses:
        part = getattr(defense, "part", "")
        if limiting is not None and part == "loss":
            raise DefenseConflict(
                f"{defense.name} would displace the loss that {limiting.name} gives to some weights only; "
                f"put that defense into {limiting.name}, or drop one of the two"
            )
        limiting = defense if part in LIMITING else limiting


def compose(*defenses: Defense | OwnDefense) -> Composed:
    """The defenses as one. Raises DefenseConflict for one that is given twice."""
    return Composed(defenses)
