"""A trained model, rebuilt from its weights."""

from torch import Tensor, nn

from vestige.models.catalog import build
from vestige.models.group_norm import without_batch_norm
from vestige.training.engine import Material
from vestige.training.recipe import Recipe

BESIDE = "vestige."  # begins the names of what is stored beside the module's own weights


def as_trained(recipe: Recipe, module: nn.Module) -> nn.Module:
    """The module as the recipe trains it, changed in place: in private training batch normalization goes."""
    return module if recipe.privacy is None else without_batch_norm(module)


def reopened(recipe: Recipe, material: Material, weights: dict[str, Tensor]) -> nn.Module:
    """The module that these weights belong to, in evaluation mode on the material's device.

    Where the recipe changes the output, it is the module as it is released, a `Reweighted`.
    """
    module = as_trained(recipe, build(recipe.model, material.shape, material.num_classes))
    module.load_state_dict({name: value for name, value in weights.items() if not name.startswith(BESIDE)})
    if recipe.output is not None:
        module = recipe.output.around(module, weights)
    return module.to(material.device).eval()
