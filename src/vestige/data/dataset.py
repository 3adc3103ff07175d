"""A data set as arrays."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32, Int, Integer, Shaped

from vestige.core.errors import InputError
from vestige.core.record import array_digest, content_hash


@dataclass(frozen=True)
class Normalization:
    """Per-channel mean and standard deviation, on the scale 0 to 1, for images held as bytes."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples and their class labels, in a fixed order.

    inputs: [samples ...], float32, or uint8 for images as [samples channels height width].
    targets: [samples], class indices 0 .. num_classes - 1.
    normalization: how bytes become floats; None divides by 255.
    sample_ids: the row in the user's own file; defaults to 0 .. samples - 1.

    Raises InputError for mismatched lengths, labels out of range, one class only, or inputs
    that are not finite.
    """

    inputs: Shaped[np.ndarray, "_ ..."]  # its length is checked below, with a message
    targets: Integer[np.ndarray, "samples"]
    num_classes: int
    name: str
    normalization: Normalization | None = None
    class_names: tuple[str, ...] = ()
    sample_ids: Int[np.ndarray, "samples"] | None = None

    def __post_init__(self) -> None:
        _check(self)
        object.__setattr__(self, "targets", np.asarray(self.targets, np.int64))
        if self.sample_ids is None:
            object.__setattr__(self, "sample_ids", np.arange(len(self.targets)))

    @property
    def num_samples(self) -> int:
        """How many samples there are."""
        return len(self.targets)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one input."""
        return tuple(self.inputs.shape[1:])

    @property
    def ids(self) -> Int[np.ndarray, "samples"]:
        """The sample's row in the user's own file."""
        assert self.sample_ids is not None
        return self.sample_ids

    def select(self, indices: Integer[np.ndarray, "chosen"]) -> "Dataset":
        """The samples at those positions, in that order; they keep their ids and the class count."""
        return replace(
            self,
            inputs=self.inputs[indices],
            targets=self.targets[indices],
            sample_ids=self.ids[indices],
        )

    def as_floats(self, rows: slice = slice(None)) -> Float32[np.ndarray, "rows ..."]:
        """The inputs as a network sees them: bytes scaled to 0..1, then normalized by channel."""
        inputs = self.inputs[rows]
        if inputs.dtype != np.uint8:
            return np.ascontiguousarray(inputs, np.float32)
        mean, std = (
            (self.normalization.mean, self.normalization.std) if self.normalization else ((0.0,), (1.0,))
        )
        channels = (-1,) + (1,) * (len(self.shape) - 1)
        scale = (1 / (255 * np.asarray(std, np.float32))).reshape(channels)
        shift = (np.asarray(mean, np.float32) / np.asarray(std, np.float32)).reshape(channels)
        floats = inputs.astype(np.float32)
        floats *= scale
        floats -= shift
        return floats

    def fingerprint(self) -> str:
        """A hash of everything a model can see of this data set."""
        content = (
            array_digest(self.inputs),
            array_digest(self.targets),
            self.num_classes,
            self.normalization,
        )
        return content_hash(content)


def _check(dataset: Dataset) -> None:
    inputs, targets, name = dataset.inputs, dataset.targets, dataset.name
    if len(inputs) != len(targets):
        raise InputError(
            f"{name}: inputs has {len(inputs)} rows and targets {len(targets)}; give one label per row"
        )
    if len(targets) == 0:
        raise InputError(f"{name}: holds 0 samples; give at least a few per class")
    if targets.min() < 0 or targets.max() >= dataset.num_classes:
        raise InputError(
            f"{name}: labels run from {targets.min()} to {targets.max()}, outside "
            f"0..{dataset.num_classes - 1}; renumber them from 0"
        )
    if targets.min() == targets.max():
        raise InputError(f"{name}: every label is {targets[0]}; a classifier needs at least 2 classes")
    if inputs.dtype != np.uint8 and not _all_finite(inputs):
        bad = int(np.flatnonzero(~np.isfinite(inputs.reshape(len(inputs), -1)).all(1))[0])
        raise InputError(f"{name}: inputs row {bad} holds NaN or infinity; remove or impute such values")


def _all_finite(inputs: np.ndarray) -> bool:
    """A sum is finite where all terms are; opposite infinities give NaN, with a warning of no interest."""
    with np.errstate(invalid="ignore"):
        return bool(np.isfinite(np.sum(inputs, dtype=np.float64)))
