"""Noise put into a data set once, before any model sees it: harder data of the same kind."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool

from vestige.core import check, seeds
from vestige.data.dataset import Dataset


def with_input_noise(dataset: Dataset, sd: float, seed: int) -> Dataset:
    """The data set with N(0, sd^2) added once to every input value; inputs are floats as a network sees them.

    sd: in the units of float inputs; for images held as bytes a fraction of full scale, added before the
      normalization by channel, which the result holds already. Values are not clipped.

    Raises InputError unless sd is finite and positive.
    """
    check.positive("input_noise", sd)
    noise = seeds.generator(seed, "input_noise").standard_normal(dataset.inputs.shape, np.float32)
    noise *= sd / _units(dataset)
    noise += dataset.as_floats()
    return replace(dataset, inputs=noise, normalization=None, name=f"{dataset.name}+input_noise{sd:g}")


def with_label_noise(dataset: Dataset, rate: float, seed: int) -> tuple[Dataset, Bool[np.ndarray, "samples"]]:
    """The data set with round(rate * samples) labels replaced by another class, and which ones they are.

    The samples are drawn without replacement, and the new class uniformly from the others.

    Raises InputError unless 0 < rate <= 1.
    """
    check.within("label_noise", check.positive("label_noise", rate), 0.0, 1.0)
    generator = seeds.generator(seed, "label_noise")
    count = round(rate * dataset.num_samples)
    chosen = generator.choice(dataset.num_samples, count, replace=False)
    steps = generator.integers(
        1, dataset.num_classes, count
    )  # 1 .. classes - 1 further: never the same class
    targets = dataset.targets.copy()
    targets[chosen] = (targets[chosen] + steps) % dataset.num_classes
    flipped = np.zeros(dataset.num_samples, bool)
    flipped[chosen] = True
    return replace(dataset, targets=targets, name=f"{dataset.name}+label_noise{rate:g}"), flipped


def _units(dataset: Dataset) -> np.ndarray:
    """What a network sees as 1 of the noise's units: the standard deviations by channel of bytes, else 1."""
    if dataset.inputs.dtype != np.uint8 or dataset.normalization is None:
        return np.ones((), np.float32)
    return np.asarray(dataset.normalization.std, np.float32).reshape(-1, *(1,) * (len(dataset.shape) - 1))
