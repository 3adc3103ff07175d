"""One pass over all samples: signals, labels, and what identifies each sample."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from jaxtyping import Shaped
from torch import Tensor, nn
from torch.nn.parallel import DataParallel, DistributedDataParallel

from vestige.core.errors import InputError
from vestige.signals.measure import measure, stored
from vestige.signals.source import UNITS
from vestige.tracking.order import Order, Summation
from vestige.tracking.prediction import Predict, inputs_of, placed
from vestige.tracking.samples import Samples
from vestige.tracking.untouched import device_of

LOGITS_AT_ONCE = 1 << 18  # 1 MB of float32, which stays in cache
TRACKED = tuple(name for name in UNITS if name != "gradient_norm")


@dataclass(frozen=True, eq=False)
class Measurement:
    """signals: by name, [samples] each. order: the samples as they came."""

    signals: dict[str, Shaped[np.ndarray, "samples"]]
    order: Order


def unwrapped(model: nn.Module) -> nn.Module:
    """The user's own module; its wrapper would wait for the other processes of a parallel run."""
    return (
        cast(nn.Module, model.module) if isinstance(model, DataParallel | DistributedDataParallel) else model
    )


def recorded(signals: tuple[str, ...]) -> tuple[str, ...]:
    """The signals as they are recorded. Raises InputError for one that a tracker cannot record."""
    for name in signals:
        if name not in TRACKED:
            raise InputError(f"signals={name!r} cannot be tracked; known: {', '.join(TRACKED)}")
    return stored(signals)


def measured(model: nn.Module, samples: Samples, predict: Predict, signals: tuple[str, ...]) -> Measurement:
    """The signals of every sample under the model as it is now, which must be `untouched` meanwhile.

    Raises InputError for logits or labels that do not fit, or that are not finite.
    """
    values: list[dict[str, np.ndarray]] = []
    labels: list[np.ndarray] = []
    sums: list[np.ndarray] = []
    start = 0
    for group in _grouped(_answers(model, samples, predict)):
        logits, targets = torch.cat([a.logits for a in group]), torch.cat([a.labels for a in group])
        _check_labels(targets, max(2, logits.shape[1]), start)
        targets = targets.to(torch.int64)
        values.append(measure(logits, targets.to(logits.device), None, signals))
        labels.append(targets.cpu().numpy())
        sums += [answer.sums for answer in group]
        start += len(targets)
    if start != samples.count:
        raise InputError(f"a pass yields {start} samples of {samples.count}; give all of them once, in order")
    joined = {name: np.concatenate([part[name] for part in values]) for name in signals}
    _refuse_infinite(joined["scaled_logit"])
    return Measurement(joined, Order(np.concatenate(labels), np.concatenate(sums)))


@dataclass(frozen=True, eq=False)
class _Answer:
    """Of one batch: logits [batch classes], labels [batch], and the sums over its inputs [batch 2]."""

    logits: Tensor
    labels: Tensor
    sums: np.ndarray


def _answers(model: nn.Module, samples: Samples, predict: Predict) -> Iterator[_Answer]:
    device, dtype, summation = device_of(model), _float_type(model), Summation()
    for batch in samples.batches():
        logits, labels = _checked(*predict(model, placed(batch, device, dtype)))
        yield _Answer(logits, labels, summation(inputs_of(batch), len(labels)))


def _grouped(answers: Iterator[_Answer]) -> Iterator[list[_Answer]]:
    """Batches that are measured together, which saves small operations and waits for a GPU."""
    group: list[_Answer] = []
    for answer in answers:
        group.append(answer)
        if sum(one.logits.numel() for one in group) >= LOGITS_AT_ONCE:
            yield group
            group = []
    if group:
        yield group


def _float_type(model: nn.Module) -> torch.dtype:
    return next((p.dtype for p in model.parameters() if p.is_floating_point()), torch.float32)


def _checked(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Logits [batch classes] in float32 or float64, and labels [batch] beside them."""
    logits = logits if logits.dtype == torch.float64 else logits.float()
    logits = logits.unsqueeze(-1) if logits.dim() == 1 else logits
    flat = labels.reshape(-1)
    if logits.dim() != 2 or len(flat) != len(logits):
        raise InputError(
            f"logits have shape {tuple(logits.shape)} and labels {tuple(labels.shape)}; a classifier gives "
            "[batch classes] beside one label per sample; give predict= if yours are found elsewhere"
        )
    return logits, flat


def _check_labels(labels: Tensor, classes: int, start: int) -> None:
    low, high = labels.aminmax()
    if low >= 0 and high < classes and not labels.is_floating_point():
        return
    wrong = (labels < 0) | (labels >= classes) | (labels != labels.to(torch.int64))
    if wrong.any():
        first = int(wrong.nonzero()[0])
        raise InputError(
            f"sample {start + first} has label {labels[first].item()} and the model {classes} classes; "
            f"give class indices 0 to {classes - 1}"
        )


def _refuse_infinite(scaled_logits: Shaped[np.ndarray, "samples"]) -> None:
    bad = np.flatnonzero(~np.isfinite(scaled_logits))
    if len(bad):
        raise InputError(
            f"the model gives sample {bad[0]} the scaled logit {scaled_logits[bad[0]]}; "
            "the run has diverged, so nothing can be recorded of it"
        )
