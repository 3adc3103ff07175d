"""Which engine trains a recipe on a device, and how many models at once; chosen from measurements."""

from dataclasses import dataclass

import torch
from torch import nn

from vestige.core.errors import InputError, unknown_name
from vestige.training import sequential, stacked, vmapped
from vestige.training.engine import Engine
from vestige.training.recipe import Recipe

ENGINES: dict[str, Engine] = {
    "sequential": sequential.train,
    "stacked": stacked.train,
    "vmapped": vmapped.train,
}


@dataclass(frozen=True)
class Choice:
    """The engine, the models per task, and why.

    The grouping is part of a population's content key, because matrix multiplies of another size may
    round otherwise; it depends on the number of models, never on the number of processes.
    """

    engine: str
    group: int
    reason: str


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

    Raises InputError if the engine that was asked for cannot train the module.
    """
    if engine not in ("auto", *ENGINES):
        raise unknown_name("engine", engine, ("auto", *ENGINES))
    obstacle = stacked.unsupported(module, recipe)
    if engine == "vmapped":
        obstacle = vmapped.unsupported(module, recipe, signals)
    if engine in ("stacked", "vmapped") and obstacle:
        raise InputError(f"engine={engine!r} cannot train this model: {obstacle}; use engine='auto'")
    if engine == "vmapped":
        return Choice(engine, _group(module, num_models, device), "many at once: asked for")
    if engine == "sequential" or obstacle:
        return Choice("sequential", 1, f"one at a time: {obstacle or 'asked for'}")
    return Choice("stacked", _group(module, num_models, device), "many at once: layers of a perceptron")


def _group(module: nn.Module, num_models: int, device: torch.device) -> int:
    if device.type == "cuda":
        return min(num_models, 256)
    parameters = sum(p.numel() for p in module.parameters())
    # measured: large groups spare the cost of calls, small ones keep parameters and momentum in cache
    fits = 16 if parameters < 40_000 else 8 if parameters < 300_000 else 4
    return max(1, min(fits, num_models // 4))
