"""How far a sample is from where a model is confident, and distances to compare with."""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor, nn

from vestige.core import check
from vestige.core.errors import InputError
from vestige.models.probe import probing
from vestige.signals.confidence import Prediction, scaled_logit
from vestige.signals.level import KnownLosses, Level, as_scaled_logit
from vestige.signals.walk import NORMS, Crossing, Ground, Report, Walk, cross, silent

MOST_CENSORED = 0.2


@dataclass(frozen=True, eq=False)
class Distances:
    """Distances of samples and how they were come by.

    values: [samples] in units of the model's inputs. censored: [samples], true where the level was not
      reached; the value then is the whole reach of the walk, with its sign.
    steps: [samples], how many steps were walked. losses: [samples], cross-entropy of the label at the
      start, in nats. level: the loss that was walked to; NaN where it was the boundary.
    nearer_is_member: whether a small value speaks for membership, as it does for distance-to-confident.
    """

    values: Float64[np.ndarray, "samples"]
    censored: Bool[np.ndarray, "samples"]
    steps: Int64[np.ndarray, "samples"]
    losses: Float64[np.ndarray, "samples"]
    level: float
    nearer_is_member: bool = True

    @property
    def scores(self) -> Float64[np.ndarray, "samples"]:
        """The distances as scores of membership, higher = more likely a member."""
        return -self.values if self.nearer_is_member else self.values

    @property
    def censor_rate(self) -> float:
        """The share of samples whose walk never reached the level."""
        return float(self.censored.mean())

    @property
    def usable(self) -> bool:
        """Whether few enough walks were censored for the distances to mean anything."""
        return self.censor_rate <= MOST_CENSORED

    @property
    def note(self) -> str:
        """Why the distances are not usable, and the remedy; "" where they are."""
        return "" if self.usable else unusable(self.censor_rate)


def unusable(censor_rate: float) -> str:
    """The sentence that says why distances with so many unfinished walks are not usable."""
    return (
        f"Not usable: {censor_rate:.0%} of the walks never reached the level (at most {MOST_CENSORED:.0%} "
        "may); use a relative level, or more and longer steps."
    )


def distance_to_confident(
    module: nn.Module,
    inputs: Tensor,
    targets: Tensor,
    level: Level,
    walk: Walk | None = None,
    *,
    known_losses: KnownLosses | None = None,
    report: Report = silent,
) -> Distances:
    """The distance from each sample to the nearest point found where the model is confident in its label.

    A reconstruction of distance-to-confident (Kaya, Hong and Dumitras 2020, arXiv 2006.05336; the released
    text fixes white box, crafted like an adversarial sample, and confident): `min ||x' - x||` such that the
    loss of x' is at most the level. The walk follows the normalized gradient, so the value is an upper bound
    of that minimum. Members are expected closer: lower = more likely a member. Signed: below zero for samples
    that are confident already, by the distance to where they cease to be.

    inputs: [samples ...] float32 or float64, as the model sees them; targets: [samples].
    known_losses: [known], in nats, for a relative level. report: called with samples done and their number.
    The module is looked at in evaluation mode and left as it was; its weights get no gradient.

    Raises InputError for inputs that are not floats or leave the box, and for a level without what it needs.
    """
    walk = walk or Walk()
    _check(inputs, targets, walk)
    tau = level.loss(known_losses)
    # confidence is followed as a scaled logit: same direction, same level, and a slope that never vanishes
    ground = Ground(module, scaled_logit, as_scaled_logit(tau), walk)
    with probing(module):
        labels = ground.goals(inputs, targets)
        began = ground.heights(inputs, labels)
        rises = began < ground.level
        found = cross(ground, inputs, labels, rises=rises, moving=rises | walk.signed, report=report)
        began = began if labels is targets else ground.heights(inputs, targets)
    return _distances(found, torch.where(rises, 1.0, -1.0), began, tau)


def boundary_distance(
    module: nn.Module,
    inputs: Tensor,
    targets: Tensor,
    walk: Walk | None = None,
    *,
    report: Report = silent,
) -> Distances:
    """The distance from each sample to where the prediction changes; 0 if it is wrong already.

    Untargeted, along the gradient of the margin between the label's logit and the largest other. Higher =
    more robust = more likely a member (Choquette-Choo et al. 2021; Del Grosso et al. 2022). `walk.signed`
    has no effect.
    """
    walk = walk or Walk()
    _check(inputs, targets, walk)
    ground = Ground(module, _margin, 0.0, walk)
    with probing(module):
        labels = ground.goals(inputs, targets)
        right = ground.heights(inputs, labels) > 0
        found = cross(ground, inputs, labels, rises=torch.zeros_like(right), moving=right, report=report)
        began = replace(ground, height=scaled_logit).heights(inputs, targets)
    return _distances(found, torch.ones_like(began), began, nearer_is_member=False)


def first_order_distance(
    module: nn.Module,
    inputs: Tensor,
    targets: Tensor,
    level: Level,
    *,
    norm: str = "l2",
    known_losses: KnownLosses | None = None,
    batch_size: int = 64,
) -> Float64[np.ndarray, "samples"]:
    """(loss - level) / ||gradient of the loss||: the signed distance if the loss were linear.

    One gradient in place of a walk. Divided by the dual norm: the Euclidean one for "l2", the sum of absolute
    values for "linf". Lower = more likely a member; infinite where the gradient is 0.
    """
    check.one_of("norm", norm, NORMS)
    _check(inputs, targets, Walk())
    tau, order = level.loss(known_losses), 2 if norm == "l2" else 1
    ground = Ground(module, scaled_logit, as_scaled_logit(tau), Walk())
    parts: list[Tensor] = []
    with probing(module):
        for some, labels in zip(inputs.split(batch_size), targets.split(batch_size), strict=True):
            height, slope = ground.slopes(some, labels)
            height, size = height.double(), slope.double().flatten(1).norm(order, dim=1)
            parts.append((_loss(height) - tau) / (torch.sigmoid(-height) * size))
    return torch.cat(parts).cpu().numpy()


def label_losses(
    module: nn.Module, inputs: Tensor, targets: Tensor, *, batch_size: int = 512
) -> Float64[np.ndarray, "samples"]:
    """The cross-entropy of each label in nats, in evaluation mode; what a relative level is made of."""
    _check(inputs, targets, Walk())
    ground = Ground(module, scaled_logit, math.inf, Walk(batch_size=batch_size))
    with probing(module):
        return _loss(ground.heights(inputs, targets).double()).cpu().numpy()


def _check(inputs: Tensor, targets: Tensor, walk: Walk) -> None:
    if not inputs.is_floating_point():
        raise InputError(f"inputs are {inputs.dtype}; give them as the model sees them, in float32")
    if len(inputs) != len(targets) or not len(inputs):
        raise InputError(f"inputs has {len(inputs)} rows and targets {len(targets)}; give one label per row")
    if walk.box is not None and not bool(((inputs >= walk.box[0]) & (inputs <= walk.box[1])).all()):
        raise InputError(
            f"box={walk.box} does not hold all inputs, which run from {float(inputs.min()):g} to "
            f"{float(inputs.max()):g}; give the range that the model's inputs have"
        )


def _margin(of: Prediction) -> Tensor:
    return of.label - of.largest_other


def _loss(scaled_logits: Tensor) -> Tensor:
    return torch.logaddexp(torch.zeros_like(scaled_logits), -scaled_logits)


def _distances(
    found: Crossing, sign: Tensor, began: Tensor, level: float = math.nan, *, nearer_is_member: bool = True
) -> Distances:
    return Distances(
        values=(found.distance * sign).double().cpu().numpy(),
        censored=(~found.crossed).cpu().numpy(),
        steps=found.steps.cpu().numpy(),
        losses=_loss(began.double()).cpu().numpy(),
        level=level,
        nearer_is_member=nearer_is_member,
    )
