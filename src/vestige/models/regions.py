"""The regions of a network: contiguous parts that together hold every parameter and buffer once."""

from jaxtyping import Float
from torch import Tensor, nn

from vestige.models.given import Given, given_regions
from vestige.models.inferred import GRAINS, inferred_regions
from vestige.models.region import Region

__all__ = ["GRAINS", "Given", "Region", "given_regions", "inferred_regions", "regions_of"]


def regions_of(
    module: nn.Module, inputs: Float[Tensor, "batch ..."], given: Given | None = None, grain: str = "stage"
) -> tuple[Region, ...]:
    """The regions that are given, or else inferred. Raises InputError as these do."""
    return given_regions(module, inputs, given) if given else inferred_regions(module, inputs, grain)
