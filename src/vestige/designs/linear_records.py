"""The records that a linear model is trained on: their features, scaled, and their targets."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from vestige.core import seeds
from vestige.core.errors import InputError, unknown_name
from vestige.data.dataset import Dataset
from vestige.designs.feature_map import FeatureMap, features_from
from vestige.designs.linear_task import LinearTask
from vestige.designs.network_features import network_features, width_of_head
from vestige.leakage.expansion import principal_components, relu_features
from vestige.leakage.softmax_model import LARGEST

Inputs = Float64[np.ndarray, "records features"]


@dataclass(frozen=True, kw_only=True, eq=False)
class LinearRecords:
    """Records in the order in which a seed draws them: of `size` records the first are taken.

    inputs: [records features], rows of norm at most 1. labels: classes 0, 1, ... ids: rows of the user's
    file.
    """

    inputs: Float64[np.ndarray, "records features"]
    labels: Int64[np.ndarray, "records"]
    ids: Int64[np.ndarray, "records"]

    def first(self, size: int | None) -> "LinearRecords":
        """The first so many records, all for None."""
        return LinearRecords(inputs=self.inputs[:size], labels=self.labels[:size], ids=self.ids[:size])

    @property
    def signs(self) -> Float64[np.ndarray, "records"]:
        """-1 for the first of two classes, +1 for the second."""
        return 2.0 * self.labels - 1.0


def with_classes(dataset: Dataset, classes: tuple[str, ...]) -> Dataset:
    """The samples of these classes, renumbered from 0 in the order given; all for none.

    classes: numbers, or names where the data set has names.

    Raises InputError for fewer than two, a class twice, or one that does not exist.
    """
    if not classes:
        return dataset
    names = dataset.class_names or tuple(str(number) for number in range(dataset.num_classes))
    numbers = [_number(text, names, dataset.num_classes) for text in classes]
    if len(set(numbers)) < max(2, len(numbers)):
        raise InputError(f"classes={','.join(classes)} must name at least two different classes")
    kept = np.flatnonzero(np.isin(dataset.targets, numbers))
    renumbered = np.full(dataset.num_classes, -1)
    renumbered[numbers] = np.arange(len(numbers))
    return Dataset(
        dataset.inputs[kept],
        renumbered[dataset.targets[kept]],
        len(numbers),
        dataset.name,
        normalization=dataset.normalization,
        class_names=tuple(names[number] for number in numbers),
        sample_ids=dataset.ids[kept],
    )


def check_records(dataset: Dataset, task: LinearTask) -> None:
    """Raise InputError for a task that needs more records or features than there are."""
    features = features_from(task.features)
    count = dataset.num_samples - features.trained_on
    if count < (task.size or 3):
        spent = (
            f" beside the {features.trained_on} that the network is trained on" if features.trained_on else ""
        )
        raise InputError(
            f"size={task.size or 3}{spent} is more than the {dataset.num_samples} records of {dataset.name}: "
            "ask for fewer"
        )
    wide = int(np.prod(dataset.shape))
    if features.kind == "pca" and features.number > min(count, wide):
        raise InputError(
            f"features={task.features!r}: {dataset.name} has {wide} features and {count} records; take at "
            "most the smaller number"
        )
    if features.kind == "network":
        wide = width_of_head(dataset, features.architecture)
    wide = min(features.number if features.kind in ("pca", "relu") else wide, task.size or count)
    if task.model == "softmax" and wide * dataset.num_classes > LARGEST:
        raise InputError(
            f"{dataset.num_classes} classes x {wide} features are more than the {LARGEST} parameters whose "
            f"Hessian fits: use --features pca:{LARGEST // dataset.num_classes} or fewer"
        )


def linear_records(dataset: Dataset, features: str, seed: int) -> LinearRecords:
    """All records that this seed may draw, with these features.

    Features are centered on the mean of all records and divided by the largest norm, as far as the records
    are measured; random features are made of the result and divided once more where a norm exceeds 1. A
    network is trained on the last records of the draw.
    """
    chosen = features_from(features)
    order = seeds.generator(seed, "records").permutation(dataset.num_samples)
    drawn, rest = order[: len(order) - chosen.trained_on], order[len(order) - chosen.trained_on :]
    measured = dataset.select(drawn)
    if chosen.kind == "network":
        others = dataset.select(rest)
        inputs = scaled(network_features(others, measured, chosen.architecture, seed))
    else:
        raw = measured.as_floats().reshape(len(drawn), -1).astype(np.float64)
        inputs = _expanded(scaled(raw), chosen, seed)
    return LinearRecords(inputs=inputs, labels=measured.targets, ids=np.asarray(measured.ids, np.int64))


def scaled(inputs: Inputs) -> Inputs:
    """The inputs centered and divided by the largest norm of a row."""
    around = inputs - inputs.mean(axis=0)
    largest = float(np.linalg.norm(around, axis=1).max())
    return around / largest if largest > 0 else around


def _expanded(inputs: Inputs, features: FeatureMap, seed: int) -> Float64[np.ndarray, "records expanded"]:
    if features.kind == "pca":
        return principal_components(inputs, features.number)
    if features.kind == "relu":
        expanded = relu_features(inputs, features.number, seed)
        return expanded / max(1.0, float(np.linalg.norm(expanded, axis=1).max()))
    return inputs


def _number(text: str, names: tuple[str, ...], count: int) -> int:
    if text in names:
        return names.index(text)
    if text.isdecimal() and int(text) < count:
        return int(text)
    raise unknown_name("class", text, names)
