"""Edits of a recipe that cannot both hold."""

from vestige.core.record import brief
from vestige.training import treatable
from vestige.training.centered import CenterRelaxed
from vestige.training.losses import RelaxLoss
from vestige.training.recipe import Conflict, Recipe
from vestige.training.targets import Distilled, DisturbedLabels, SplitTaught

TEACHINGS = {DisturbedLabels: "disturb_label", Distilled: "distillation", SplitTaught: "selena"}


class DefenseConflict(Conflict):
    """Two edits of a recipe that cannot both hold; the message names both."""


def unclaimed(defense: str, part: str, present: object, usual: object) -> None:
    """Raise DefenseConflict if the part is not as usual, so that the defense would displace what it holds."""
    if present != usual:
        raise DefenseConflict(
            f"{defense} would displace {part}={brief(present)}, which the recipe holds already; "
            "drop one of the two"
        )


def check_together(recipe: Recipe) -> None:
    """Raise DefenseConflict where DP-SGD's guarantee would not cover what the recipe does to samples.

    The same for flagged members whose treatment cannot go with the rest.
    """
    if conflict := treatable.conflict_of(recipe):
        other, reason = conflict
        raise DefenseConflict(
            f"pre_identification and {other} cannot be combined: {reason}; drop one of the two"
        )
    if recipe.privacy is None:
        return
    if isinstance(recipe.targets, Distilled | SplitTaught):
        _refuse(TEACHINGS[type(recipe.targets)], "a teacher without noise trains on the same members")
    if recipe.mixing:
        _refuse("mixup", "a mixed sample holds two records, so that clipping bounds neither")
    for name, kind in (("relax_loss", RelaxLoss), ("crl", CenterRelaxed)):
        if isinstance(recipe.loss, kind):
            _refuse(name, "its mean over a batch ties samples together")


def _refuse(other: str, reason: str) -> None:
    raise DefenseConflict(f"dp_sgd and {other} cannot be combined: {reason}; drop one of the two")
