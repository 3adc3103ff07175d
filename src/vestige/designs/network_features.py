"""The inputs of the last layer of a network that was trained on other records."""

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor, nn

from vestige.audits.options import Options
from vestige.audits.presets import preset_for, recipe_for
from vestige.core.errors import InputError
from vestige.data.dataset import Dataset
from vestige.models.catalog import ModelSpec, build
from vestige.models.penultimate import penultimate
from vestige.models.probe import probing
from vestige.signals.measure import Observation
from vestige.training import engines
from vestige.training.engine import Job, Material
from vestige.training.reopened import reopened

AT_ONCE = 512  # records in one forward pass

Features = Float64[np.ndarray, "records features"]


def network_features(trained_on: Dataset, measured: Dataset, architecture: str, seed: int) -> Features:
    """What a network makes of the measured records on the way to its last layer; it has seen only the others.

    The recipe is that of an audit of this data set.
    """
    recipe = recipe_for(Options(), preset_for(trained_on), ModelSpec(architecture))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    material = Material.of(trained_on, device)
    module, _ = _head(trained_on, architecture)
    choice = engines.choose(recipe, module, 1, device)
    job = Job((0,), (np.arange(trained_on.num_samples),), seed)
    observation = Observation(checkpoints=(recipe.epochs,))
    trained = engines.named(choice.engine)(recipe, material, job, observation, lambda _: None)[0]
    return _features(reopened(recipe, material, trained.weights), measured, device)


def width_of_head(dataset: Dataset, architecture: str) -> int:
    """Features that reach the last layer of a network for these data.

    Raises InputError for one that does not suit the data, or that ends in no linear layer.
    """
    return _head(dataset, architecture)[1].in_features


def _head(dataset: Dataset, architecture: str) -> tuple[nn.Module, nn.Linear]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = build(ModelSpec(architecture), dataset.shape, dataset.num_classes)
    head = penultimate(module, torch.from_numpy(dataset.as_floats(slice(2))))
    if head is None:
        raise InputError(
            f"features: {architecture} ends in no linear layer, so that there is no last one to feed"
        )
    return module, head


def _features(module: nn.Module, dataset: Dataset, device: torch.device) -> Features:
    found: list[np.ndarray] = []
    starts = range(0, dataset.num_samples, AT_ONCE)
    chunks = (torch.from_numpy(dataset.as_floats(slice(start, start + AT_ONCE))) for start in starts)
    head: nn.Linear | None = None

    def note(_layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        found.append(inputs[0].detach().cpu().numpy().astype(np.float64))

    for chunk in chunks:
        rows = chunk.to(device)
        if head is None:
            head = penultimate(module, rows[:2])
            assert head is not None
            head.register_forward_pre_hook(note)
        with probing(module):
            module(rows)
    return np.concatenate(found)
