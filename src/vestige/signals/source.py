"""Signals as attacks read them: one row of a model at a checkpoint at a time."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int, Shaped
from scipy.special import expit

from vestige.core.errors import InputError

Row = Shaped[np.ndarray, "samples augmentations"]  # floats; bytes for `correct`

UNITS = {
    "scaled_logit": "logits; log p_y / (1 - p_y); higher = more confident in the label",
    "loss": "nats; cross-entropy; lower = better fit",
    "confidence": "probability of the label, 0 to 1",
    "top_confidence": "probability of the predicted class, 1 / classes to 1; label-free",
    "entropy": "nats; Shannon entropy of the prediction; label-free",
    "modified_entropy": "nats; Song and Mittal 2021; lower = confidently right",
    "gradient_norm": "Euclidean norm of the loss gradient in the last layer's weights and bias",
    "correct": "1 where the label has the strictly largest logit, else 0",
}


@runtime_checkable
class SignalSource(Protocol):
    """Recorded signals, opened lazily."""

    @property
    def names(self) -> tuple[str, ...]:
        """The signals on record."""
        ...

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(models, checkpoints, samples, augmentations)."""
        ...

    def row(self, name: str, model: int, checkpoint: int) -> Row:
        """One recorded signal of one model at one checkpoint, [samples augmentations]."""
        ...


class ArraySignals:
    """Signals held in memory, each [models checkpoints samples augmentations]."""

    def __init__(
        self, values: dict[str, Shaped[np.ndarray, "models checkpoints samples augmentations"]]
    ) -> None:
        self._values = values
        self._shape = next(iter(values.values())).shape

    @property
    def names(self) -> tuple[str, ...]:
        """The signals on record."""
        return tuple(self._values)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(models, checkpoints, samples, augmentations)."""
        models, checkpoints, samples, augmentations = self._shape
        return models, checkpoints, samples, augmentations

    def row(self, name: str, model: int, checkpoint: int) -> Row:
        """One signal of one model at one checkpoint, [samples augmentations]."""
        return self._values[name][model, checkpoint]


class Part:
    """Some of the models of a source at some of its samples, renumbered from 0 in the order given.

    samples: None for all of them.
    """

    def __init__(
        self, source: SignalSource, models: Sequence[int], samples: Int[np.ndarray, "_"] | None = None
    ) -> None:
        self._source, self._models, self._samples = source, tuple(models), samples

    @property
    def names(self) -> tuple[str, ...]:
        """The signals on record."""
        return self._source.names

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(models, checkpoints, samples, augmentations)."""
        _, checkpoints, samples, augmentations = self._source.shape
        return len(self._models), checkpoints, self._count(samples), augmentations

    def row(self, name: str, model: int, checkpoint: int) -> Row:
        """One signal of one model at one checkpoint, [samples augmentations]."""
        row = self._source.row(name, self._models[model], checkpoint)
        return row if self._samples is None else row[self._samples]

    def _count(self, samples: int) -> int:
        return samples if self._samples is None else len(self._samples)


def read(source: SignalSource, name: str, model: int, checkpoint: int) -> Row:
    """A signal in float64, recorded or else derived from the scaled logit.

    Loss and confidence follow exactly from the scaled logit. Entropy and modified entropy, when they
    were not recorded, are those of the two outcomes "the label" and "anything else".

    Raises InputError when the signal is neither recorded nor derivable.
    """
    if name in source.names:
        return np.asarray(source.row(name, model, checkpoint), np.float64)
    if name not in _DERIVED or "scaled_logit" not in source.names:
        raise InputError(f"signal={name!r} is not on record; recorded: {', '.join(source.names)}")
    return _DERIVED[name](np.asarray(source.row("scaled_logit", model, checkpoint), np.float64))


def is_derivable(name: str) -> bool:
    """Whether the signal follows from the scaled logit alone."""
    return name in _DERIVED


def loss_of(scaled_logit: Row) -> Row:
    """Cross-entropy in nats, log(1 + exp(-scaled logit)), without overflow."""
    return np.logaddexp(0.0, -scaled_logit)


def _two_outcome_entropy(scaled_logit: Row) -> Row:
    p = expit(scaled_logit)
    return p * loss_of(scaled_logit) + expit(-scaled_logit) * loss_of(-scaled_logit)


def _two_outcome_modified_entropy(scaled_logit: Row) -> Row:
    return 2 * expit(-scaled_logit) * loss_of(scaled_logit)


_DERIVED = {
    "loss": loss_of,
    "confidence": expit,
    "entropy": _two_outcome_entropy,
    "modified_entropy": _two_outcome_modified_entropy,
}
