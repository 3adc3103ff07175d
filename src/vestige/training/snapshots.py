"""Weights in the course of training, kept beside the final ones."""

from collections.abc import Callable, Mapping

from torch import Tensor

from vestige.core.errors import InputError
from vestige.signals.measure import Observation
from vestige.training.reopened import BESIDE


def snapshot(
    observation: Observation, epoch: int, weights: Callable[[], Mapping[str, Tensor]]
) -> dict[str, Tensor]:
    """Copies of the weights at the end of that epoch, under the names that they are stored by.

    Nothing at epochs that were not asked for.
    """
    if epoch not in observation.weights_at:
        return {}
    return {f"{_prefix(epoch)}{name}": _copy(value) for name, value in weights().items()}


def weights_at(stored: Mapping[str, Tensor], epoch: int) -> dict[str, Tensor]:
    """The weights at the end of that epoch, under the module's own names.

    Raises InputError where they were not kept.
    """
    prefix = _prefix(epoch)
    found = {name.removeprefix(prefix): value for name, value in stored.items() if name.startswith(prefix)}
    if not found:
        raise InputError(f"epoch={epoch}: the weights at its end were not kept; name it in weights_at")
    return found


def _prefix(epoch: int) -> str:
    return f"{BESIDE}weights-{epoch}."


def _copy(value: Tensor) -> Tensor:
    return value.detach().clone().cpu().contiguous()
