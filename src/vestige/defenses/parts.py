"""The parts of a recipe that several defenses edit."""

from dataclasses import replace

from vestige.core.errors import InputError
from vestige.data.transforms import Compose, Identity, Transform
from vestige.defenses.conflict import TEACHINGS, DefenseConflict, unclaimed
from vestige.models.catalog import ModelSpec, options_of
from vestige.training.losses import CrossEntropy, Loss, RelaxLoss
from vestige.training.recipe import Recipe
from vestige.training.targets import Labels, Targets


def cross_entropy(defense: str, recipe: Recipe) -> CrossEntropy:
    """The recipe's loss. Raises DefenseConflict if it is another than cross-entropy."""
    if not isinstance(recipe.loss, CrossEntropy):
        raise DefenseConflict(
            f"{defense} changes cross-entropy, but {_name(recipe.loss)} has taken its place; drop one of "
            "the two"
        )
    return recipe.loss


def replaced(defense: str, recipe: Recipe, loss: Loss) -> Recipe:
    """The recipe with this loss in place of plain cross-entropy.

    Raises DefenseConflict if the recipe has another loss, or a cross-entropy that a defense has changed.
    """
    present = cross_entropy(defense, recipe)
    for name in ("label_smoothing", "confidence_penalty"):
        unclaimed(defense, name, getattr(present, name), 0.0)
    return replace(recipe, loss=loss)


def _name(loss: Loss) -> str:
    return "relax_loss" if isinstance(loss, RelaxLoss) else "crl"


def taught(defense: str, recipe: Recipe, targets: Targets) -> Recipe:
    """The recipe with these targets. Raises DefenseConflict if its labels are changed already."""
    if not isinstance(recipe.targets, Labels):
        raise DefenseConflict(
            f"{defense} and {TEACHINGS[type(recipe.targets)]} both say what a label becomes; drop one of them"
        )
    return replace(recipe, targets=targets)


def augmented(defense: str, recipe: Recipe, transform: Transform) -> Recipe:
    """The recipe with the transform after those it has. Raises DefenseConflict for a second of its kind."""
    present = recipe.augmentation
    if isinstance(present, Identity):
        return replace(recipe, augmentation=transform)
    steps = present.transforms if isinstance(present, Compose) else (present,)
    for step in steps:
        if type(step) is type(transform):
            raise DefenseConflict(
                f"{defense} repeats the augmentation {step}, which the recipe holds already; drop one of them"
            )
    return replace(recipe, augmentation=Compose((*steps, transform)))


def with_options(defense: str, recipe: Recipe, names: tuple[str, ...], value: float) -> Recipe:
    """The recipe with those of these options set that its model has.

    Raises InputError for a model that has none of them, DefenseConflict for one that is set already.
    """
    spec, known = recipe.model, options_of(recipe.model)
    chosen = [name for name in names if name in known]
    if not chosen:
        remedy = f"give your function an option {names[0]}" if ":" in spec.name else "choose another model"
        raise InputError(f"{defense}: the model {spec.name} has no option {' or '.join(names)}; {remedy}")
    options = dict(spec.options)
    for name in chosen:
        unclaimed(defense, name, options.get(name, 0.0), 0.0)
        options[name] = value
    return replace(recipe, model=ModelSpec(spec.name, tuple(options.items())))
