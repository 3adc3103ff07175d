"""Views of a batch: random ones to train with, fixed ones to query a model with.

Flips, crops and shifts are for images, [batch channels height width], and raise InputError for others.
"""

from dataclasses import dataclass, field
from itertools import product
from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as functional
from jaxtyping import Bool, Float, Int64, Shaped
from torch import Tensor

from vestige.core import check
from vestige.core.errors import InputError, unknown_name
from vestige.core.record import LATER

PADDINGS = ("reflect", "zero")


@runtime_checkable
class Transform(Protocol):
    """A batch in, a batch of the same shape out; all randomness comes from the generator."""

    def __call__(self, inputs: Tensor, generator: torch.Generator) -> Tensor:
        """The transformed batch; the given one is left as it is."""
        ...


@runtime_checkable
class View(Protocol):
    """A fixed change of every sample of a batch, to ask a model about."""

    def __call__(self, inputs: Tensor) -> Tensor:
        """The changed batch; the given one is left as it is."""
        ...


@dataclass(frozen=True)
class Identity:
    """The batch as it is."""

    def __call__(self, inputs: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """The same batch; nothing is drawn."""
        return inputs


@dataclass(frozen=True)
class HorizontalFlip:
    """Each image mirrored left to right with this probability."""

    probability: float = 0.5

    def __post_init__(self) -> None:
        check.within("probability", self.probability, 0.0, 1.0)

    def __call__(
        self, inputs: Shaped[Tensor, "batch ..."], generator: torch.Generator
    ) -> Shaped[Tensor, "batch ..."]:
        """One number per image is drawn."""
        _check_images(inputs)
        draws = torch.rand(len(inputs), generator=generator, device=generator.device)
        flipped = (draws < self.probability).to(inputs.device)
        return torch.where(flipped[:, None, None, None], inputs.flip(-1), inputs)


@dataclass(frozen=True)
class RandomCrop:
    """Each image moved by -padding .. padding pixels in both directions; the rim is mirrored or zero.

    With a zero rim the padding may exceed the image, which then may leave it whole.
    """

    padding: int = 4
    mode: str = "reflect"

    def __post_init__(self) -> None:
        check.at_least("padding", self.padding, 1)
        check.one_of("mode", self.mode, PADDINGS)

    def __call__(
        self, inputs: Shaped[Tensor, "batch ..."], generator: torch.Generator
    ) -> Shaped[Tensor, "batch ..."]:
        """Two whole numbers per image are drawn."""
        if self.mode == "reflect":
            _check_reach(inputs, self.padding)
        _check_images(inputs)
        size = (2, len(inputs))
        shifts = torch.randint(
            -self.padding, self.padding + 1, size, generator=generator, device=generator.device
        )
        dy, dx = shifts.to(inputs.device)
        return shifted(inputs, dy, dx, self.mode)


@dataclass(frozen=True)
class GaussianNoise:
    """Independent normal noise of this standard deviation, in units of the normalized inputs.

    low, high: where given, what comes out is clipped there, for inputs that live in a range such as 0 to 1.
    """

    std: float
    low: float | None = field(default=None, metadata=LATER)
    high: float | None = field(default=None, metadata=LATER)

    def __post_init__(self) -> None:
        check.positive("std", self.std)
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise InputError(f"low={self.low} must be below high={self.high}")

    def __call__(
        self, inputs: Float[Tensor, "batch ..."], generator: torch.Generator
    ) -> Float[Tensor, "batch ..."]:
        """One number per entry is drawn."""
        noise = torch.randn(inputs.shape, generator=generator, device=generator.device, dtype=inputs.dtype)
        noisy = inputs + self.std * noise.to(inputs.device)
        return noisy if self.low is None and self.high is None else noisy.clamp(self.low, self.high)


@dataclass(frozen=True)
class Cutout:
    """In each image a square of this side set to 0 (DeVries and Taylor 2017).

    Its center is uniform over the pixels; what lies outside the image is cut off. 0 is the mean where inputs
    are normalized, and black where they are not.
    """

    size: int

    def __post_init__(self) -> None:
        check.at_least("size", self.size, 1)

    def __call__(
        self, inputs: Shaped[Tensor, "batch ..."], generator: torch.Generator
    ) -> Shaped[Tensor, "batch ..."]:
        """Two numbers per image are drawn."""
        _check_images(inputs)
        draws = torch.rand(2, len(inputs), generator=generator, device=generator.device).to(inputs.device)
        rows, columns = (
            _inside(torch.floor(draw * side), self.size, side)
            for draw, side in zip(draws, inputs.shape[-2:], strict=True)
        )
        kept = 1 - rows.to(inputs.dtype)[:, :, None] * columns.to(inputs.dtype)[:, None, :]
        return inputs * kept[:, None]


@dataclass(frozen=True)
class Compose:
    """Transforms one after another, drawing from one generator."""

    transforms: tuple[Transform, ...]

    def __call__(
        self, inputs: Shaped[Tensor, "batch ..."], generator: torch.Generator
    ) -> Shaped[Tensor, "batch ..."]:
        """The batch after the last transform."""
        for transform in self.transforms:
            inputs = transform(inputs, generator)
        return inputs


@dataclass(frozen=True)
class Mirror:
    """Every image mirrored left to right."""

    def __call__(self, inputs: Shaped[Tensor, "batch ..."]) -> Shaped[Tensor, "batch ..."]:
        """The mirrored batch."""
        _check_images(inputs)
        return inputs.flip(-1)


@dataclass(frozen=True)
class Shift:
    """Every image moved down by dy and right by dx pixels, with a mirrored rim; `mirror` flips it first."""

    dy: int
    dx: int
    mirror: bool = False

    def __call__(self, inputs: Shaped[Tensor, "batch ..."]) -> Shaped[Tensor, "batch ..."]:
        """The moved batch."""
        _check_reach(inputs, max(abs(self.dy), abs(self.dx)))
        steps = torch.tensor([self.dy, self.dx], device=inputs.device)[:, None].expand(2, len(inputs))
        return shifted(inputs.flip(-1) if self.mirror else inputs, steps[0], steps[1], "reflect")


def shifted(
    images: Shaped[Tensor, "batch ..."],
    dy: Int64[Tensor, "batch"],
    dx: Int64[Tensor, "batch"],
    mode: str,
) -> Shaped[Tensor, "batch channels height width"]:
    """Each image moved down by its dy and right by its dx pixels.

    images: [batch channels height width]. The rim is the image mirrored about its edge pixels ("reflect") or
    0 ("zero"). A mirrored shift must be smaller than the image.
    """
    rows = _sources(images.shape[-2], dy, mode)
    columns = _sources(images.shape[-1], dx, mode)
    if mode == "zero":
        images = functional.pad(images, (0, 1, 0, 1))  # the row and the column that outside points refer to
    places = (rows[:, :, None] * images.shape[-1] + columns[:, None, :]).flatten(1)
    moved = images.flatten(2).gather(2, places[:, None].expand(-1, images.shape[1], -1))
    return moved.view(*moved.shape[:2], rows.shape[1], columns.shape[1])


TRANSFORMS: dict[str, Transform] = {
    "none": Identity(),
    "flip": HorizontalFlip(),
    "crop": RandomCrop(),
    "flip-crop": Compose((HorizontalFlip(), RandomCrop())),
    "noise": GaussianNoise(0.1),
}
STEPS = (0, -2, 2)  # pixels; half the reach of the random crop, so that the views lie among those trained on
SHIFTS = tuple(product(STEPS, STEPS))
QUERIES: dict[str, tuple[View, ...]] = {
    "none": (Identity(),),
    "flip": (Identity(), Mirror()),
    "crop": (Identity(), *(Shift(dy, dx) for dy, dx in SHIFTS[1:])),
    "flip-crop": (
        Identity(),
        Mirror(),
        *(Shift(dy, dx, mirror) for dy, dx in SHIFTS[1:] for mirror in (False, True)),
    ),
}


def by_name(name: str) -> Transform:
    """The training transform of that name: none, flip, crop, flip-crop or noise."""
    if name not in TRANSFORMS:
        raise unknown_name("augmentation", name, TRANSFORMS)
    return TRANSFORMS[name]


def queries(name: str) -> tuple[View, ...]:
    """The 1, 2, 9 or 18 views to query of a model trained with that transform; the first is the identity.

    The 18 are two mirror images at nine positions, the number that Carlini et al. 2022 query.
    """
    if name not in QUERIES:
        raise unknown_name("queries", name, QUERIES)
    return QUERIES[name]


def _sources(size: int, shift: Int64[Tensor, "batch"], mode: str) -> Int64[Tensor, "batch size"]:
    """For each place along an axis the place its pixel comes from; `size` stands for outside."""
    source = torch.arange(size, device=shift.device) - shift[:, None]
    if mode == "zero":
        return torch.where((source < 0) | (source >= size), size, source)
    last = size - 1
    return last - (last - source.abs()).abs()


def _inside(center: Float[Tensor, "batch"], size: int, side: int) -> Bool[Tensor, "batch side"]:
    """Which places along an axis lie within the square: `size` of them, size // 2 before the center."""
    start = center[:, None] - size // 2
    places = torch.arange(side, device=center.device)
    return (places >= start) & (places < start + size)


def _check_reach(inputs: Tensor, reach: int) -> None:
    _check_images(inputs)
    if reach >= min(inputs.shape[-2:]):
        raise InputError(f"a shift of {reach} pixels is too far for images of {tuple(inputs.shape[-2:])}")


def _check_images(inputs: Tensor) -> None:
    if inputs.ndim != 4:
        raise InputError(
            f"this augmentation works on images, but a sample has shape {tuple(inputs.shape[1:])}; use none"
        )
