"""Models by name."""

import inspect
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import nn

from vestige.core import imports
from vestige.core.errors import InputError, unknown_name
from vestige.models import factory
from vestige.models.convnet import convnet
from vestige.models.densenet import densenet
from vestige.models.mlp import ACTIVATIONS, linear, mlp
from vestige.models.resnet import resnet18
from vestige.models.vgg import vgg16
from vestige.models.wide_resnet import wide_resnet

Option = str | int | float | bool
Builder = Callable[..., nn.Module]

MODELS: dict[str, Builder] = {
    "linear": linear,
    "mlp": mlp,
    "convnet": partial(convnet, stages=3),
    **{f"convnet-{stages}": partial(convnet, stages=stages) for stages in range(1, 6)},
    "resnet18": resnet18,
    "wrn10-1": partial(wide_resnet, depth=10, widen=1),
    "wrn16-1": partial(wide_resnet, depth=16, widen=1),
    "wrn28-2": partial(wide_resnet, depth=28, widen=2),
    "wrn28-10": partial(wide_resnet, depth=28, widen=10),
    "densenet": densenet,
    "vgg16": vgg16,
}
PERCEPTRON = re.compile(r"mlp((?:-[1-9]\d*)+)(?:-([a-z]+))?")
CONVNET = re.compile(r"convnet-([1-5])-([1-9]\d*)")


@dataclass(frozen=True)
class ModelSpec:
    """A model by name, with options of its builder as (name, value) pairs.

    name: linear, mlp, mlp-WIDTH-WIDTH... with or without -ACTIVATION, convnet (of 3 stages), convnet-1 to
      convnet-5, convnet-STAGES-WIDTH, resnet18, wrn10-1, wrn16-1, wrn28-2, wrn28-10, densenet, vgg16, or
      "package.module:function".
    The order of the options carries no meaning; they are kept sorted.

    Raises InputError for an unknown name or option.
    """

    name: str
    options: tuple[tuple[str, Option], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", tuple(sorted(self.options)))
        builder = _builder(self.name)
        if builder is not None:
            _check_options(self, builder)


def spec_of(model: "str | Builder | ModelSpec") -> ModelSpec:
    """The specification of a model given by name, as a function that can be imported, or as one already."""
    if isinstance(model, ModelSpec):
        return model
    return ModelSpec(model if isinstance(model, str) else imports.name_of(model))


def build(spec: ModelSpec, shape: tuple[int, ...], num_classes: int) -> nn.Module:
    """A new model for samples of that shape; its weights come from torch's random state.

    Outputs are logits [batch classes]; a user's model for two classes may give one logit, [batch 1].

    Raises InputError when the model does not suit the shape, or the user's function fails its checks.
    """
    options = dict(spec.options)
    builder = _builder(spec.name)
    if builder is None:
        return factory.call(imports.resolve(spec.name), spec.name, shape, num_classes, **options)
    try:
        return builder(shape, num_classes, **options)
    except TypeError as error:
        raise InputError(
            f"model {spec.name}: an option has the wrong type among {options}: {error}"
        ) from error


def source_digest(spec: ModelSpec) -> str:
    """A hash that changes when the user edits the file of the model's function; "" for a model of Vestige."""
    return imports.source_digest(imports.resolve(spec.name)) if _builder(spec.name) is None else ""


def names() -> tuple[str, ...]:
    """The models that `build` knows by name."""
    return tuple(MODELS)


def options_of(spec: ModelSpec) -> tuple[str, ...]:
    """The options that the model's builder, or the user's function, takes by name."""
    builder = _builder(spec.name)
    if builder is not None:
        return _options(builder)
    parameters = inspect.signature(imports.resolve(spec.name)).parameters.values()
    return tuple(p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))


def _builder(name: str) -> Builder | None:
    """The builder of a model of Vestige, or None for one of the user."""
    if imports.is_reference(name):
        return None
    if perceptron := PERCEPTRON.fullmatch(name):
        return _perceptron(*perceptron.groups())
    if network := CONVNET.fullmatch(name):
        stages, width = network.groups()
        return partial(convnet, stages=int(stages), width=int(width))
    if name not in MODELS:
        raise unknown_name("model", name, [*MODELS, "mlp-512-256", "mlp-512-256-relu", "convnet-3-16"])
    return MODELS[name]


def _perceptron(widths: str, activation: str | None) -> Builder:
    hidden = tuple(int(width) for width in widths.split("-")[1:])
    if activation is None:
        return partial(mlp, hidden=hidden)
    if activation not in ACTIVATIONS:
        raise unknown_name("activation", activation, ACTIVATIONS)
    return partial(mlp, hidden=hidden, activation=activation)


def _check_options(spec: ModelSpec, builder: Builder) -> None:
    known = _options(builder)
    for option, _ in spec.options:
        if option not in known:
            raise unknown_name(f"option of {spec.name}", option, known)


def _options(builder: Builder) -> tuple[str, ...]:
    parameters = inspect.signature(builder).parameters.values()
    return tuple(
        p.name for p in parameters if isinstance(p.default, Option) and p.name not in _bound(builder)
    )


def _bound(builder: Any) -> Iterable[str]:
    return builder.keywords if isinstance(builder, partial) else ()
