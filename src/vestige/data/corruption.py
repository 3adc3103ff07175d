"""Noise put into a data set once, before any model sees it: harder data of the same kind."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Int64

from vestige.core import check, seeds
from vestige.core.errors import InputError
from vestige.data.dataset import Dataset


def with_input_noise(dataset: Dataset, sd: float, seed: int) -> Dataset:
    """The data set with N(0, sd^2) added once to every input value; inputs are floats as a network sees them.

    sd: in the units of float inputs; for images held as bytes a fraction of full scale, added before the
      normalization by channel, which the result holds already. Such images stay between black and white;
      other inputs are not clipped.

    Raises InputError unless sd is finite and positive.
    """
    check.positive("input_noise", sd)
    noise = seeds.generator(seed, "input_noise").standard_normal(dataset.inputs.shape, np.float32)
    noise *= sd / _units(dataset)
    noise += dataset.as_floats()
    if dataset.inputs.dtype == np.uint8:
        np.clip(noise, *_black_and_white(dataset), out=noise)
    return replace(dataset, inputs=noise, normalization=None, name=f"{dataset.name}+input_noise{sd:g}")


def with_label_noise(dataset: Dataset, rate: float, seed: int) -> tuple[Dataset, Bool[np.ndarray, "samples"]]:
    """The data set with round(rate * samples) labels replaced by another class, and which ones they are.

    The samples are drawn without replacement, and the new class uniformly from the others.

    Raises InputError unless 0 < rate <= 1.
    """
    check.within("label_noise", check.positive("label_noise", rate), 0.0, 1.0)
    count = round(rate * dataset.num_samples)
    targets, flipped = _mislabelled(dataset, count, seeds.generator(seed, "label_noise"))
    return replace(dataset, targets=targets, name=f"{dataset.name}+label_noise{rate:g}"), flipped


def with_canaries(dataset: Dataset, count: int, seed: int) -> tuple[Dataset, Bool[np.ndarray, "samples"]]:
    """The data set with a wrong label on `count` samples, the canaries, and which ones they are.

    A mislabelled sample is among the most exposed there are, so it stands for the worst case (Aerni, Zhang
    and Tramer 2024). Canaries are members of a model by the same coins as all samples.

    Raises InputError for more canaries than half of the samples: the others must remain what they are.
    """
    check.at_least("canaries", count, 1)
    if 2 * count > dataset.num_samples:
        raise InputError(f"canaries={count} are more than half of the {dataset.num_samples} samples")
    targets, flipped = _mislabelled(dataset, count, seeds.generator(seed, "canaries"))
    return replace(dataset, targets=targets, name=f"{dataset.name}+canaries{count}"), flipped


def _mislabelled(
    dataset: Dataset, count: int, generator: np.random.Generator
) -> tuple[Int64[np.ndarray, "samples"], Bool[np.ndarray, "samples"]]:
    """The labels with `count` of them replaced, each by one of the other classes, and which."""
    chosen = generator.choice(dataset.num_samples, count, replace=False)
    steps = generator.integers(1, dataset.num_classes, count)  # 1 .. classes - 1: never the same class
    targets = dataset.targets.copy()
    targets[chosen] = (targets[chosen] + steps) % dataset.num_classes
    flipped = np.zeros(dataset.num_samples, bool)
    flipped[chosen] = True
    return targets, flipped


def _units(dataset: Dataset) -> np.ndarray:
    """What a network sees as 1 of the noise's units: the standard deviations by channel of bytes, else 1."""
    if dataset.inputs.dtype != np.uint8 or dataset.normalization is None:
        return np.ones((), np.float32)
    return _by_channel(dataset, dataset.normalization.std)


def _black_and_white(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """The floats that a network sees for bytes 0 and 255, by channel."""
    if dataset.normalization is None:
        return np.zeros((), np.float32), np.ones((), np.float32)
    mean, std = (_by_channel(dataset, v) for v in (dataset.normalization.mean, dataset.normalization.std))
    return -mean / std, (1 - mean) / std


def _by_channel(dataset: Dataset, values: tuple[float, ...]) -> np.ndarray:
    return np.asarray(values, np.float32).reshape(-1, *(1,) * (len(dataset.shape) - 1))
