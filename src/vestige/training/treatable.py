"""What a treatment of flagged members can go with."""

from vestige.training.centered import CenterRelaxed
from vestige.training.engine import Job
from vestige.training.losses import CrossEntropy, RelaxLoss
from vestige.training.recipe import Conflict, Recipe, losses_of
from vestige.training.targets import Distilled, DisturbedLabels, SplitTaught
from vestige.training.treatment import ROWS


def conflict_of(recipe: Recipe) -> tuple[str, str] | None:
    """The defense that the recipe's treatment cannot go with, and why; None where there is none."""
    treatment = recipe.treatment
    if treatment is None:
        return None
    if recipe.privacy is not None:
        return "dp_sgd", "members are identified by models that train on them without noise"
    if isinstance(recipe.targets, Distilled):
        return "distillation", "a teacher says what each member is taught"
    if isinstance(recipe.targets, SplitTaught):
        return "selena", "sub-models say what each member is taught"
    return _conflict_of_rows(recipe, treatment.action) if treatment.action in ROWS else None


def _conflict_of_rows(recipe: Recipe, action: str) -> tuple[str, str] | None:
    if isinstance(recipe.targets, DisturbedLabels):
        return "disturb_label", f"action={action} says what a label becomes too"
    for loss in losses_of(recipe):
        if isinstance(loss, RelaxLoss | CenterRelaxed):
            name = "relax_loss" if isinstance(loss, RelaxLoss) else "crl"
            return name, f"it needs one label for each sample, which action={action} does not leave"
        if action == "down_weight" and loss != CrossEntropy():
            other = "label_smoothing" if loss.label_smoothing else "confidence_penalty"
            return other, "action=down_weight scales plain cross-entropy only"
    return None


def require(recipe: Recipe, job: Job) -> None:
    """Raise Conflict where a treatment cannot go with the rest, and InputError for too few members."""
    if recipe.treatment is None:
        return
    if conflict := conflict_of(recipe):
        raise Conflict(
            f"a treatment and {conflict[0]} cannot be combined: {conflict[1]}; drop one of the two"
        )
    for model, members in zip(job.models, job.members, strict=True):
        recipe.treatment.require(model, len(members))
