"""Models from the user's own code."""

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from vestige.core.errors import InputError
from vestige.models.probe import probing

Factory = Callable[..., Any]
SAMPLES = 2


def call(factory: Factory, name: str, shape: tuple[int, ...], num_classes: int, **options: Any) -> nn.Module:
    """The model that the user's function makes, checked on two samples.

    The function gets whichever of `shape` or `input_shape` and `num_classes` it has parameters for, and
    the options. A model with outputs [batch] gets a class axis of one, [batch 1].

    Raises InputError when the function fails, returns no nn.Module, or returns a model whose outputs are
    neither [batch classes] nor, for two classes, one logit per sample.
    """
    known = {"shape": shape, "input_shape": shape, "num_classes": num_classes}
    given = options | {key: value for key, value in known.items() if _accepts(factory, key)}
    try:
        module = factory(**given)
    except Exception as error:
        raise InputError(f"model {name}: the function failed with {given}: {error!r}") from error
    if not isinstance(module, nn.Module):
        raise InputError(
            f"model {name}: the function returned a {type(module).__name__}; return an nn.Module"
        )
    return checked(module, name, shape, num_classes)


def checked(module: nn.Module, name: str, shape: tuple[int, ...], num_classes: int) -> nn.Module:
    """The model, with a class axis added to outputs [batch]; it and the random state are left as they were.

    Raises InputError for outputs that are no logits of these classes.
    """
    outputs = _outputs(module, name, shape)
    if num_classes == 2 and outputs.shape == (SAMPLES,):
        return nn.Sequential(module, nn.Unflatten(-1, (-1, 1)))
    if outputs.shape == (SAMPLES, num_classes) or (num_classes == 2 and outputs.shape == (SAMPLES, 1)):
        return module
    wanted = f"[batch {num_classes}]" + (", [batch 1] or [batch]" if num_classes == 2 else "")
    raise InputError(
        f"model {name}: two samples of shape {shape} give outputs of shape {tuple(outputs.shape)}; "
        f"return logits {wanted}"
    )


def _outputs(module: nn.Module, name: str, shape: tuple[int, ...]) -> Tensor:
    inputs = torch.randn(SAMPLES, *shape, generator=torch.Generator().manual_seed(0))
    try:
        with probing(module):
            outputs = module(inputs)
    except Exception as error:
        raise InputError(f"model {name} cannot read samples of shape {shape}: {error}") from error
    if not isinstance(outputs, Tensor):
        raise InputError(f"model {name} returns a {type(outputs).__name__}; return one tensor of logits")
    if not outputs.is_floating_point() or not bool(outputs.isfinite().all()):
        raise InputError(
            f"model {name} returns {outputs.dtype} values that are not all finite; return float logits"
        )
    return outputs


def _accepts(factory: Factory, parameter: str) -> bool:
    """Whether the function has this parameter; one with **kwargs takes `shape` and `num_classes`."""
    try:
        parameters = inspect.signature(factory).parameters
    except (ValueError, TypeError):
        return False
    anything = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    return parameter in parameters or (
        anything and parameter != "input_shape" and "input_shape" not in parameters
    )
