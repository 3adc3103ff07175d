"""Distances under a linear model, in closed form."""

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor, nn

from vestige.core import check
from vestige.core.errors import InputError
from vestige.signals.level import KnownLosses, Level, as_scaled_logit
from vestige.signals.walk import NORMS

PASSIVE = (nn.Flatten, nn.Identity, nn.Sequential)


def linear_distance(
    module: nn.Module,
    inputs: Tensor,
    targets: Tensor,
    level: Level,
    *,
    norm: str = "l2",
    known_losses: KnownLosses | None = None,
) -> Float64[np.ndarray, "samples"]:
    """The signed distance-to-confident under a linear model of two classes, exact: (logit(c) - phi) / ||w||.

    phi is the scaled logit of the label and w its gradient, the difference of the two classes' weights; the
    norm is the dual one, Euclidean for "l2" and the sum of absolute values for "linf". No box.
    Lower = more likely a member.

    Raises InputError for another model, and for more than two classes: the confident set then is convex
    but has no flat border, and the distance to it has no closed form.
    """
    logits, weight = _parts(module, inputs)
    if logits.shape[1] != 2:
        raise InputError(
            f"a linear model of {logits.shape[1]} classes has no closed form; use distance_to_confident"
        )
    rows = torch.arange(len(targets))
    phi = logits[rows, targets] - logits[rows, 1 - targets]
    size = (weight[1] - weight[0]).norm(_dual(norm))
    return ((as_scaled_logit(level.loss(known_losses)) - phi) / size).numpy()


def linear_boundary_distance(
    module: nn.Module, inputs: Tensor, targets: Tensor, *, norm: str = "l2"
) -> Float64[np.ndarray, "samples"]:
    """The distance to the decision boundary of a linear model of any number of classes, exact; wrong: 0.

    min over other classes j of (z_y - z_j) / ||w_y - w_j||, with the dual norm.
    Higher = more likely a member.

    Raises InputError for another model.
    """
    logits, weight = _parts(module, inputs)
    margins = logits.gather(1, targets[:, None]) - logits
    sizes = (weight[targets][:, None] - weight).norm(_dual(norm), dim=2)
    own = torch.nn.functional.one_hot(targets, logits.shape[1]).bool()
    nearest = (margins / sizes).masked_fill(own, torch.inf).amin(1)
    return nearest.clamp_min(0.0).numpy()


def _dual(norm: str) -> int:
    return 2 if check.one_of("norm", norm, NORMS) == "l2" else 1


def _parts(module: nn.Module, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """The logits [samples classes] and the weights [classes features], in float64 on the CPU."""
    layers = [part for part in module.modules() if type(part) not in PASSIVE]
    if len(layers) != 1 or not isinstance(layers[0], nn.Linear):
        names = ", ".join(type(layer).__name__ for layer in layers)
        raise InputError(f"the model is not linear ({names}); use distance_to_confident")
    weight, bias = (x.detach().cpu().double() for x in _affine(layers[0]))
    if len(weight) == 1:  # one logit is the pair (0, z)
        weight, bias = (torch.cat([torch.zeros_like(x), x]) for x in (weight, bias))
    return inputs.detach().cpu().double().flatten(1) @ weight.T + bias, weight


def _affine(layer: nn.Linear) -> tuple[Tensor, Tensor]:
    found = dict(layer.named_parameters())
    return found["weight"], found.get("bias", torch.zeros(layer.out_features))
