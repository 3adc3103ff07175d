"""A model whose logits are pulled towards the mean logit vector of the class that it predicts.

Post-processing against membership inference, as released by Khalil, Blanco-Justicia, Jebreel and
Domingo-Ferrer (arXiv 2511.16792); a reconstruction from their code.
"""

from typing import Any

import torch
from jaxtyping import Float, Int
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn import functional

from vestige.core import check
from vestige.core.errors import InputError
from vestige.models.probe import probing

FALLBACKS = ("identity", "error")
QUERIES = ("all", "outlying")
EVERY_QUERY = 1.0  # no cosine lies above it
BATCH = 512


def reweight(
    logits: Float[Tensor, "... samples classes"],
    centroids: Float[Tensor, "... classes classes"],
    weight: int | float = 0.1,
    hard: bool = False,
    clamp: bool = True,
    threshold: int | float | Tensor = EVERY_QUERY,
) -> Float[Tensor, "... samples classes"]:
    """The logits s z + (1 - s) mu, with mu the centroid of the predicted class and s = weight cos(z, mu).

    centroids: a row for each class; a class whose row is zero has none, and its queries keep their logits.
    hard: s = 0, so that the centroid itself comes back. clamp: s is not let below 0. s never exceeds 1.
    threshold: queries whose cosine lies above it keep their logits.

    Where 0 <= s <= 1 and each centroid is largest at its own class, the predicted class stays.
    """
    own, cosine = towards(logits, centroids)
    share = torch.zeros_like(cosine) if hard else weight * cosine
    share = share.clamp(0.0 if clamp else -1.0, 1.0).unsqueeze(-1)
    changed = own.any(-1) & (cosine <= threshold)
    return torch.where(changed.unsqueeze(-1), share * logits + (1 - share) * own, logits)


def towards(
    logits: Float[Tensor, "... samples classes"], centroids: Float[Tensor, "... classes classes"]
) -> tuple[Float[Tensor, "... samples classes"], Float[Tensor, "... samples"]]:
    """The centroid of each query's predicted class, and the query's cosine to it, -1 to 1; 0 without one."""
    predicted = logits.argmax(-1, keepdim=True).expand_as(logits)
    own = centroids.to(logits.dtype).gather(-2, predicted)
    lengths = (logits.norm(dim=-1) * own.norm(dim=-1)).clamp_min(torch.finfo(logits.dtype).tiny)
    return own, ((logits * own).sum(-1) / lengths).clamp(-1.0, 1.0)


def class_centroids(
    logits: Float[Tensor, "samples classes"], labels: Int[Tensor, "samples"], num_classes: int
) -> Float[Tensor, "classes classes"]:
    """For each class the mean logit vector of the samples with that label, a row each.

    The row is zero for a class without samples, and for one whose mean is not largest at the class itself:
    pulling towards it would change what is predicted.
    """
    # sums in float64 come out alike in any order of addition, once they are rounded to float32
    sums = logits.new_zeros((num_classes, num_classes), dtype=torch.float64)
    sums.index_add_(0, labels, logits.double())
    means = sums / torch.bincount(labels, minlength=num_classes).clamp_min(1).unsqueeze(-1)
    own = means.diagonal()
    others = means.masked_fill(torch.eye(num_classes, dtype=torch.bool, device=means.device), -torch.inf)
    return means.where((own > others.amax(-1)).unsqueeze(-1), 0.0).to(logits.dtype)


def threshold_of(
    logits: Float[Tensor, "members classes"],
    centroids: Float[Tensor, "classes classes"],
    queries: str,
    share: int | float,
) -> Float[Tensor, ""]:
    """The cosine above which queries keep their logits: the `share` quantile of the members' own, or none."""
    if queries == "all":
        return torch.tensor(EVERY_QUERY).to(logits)
    return towards(logits, centroids)[1].double().quantile(share).to(logits)


def without_centroid(centroids: Float[Tensor, "classes classes"]) -> list[int]:
    """The classes that have no centroid."""
    return torch.nonzero(~centroids.any(-1)).flatten().tolist()


def require_centroids(centroids: Float[Tensor, "classes classes"], fallback: str) -> None:
    """Raise InputError where the fallback is "error" and a class has no centroid."""
    if fallback == "error" and (lacking := without_centroid(centroids)):
        raise InputError(
            f"fallback='error': the mean member logit of classes {lacking} is not largest at the class "
            "itself, or there is no member of that label; train longer, or take fallback='identity'"
        )


def pairs(logits: Float[Tensor, "*batch columns"]) -> Float[Tensor, "*batch classes"]:
    """The logits of all classes; the single logit z of a binary model stands for the pair (0, z)."""
    return functional.pad(logits, (1, 0)) if logits.shape[-1] == 1 else logits


class Reweighted(nn.Module):
    """The module, with its logits reweighted; a drop-in replacement of the same output shape.

    module: its outputs are logits [batch classes]; a binary model may give one, [batch 1] or [batch], which
      is reweighted as the pair (0, z) and comes back as one.
    centroids: [classes classes], a row for each class as of `class_centroids`; a buffer, in `state_dict` too.
    threshold: queries whose cosine to their centroid lies above it are released as they are; also a buffer.

    Gradients flow through s, z and not through the choice of the class. Raises InputError for options out of
    range, and for centroids that are no square.
    """

    centroids: Tensor
    threshold: Tensor

    def __init__(
        self,
        module: nn.Module,
        centroids: Tensor,
        *,
        weight: int | float = 0.1,
        hard: bool = False,
        clamp: bool = True,
        threshold: int | float = EVERY_QUERY,
    ) -> None:
        super().__init__()
        if centroids.dim() != 2 or centroids.shape[0] != centroids.shape[1]:
            raise InputError(
                f"centroids have shape {tuple(centroids.shape)}; give one row of logits per class"
            )
        self.module = module
        self.weight = float(check.within("weight", weight, 0.0, 1.0))
        self.hard, self.clamp = hard, clamp
        self.register_buffer("centroids", centroids.detach().clone())
        self.register_buffer("threshold", torch.tensor(float(threshold)).to(centroids))
        self.training = module.training

    def forward(self, inputs: Any) -> Tensor:
        """The reweighted logits, of the shape that the module gives."""
        given: Tensor = self.module(inputs)
        columns = given.unsqueeze(-1) if given.dim() == 1 else given
        released = self.released(pairs(columns))
        return (released[..., 1:] - released[..., :1] if columns.shape[-1] == 1 else released).view_as(given)

    def released(self, logits: Float[Tensor, "samples classes"]) -> Float[Tensor, "samples classes"]:
        """What becomes of the module's own logits."""
        return reweight(logits, self.centroids, self.weight, self.hard, self.clamp, self.threshold)


def fit(
    module: nn.Module,
    inputs: ArrayLike | Tensor,
    labels: ArrayLike | Tensor,
    *,
    weight: int | float = 0.1,
    hard: bool = False,
    clamp: bool = True,
    fallback: str = "identity",
    num_classes: int | None = None,
    queries: str = "all",
    share: int | float = 0.1,
) -> Reweighted:
    """The trained module with its logits reweighted, around the module itself, which stays as it was.

    inputs: [members ...] what the module was trained on. labels: [members] their true classes.
    fallback: for a class without members, or whose mean logit is not largest at the class itself: "identity"
      leaves the logits of queries predicted so as they are, "error" raises.
    num_classes: as many as there are logits, unless given; 2 for a single logit.
    queries: "all", or "outlying": only those whose cosine to the centroid of the predicted class is at most
      the `share` quantile of the members' own. That needs no knowledge of the record. But who sees that a
      query was treated learns that it lies far out, and that itself may tell members from others.

    Raises InputError for values out of range, labels that do not suit, and with fallback="error".
    """
    check.one_of("fallback", fallback, FALLBACKS)
    check.one_of("queries", queries, QUERIES)
    check.within("share", share, 0.0, 1.0)
    logits = _logits(module, inputs)
    given = torch.as_tensor(labels).to(logits.device)
    _check_labels(logits, given, num_classes)
    classes = given.long()
    centroids = class_centroids(logits, classes, logits.shape[-1])
    require_centroids(centroids, fallback)
    threshold = float(threshold_of(logits, centroids, queries, share))
    return Reweighted(module, centroids, weight=weight, hard=hard, clamp=clamp, threshold=threshold)


def _logits(module: nn.Module, inputs: ArrayLike | Tensor) -> Float[Tensor, "samples classes"]:
    """The module's logits of the inputs in evaluation mode, float32 or float64, as they run on its device."""
    like = next(module.parameters(), torch.zeros(()))
    given = torch.as_tensor(inputs)
    given = given.to(like.device, like.dtype if given.is_floating_point() else given.dtype)
    with probing(module):
        found = torch.cat([module(chunk) for chunk in given.split(BATCH)])
    found = found.unsqueeze(-1) if found.dim() == 1 else found
    return pairs(found if found.dtype == torch.float64 else found.float())


def _check_labels(logits: Tensor, labels: Tensor, num_classes: int | None) -> None:
    samples, columns = logits.shape
    if labels.shape != (samples,):
        raise InputError(f"labels have shape {tuple(labels.shape)}; give one for each of {samples} inputs")
    if labels.is_floating_point():
        raise InputError(f"labels are {labels.dtype}; give class indices as whole numbers")
    if num_classes not in (None, columns):
        raise InputError(f"num_classes={num_classes}, but the module tells {columns} classes apart")
    if samples and not 0 <= int(labels.min()) <= int(labels.max()) < columns:
        raise InputError(
            f"labels run from {labels.min()} to {labels.max()}; they must lie in 0 to {columns - 1}"
        )
