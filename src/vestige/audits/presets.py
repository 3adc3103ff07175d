"""What an audit does when the user says nothing, by data set."""

from dataclasses import dataclass

import numpy as np

from vestige.audits.options import Options
from vestige.data import transforms
from vestige.data.dataset import Dataset
from vestige.models.catalog import ModelSpec
from vestige.training import optimizers, schedules
from vestige.training.losses import CrossEntropy
from vestige.training.recipe import Recipe

CHECKPOINTS = 12


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Defaults that suit a data set on a laptop."""

    model: str
    models: int = 32
    epochs: int = 40
    batch_size: int = 128
    lr: float = 0.05
    schedule: str = "constant"


# location30: the recipe of the recorded reference run (446-128-30 tanh, 32 models, 40 epochs).
_BY_NAME = {
    "digits": Preset(model="mlp-128-128", models=64, epochs=60, batch_size=32, schedule="cosine"),
    "breast_cancer": Preset(model="mlp-64", models=64, epochs=60, batch_size=32, schedule="cosine"),
    "wine": Preset(model="mlp-64", models=64, epochs=60, batch_size=32, schedule="cosine"),
    "iris": Preset(model="mlp-64", models=64, epochs=60, batch_size=32, schedule="cosine"),
    "location30": Preset(model="mlp"),
    "mnist": Preset(model="mlp-256", models=16, epochs=20, schedule="cosine"),
    "fashion_mnist": Preset(model="mlp-256", models=16, epochs=30, schedule="cosine"),
    "cifar10": Preset(model="convnet", models=16, epochs=30, schedule="cosine"),
    "cifar100": Preset(model="convnet", models=16, epochs=30, schedule="cosine"),
}


def preset_for(dataset: Dataset) -> Preset:
    """The preset of a named data set, or one by the kind of its inputs."""
    if dataset.name in _BY_NAME:
        return _BY_NAME[dataset.name]
    return Preset(model="convnet" if len(dataset.shape) == 3 else "mlp-128", schedule="cosine")


def recipe_for(options: Options, preset: Preset, model: ModelSpec) -> Recipe:
    """The recipe that the options ask for, the preset filling the gaps."""
    name = options.optimizer or "sgd"
    lr = preset.lr if options.lr is None and name in ("sgd", "sam") else options.lr
    return Recipe(
        model=model,
        loss=CrossEntropy(label_smoothing=options.label_smoothing),
        optimizer=optimizers.by_name(name, lr, options.momentum, options.weight_decay, options.rho),
        schedule=schedules.by_name(options.schedule or preset.schedule),
        augmentation=transforms.by_name(options.augmentation or "none"),
        epochs=options.epochs or preset.epochs,
        batch_size=options.batch_size or preset.batch_size,
        precision=options.precision,
    )


def checkpoint_epochs(epochs: int, count: int | None) -> tuple[int, ...]:
    """The epochs to observe: 0 first, the last one last, denser at the start where most happens.

    At most epochs + 1: the initialization and the end of each epoch.
    """
    count = min(count or CHECKPOINTS, epochs + 1)
    quadratic = np.round(epochs * np.linspace(0, 1, count) ** 2).astype(int)
    at_least_one_apart = np.maximum(quadratic, np.arange(count))
    room = epochs - np.arange(count)[::-1]
    return tuple(int(epoch) for epoch in np.minimum(at_least_one_apart, room))
