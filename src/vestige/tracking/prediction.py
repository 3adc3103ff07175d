"""What a model answers to one batch: logits beside labels."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn

from vestige.core.errors import InputError

LABELS = ("labels", "label")
REMEDY = "give predict=, a function (model, batch) -> (logits, labels)"

Predict = Callable[[nn.Module, Any], tuple[Tensor, Tensor]]


def predict(model: nn.Module, batch: Any) -> tuple[Tensor, Tensor]:
    """The logits and the labels of a batch: a pair (inputs, labels), or a mapping with the key "labels".

    Of a mapping, the model gets the columns that its forward function names. The model returns logits, or
    an object with the attribute `logits`.

    Raises InputError for other batches and outputs.
    """
    if isinstance(batch, Mapping):
        columns = cast(Mapping[str, Any], batch)
        labels = columns[_label_key(columns)]
        return logits_of(model(**_accepted(model, columns))), labels
    if isinstance(batch, tuple | list) and len(cast(tuple[Any, ...], batch)) == 2:
        return logits_of(model(batch[0])), batch[1]
    raise InputError(f"a batch is neither a pair (inputs, labels) nor a mapping; {REMEDY}")


def inputs_of(batch: Any) -> Any:
    """The batch without its labels, where they can be told apart."""
    if isinstance(batch, Mapping):
        columns = cast(Mapping[str, Any], batch)
        return {name: value for name, value in columns.items() if name not in LABELS}
    if isinstance(batch, tuple | list) and len(cast(tuple[Any, ...], batch)) == 2:
        return batch[0]
    return batch


def logits_of(output: Any) -> Tensor:
    """The logits in a model's output. Raises InputError where there are none."""
    found = output["logits"] if isinstance(output, Mapping) and "logits" in output else output
    found = getattr(found, "logits", found)
    if not isinstance(found, Tensor):
        raise InputError(f"the model returns a {type(output).__name__} without logits; {REMEDY}")
    return found


def placed(batch: Any, device: torch.device, dtype: torch.dtype) -> Any:
    """The batch with its tensors on the device, floats of that type."""
    if isinstance(batch, Tensor):
        return batch.to(device, dtype if batch.is_floating_point() else batch.dtype)
    if isinstance(batch, Mapping):
        columns = cast(Mapping[str, Any], batch)
        return {name: placed(value, device, dtype) for name, value in columns.items()}
    if isinstance(batch, tuple | list):
        return [placed(value, device, dtype) for value in cast(list[Any], batch)]
    return batch


def _label_key(columns: Mapping[str, Any]) -> str:
    for key in LABELS:
        if key in columns:
            return key
    raise InputError(f"a batch has the keys {', '.join(columns)} and none of {' or '.join(LABELS)}; {REMEDY}")


def _accepted(model: nn.Module, columns: Mapping[str, Any]) -> dict[str, Any]:
    parameters = inspect.signature(model.forward).parameters
    takes_all = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters.values())
    return {
        name: value
        for name, value in columns.items()
        if name not in LABELS and (takes_all or name in parameters)
    }
