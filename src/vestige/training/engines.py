"""Which engine trains a recipe on a device, and how many models at once; chosen from measurements."""

from dataclasses import dataclass

import torch
from torch import nn

from vestige.core.errors import InputError, unknown_name
from vestige.training import private, sequential, stacked, vmapped
from vestige.training.engine import Engine
from vestige.training.recipe import Recipe
from vestige.training.targets import SplitTaught

ENGINES: dict[str, Engine] = {
    "sequential": sequential.train,
    "stacked": stacked.train,
    "vmapped": vmapped.train,
}
PRIVATE = "private"
MOST_SPLIT = 4  # models per task where each brings sub-models of its own: they fill the engine already


@dataclass(frozen=True)
class Choice:
    """The engine, the models per task, and why.

    The grouping is part of a population's content key, because matrix multiplies of another size may
    round otherwise; it depends on the number of models, never on the number of processes.
    """

    engine: str
    group: int
    reason: str


def named(engine: str) -> Engine:
    """The engine of that name."""
    return private.train if engine == PRIVATE else ENGINES[engine]


def choose(
    recipe: Recipe,
    module: nn.Module,
    num_models: int,
    device: torch.device,
    engine: str = "auto",
    signals: tuple[str, ...] = (),
) -> Choice:
    """The engine for this module, or the one asked for.

    signals: what will be recorded; the vmapped engine knows logits only.

    Raises InputError if the engine that was asked for cannot train the module, and if the recipe asks for
    differential privacy beside something that would void it.
    """
    known = ("auto", *ENGINES, PRIVATE)
    if engine not in known:
        raise unknown_name("engine", engine, known)
    if recipe.privacy is not None:
        return _private(recipe, module, engine)
    obstacle = _obstacle(engine, recipe, module, signals)
    if obstacle and engine in ("stacked", "vmapped", PRIVATE):
        raise InputError(f"engine={engine!r} cannot train this model: {obstacle}; use engine='auto'")
    if engine == "vmapped":
        return Choice(engine, _group(recipe, module, num_models, device), "many at once: asked for")
    if engine == "sequential" or obstacle:
        return Choice("sequential", 1, f"one at a time: {obstacle or 'asked for'}")
    return Choice(
        "stacked", _group(recipe, module, num_models, device), "many at once: layers of a perceptron"
    )


def _private(recipe: Recipe, module: nn.Module, engine: str) -> Choice:
    if engine not in ("auto", PRIVATE):
        raise InputError(f"engine={engine!r} cannot train differentially private models; use engine='auto'")
    if obstacle := private.unsupported(module, recipe):
        raise InputError(f"dp_sgd cannot train this: {obstacle}; leave one of the two out")
    return Choice(PRIVATE, 1, "one at a time: DP-SGD clips the gradient of each sample")


def _obstacle(engine: str, recipe: Recipe, module: nn.Module, signals: tuple[str, ...]) -> str | None:
    """Why the engine, or the stacked one where none is named, cannot train the module."""
    if engine == PRIVATE:
        return private.unsupported(module, recipe)
    if engine == "vmapped":
        return vmapped.unsupported(module, recipe, signals)
    return stacked.unsupported(module, recipe)


def _group(recipe: Recipe, module: nn.Module, num_models: int, device: torch.device) -> int:
    if device.type == "cuda":
        fits = 256
    else:
        parameters = sum(p.numel() for p in module.parameters())
        # measured: large groups spare the cost of calls, small ones keep parameters and momentum in cache
        fits = 16 if parameters < 40_000 else 8 if parameters < 300_000 else 4
        fits = min(fits, num_models // 4)
    if isinstance(recipe.targets, SplitTaught):
        fits = min(fits, MOST_SPLIT)
    return max(1, min(fits, num_models))
