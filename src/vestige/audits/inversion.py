"""The attacker who undoes logit reweighting: the released logits hold the model's own, scaled and shifted.

A released vector is z' = s z + (1 - s) mu with s = w cos(z, mu). Let t be the angle between z and mu, and of
d = z' - mu let a be the part along mu and b the length of the rest. Then

    |mu| w sin t + a tan t = b    and    z = mu + d / (w cos t).

For a >= 0 the left side rises from 0 without bound, so that one angle below a right angle solves it. For a
below 0 it rises until cos^3 t = -a / (|mu| w) and falls after: two angles may do, the smaller is likelier.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Float64, Int
from torch import Tensor, nn

from vestige.core import seeds
from vestige.models.reweighted import Reweighted

HALVINGS = 60  # of a right angle: the root is then as exact as float64 is
SAME = 1e-6  # of a centroid's length: outputs nearer to it than this differ by float32 rounding alone
KNOWN_SHARE = (
    0.3  # of the outputs that an attacker without the centroids sees; the class means are taken of them
)


def invert(
    outputs: Float[Tensor, "samples classes"],
    centroids: Float[Tensor, "classes classes"],
    weight: int | float,
) -> Float64[Tensor, "samples classes"]:
    """The logits z whose reweighting gives these outputs; NaN where there are none.

    centroids: a row for each class, zero where it has none; outputs predicted so come back as they are.
    weight: w of the reweighting. Of two vectors that give the same output, the one nearer in angle to the
    centroid is taken, if it predicts the same class, else the other. An output that equals its centroid was
    clamped or is hard, and cannot be inverted.
    """
    released = outputs.double()
    predicted = released.argmax(-1)
    centers = centroids.double()[predicted]
    near, far = (_before(released, centers, angle, weight) for angle in _angles(released, centers, weight))
    found = torch.where(_predicts(near, predicted).unsqueeze(-1), near, far)
    found = torch.where(_predicts(found, predicted).unsqueeze(-1), found, torch.nan)
    return torch.where(centers.any(-1, keepdim=True), found, released)


def estimated_centroids(outputs: Float[Tensor, "samples classes"]) -> Float[Tensor, "classes classes"]:
    """For each class the mean of the outputs that predict it, a row each; zero for a class never predicted.

    It needs neither model nor labels, since most of each output is its class's centroid.
    """
    classes = outputs.shape[-1]
    predicted = outputs.argmax(-1)
    sums = outputs.new_zeros((classes, classes), dtype=torch.float64).index_add_(
        0, predicted, outputs.double()
    )
    counts = torch.bincount(predicted, minlength=classes).clamp_min(1)
    return (sums / counts.unsqueeze(-1)).to(outputs.dtype)


@dataclass(frozen=True, kw_only=True)
class Inversion:
    """Undoes the reweighting of a released model's logits, by its true centroids or by estimated ones.

    estimated: whether class means are taken from a random share of the outputs in place of the centroids.
    seed: of that share.
    """

    estimated: bool = False
    share: int | float = KNOWN_SHARE
    seed: int = 0

    def __call__(self, module: nn.Module, logits: Tensor) -> Tensor:
        """The logits before they were released, [samples classes]; NaN where that cannot be told."""
        if not isinstance(module, Reweighted):
            return logits
        centroids = module.centroids
        if self.estimated:
            drawn = seeds.generator(self.seed, "inversion").random(len(logits)) < self.share
            centroids = estimated_centroids(logits[torch.from_numpy(drawn).to(logits.device)])
        return invert(logits, centroids, 0.0 if module.hard else module.weight)


def _angles(
    released: Float64[Tensor, "samples classes"],
    centers: Float64[Tensor, "samples classes"],
    weight: int | float,
) -> tuple[Float64[Tensor, "samples"], Float64[Tensor, "samples"]]:
    """The smaller and the larger angle that solve the equation; NaN where there is none."""
    length = centers.norm(dim=-1).clamp_min(torch.finfo(torch.float64).tiny)
    moved, reach = released - centers, length * weight
    along = (moved * centers).sum(-1) / length
    across = (moved.square().sum(-1) - along.square()).clamp_min(0.0).sqrt()

    def excess(angle: Tensor) -> Tensor:
        return reach * angle.sin() + along * angle.tan() - across

    ratio = -along / reach.clamp_min(torch.finfo(torch.float64).tiny)
    peak = ratio.clamp(0.0, 1.0).pow(1 / 3).acos()
    solvable = (excess(peak) >= -SAME * reach) & (moved.norm(dim=-1) > SAME * length)
    near = _root(excess, torch.zeros_like(peak), peak)
    far = _root(excess, torch.full_like(peak, torch.pi / 2), peak)
    return torch.where(solvable, near, torch.nan), torch.where(solvable & (along < 0), far, torch.nan)


def _root(
    excess: Callable[[Tensor], Tensor], below: Float64[Tensor, "samples"], above: Float64[Tensor, "samples"]
) -> Float64[Tensor, "samples"]:
    """Where the excess changes sign between an angle at which it is negative and one at which it is not."""
    for _ in range(HALVINGS):
        middle = (below + above) / 2
        over = excess(middle) >= 0
        below, above = torch.where(over, below, middle), torch.where(over, middle, above)
    return above


def _before(
    released: Float64[Tensor, "samples classes"],
    centers: Float64[Tensor, "samples classes"],
    angle: Float64[Tensor, "samples"],
    weight: int | float,
) -> Float64[Tensor, "samples classes"]:
    return centers + (released - centers) / (weight * angle.cos()).unsqueeze(-1)


def _predicts(
    logits: Float64[Tensor, "samples classes"], predicted: Int[Tensor, "samples"]
) -> Bool[Tensor, "samples"]:
    return logits.isfinite().all(-1) & (logits.argmax(-1) == predicted)
