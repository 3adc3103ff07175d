"""A trained model, rebuilt from its weights."""

from torch import Tensor, nn

from vestige.models.catalog import build
from vestige.models.group_norm import without_batch_norm
from vestige.training.engine import Material
from vestige.training.recipe import Recipe


def as_trained(recipe: Recipe, module: nn.Module) -> nn.Module:
    """The module as the recipe trains it, changed in place: in private training batch normalization goes."""
    return module if recipe.privacy is None else without_batch_norm(module)


def reopened(recipe: Recipe, material: Material, weights: dict[str, Tensor]) -> nn.Module:
    """The module that these weights belong to, in evaluation mode on the material's device."""
    module = as_trained(recipe, build(recipe.model, material.shape, material.num_classes))
    module.load_state_dict(weights)
    return module.to(material.device).eval()
