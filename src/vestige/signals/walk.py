"""The walk up or down a model's confidence until it crosses a level, for many samples at once."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vestige.core import check
from vestige.core.errors import InputError
from vestige.signals.confidence import Prediction, two_columns

NORMS = ("l2", "linf")
TARGETS = ("true", "predicted")
SMALL = 100  # inputs with at most so many features, such as 8 x 8 images, are walked in smaller steps
REACH_L2 = 25.0  # in units of the inputs
LINF_STEP, LINF_STEPS = 1 / 255, 64  # one gray level a step, to a quarter of the scale

Report = Callable[[int, int], None]


def silent(_done: int, _total: int) -> None:
    """Show nothing."""


@dataclass(frozen=True, kw_only=True)
class Walk:
    """How samples are moved: by steps of fixed length along the gradient, then by halving the last step.

    norm: "l2" or "linf", of the step and of the distance.
    signed: samples that are confident already get minus the distance to where they no longer are; else 0.
    target: confident in what, the "true" label or the class "predicted" at the start.
    box: lowest and highest value that an input may take, in the units the model sees; None for no bounds.
    step, max_steps: None takes 0.05 up to 100 features and 0.1 above, as far as 25 (linf: 1/255, 64 steps).
    bisections: of the step that crosses the level. batch_size: samples in one pass.

    Raises InputError for a value out of range.
    """

    norm: str = "l2"
    signed: bool = True
    target: str = "true"
    box: tuple[float, float] | None = None
    step: float | None = None
    max_steps: int | None = None
    bisections: int = 12
    batch_size: int = 64

    def __post_init__(self) -> None:
        check.one_of("norm", self.norm, NORMS)
        check.one_of("target", self.target, TARGETS)
        if self.box is not None and not self.box[0] < self.box[1]:
            raise InputError(f"box={self.box} must be (lowest, highest), such as (0.0, 1.0)")
        if self.step is not None:
            check.positive("step", self.step)
        if self.max_steps is not None:
            check.at_least("max_steps", self.max_steps, 1)
        check.at_least("bisections", self.bisections, 0)
        check.at_least("batch_size", self.batch_size, 1)

    def pace(self, features: int) -> tuple[float, int]:
        """The length of a step and the most steps, for inputs of so many features."""
        if self.norm == "linf":
            return self.step or LINF_STEP, self.max_steps or LINF_STEPS
        step = self.step or (0.05 if features <= SMALL else 0.1)
        return step, self.max_steps or math.ceil(REACH_L2 / step)


@dataclass(frozen=True, eq=False)
class Ground:
    """What is walked on: a height of the model's prediction above every point, and the level to cross."""

    module: nn.Module
    height: Callable[[Prediction], Tensor]
    level: float
    walk: Walk

    def heights(self, points: Tensor, labels: Tensor) -> Tensor:
        """The height of each point, [samples]."""
        size = self.walk.batch_size
        parts = zip(points.split(size), labels.split(size), strict=True)
        return torch.cat([self.height(self._prediction(some, those)) for some, those in parts])

    def slopes(self, points: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Heights [samples] and their gradients by the inputs [samples ...], of one batch."""
        points = points.detach().requires_grad_()
        with torch.enable_grad():
            height = self.height(self._prediction(points, labels))
            (slope,) = torch.autograd.grad(height.sum(), points)  # weights get no gradient
        return height.detach(), slope

    def goals(self, points: Tensor, targets: Tensor) -> Tensor:
        """The class that each point is to be confident in, [samples]."""
        if self.walk.target == "true":
            return targets
        return torch.cat([two_columns(self.module(p)).argmax(-1) for p in points.split(self.walk.batch_size)])

    def _prediction(self, points: Tensor, labels: Tensor) -> Prediction:
        return Prediction(two_columns(self.module(points)), labels)


@dataclass(frozen=True, eq=False)
class Crossing:
    """Where walks ended, each [samples]: how far they came, whether they crossed, after how many steps.

    distance: the whole reach of the walk where the level was not crossed.
    """

    distance: Tensor
    crossed: Tensor
    steps: Tensor


def cross(
    ground: Ground, start: Tensor, labels: Tensor, *, rises: Tensor, moving: Tensor, report: Report
) -> Crossing:
    """The distance of each sample to the first crossing of the level on its walk.

    start: [samples ...]; rises: [samples], true where the walk goes up; moving: [samples], who walks at all:
    others have crossed at a distance of 0. A walk that can move no further, for want of a slope or because
    of the box, ends without a crossing.
    """
    path = _Path(ground, start, labels, rises, ~moving)
    path.follow(report)
    path.narrow()
    step, most = ground.walk.pace(start[0].numel())
    moved = (path.here.double() - start.double()).flatten(1)
    length = moved.norm(dim=1) if ground.walk.norm == "l2" else moved.abs().amax(1)
    return Crossing(torch.where(path.crossed, length, step * most), path.crossed, path.steps)


class _Path:
    """Where all samples stand: `before` on the side where they began, `here` perhaps across."""

    def __init__(self, ground: Ground, start: Tensor, labels: Tensor, rises: Tensor, crossed: Tensor) -> None:
        self.ground, self.labels, self.rises, self.crossed = ground, labels, rises, crossed
        self.here, self.before = start.clone(), start.clone()
        self.steps = torch.zeros_like(labels)

    def follow(self, report: Report) -> None:
        """Walk until all have crossed, are stuck or are out of steps; only those under way cost anything."""
        step, most = self.ground.walk.pace(self.here[0].numel())
        under_way = (~self.crossed).nonzero().squeeze(1)
        for taken in range(most + 1):
            report(len(self.here) - len(under_way), len(self.here))
            if not len(under_way):
                return
            chunks = under_way.split(self.ground.walk.batch_size)
            under_way = torch.cat([self._advance(chosen, step, taken) for chosen in chunks])
        report(len(self.here), len(self.here))

    def narrow(self) -> None:
        """Halve the last step of those that crossed; `here` stays across."""
        chosen = (self.crossed & (self.steps > 0)).nonzero().squeeze(1)
        if not len(chosen):
            return
        before, here = self.before[chosen], self.here[chosen]
        for _ in range(self.ground.walk.bisections):
            middle = before + (here - before) / 2
            across = self._across(chosen, self.ground.heights(middle, self.labels[chosen]))
            wide = across.reshape(-1, *[1] * (middle.ndim - 1))
            here, before = torch.where(wide, middle, here), torch.where(wide, before, middle)
        self.here[chosen] = here

    def _advance(self, chosen: Tensor, step: float, taken: int) -> Tensor:
        """Look where these stand after `taken` steps and move those not across; those that moved."""
        height, slope = self.ground.slopes(self.here[chosen], self.labels[chosen])
        across = self._across(chosen, height)
        self.steps[chosen], self.crossed[chosen] = taken, across
        onward = chosen[~across]
        self.before[onward] = self.here[onward]
        self.here[onward] = self._moved(onward, slope[~across], step)
        return onward[(self.here[onward] != self.before[onward]).flatten(1).any(1)]

    def _across(self, chosen: Tensor, height: Tensor) -> Tensor:
        return (height >= self.ground.level) == self.rises[chosen]

    def _moved(self, chosen: Tensor, slope: Tensor, step: float) -> Tensor:
        walk, shape = self.ground.walk, (-1, *[1] * (slope.ndim - 1))
        if walk.norm == "l2":
            norm = slope.flatten(1).norm(dim=1).reshape(shape)
            direction = slope / norm.clamp_min(torch.finfo(slope.dtype).tiny)
        else:
            direction = slope.sign()
        length = torch.where(self.rises[chosen], step, -step).to(slope.dtype).reshape(shape)
        moved = self.here[chosen] + length * direction
        return moved if walk.box is None else moved.clamp(*walk.box)
