"""How hard each sample is to learn, measured on some models; as averages that a bootstrap can reweigh."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float64, Int

from vestige.core.errors import InputError
from vestige.signals.source import SignalSource, read


@dataclass(frozen=True, kw_only=True)
class HardnessMeasure:
    """A measure of hardness; every one is turned so that higher = harder.

    name: as tables hold it. title, definition: for readers.
    """

    name: str
    title: str
    definition: str


MEASURES = (
    HardnessMeasure(
        name="epoch_learned",
        title="Epoch learned",
        definition="mean over models trained with it of the checkpoint's epoch from which the prediction "
        "stays correct to the end; the last epoch plus one if never (iteration learned: Toneva et al. 2019)",
    ),
    HardnessMeasure(
        name="forgetting",
        title="Forgetting events",
        definition="mean over models trained with it of how often the prediction went from correct to wrong "
        "between checkpoints (Toneva et al. 2019)",
    ),
    HardnessMeasure(
        name="mean_loss",
        title="Mean training loss",
        definition="mean loss in nats over checkpoints and models trained with it",
    ),
    HardnessMeasure(
        name="inconsistency",
        title="1 - consistency score",
        definition="share of models trained without it that predict it wrongly at the end (Jiang et al. "
        "2021, here with half of the data in place of nine tenths)",
    ),
    HardnessMeasure(
        name="memorization",
        title="Memorization",
        definition="accuracy of models trained with it less that of models trained without it, at the end "
        "(Feldman and Zhang 2020, eq. 1)",
    ),
    HardnessMeasure(
        name="prediction_depth",
        title="Prediction depth",
        definition="mean over models trained with it of the layer from which on the vote of 30 nearest "
        "neighbors agrees with the final prediction (Baldock et al. 2021)",
    ),
)
BY_NAME = {measure.name: measure for measure in MEASURES}

Sums = Float64[np.ndarray, "models samples"]


@dataclass(frozen=True, eq=False)
class Hardness:
    """Measures of hardness as differences of averages over models.

    positive, negative: by measure, a value and a weight per model and sample, [models samples]; the
    measure is the weighted mean of the first less that of the second, where there is one.
    """

    positive: dict[str, tuple[Sums, Bool[np.ndarray, "models samples"]]]
    negative: dict[str, tuple[Sums, Bool[np.ndarray, "models samples"]]] = field(
        default_factory=dict[str, tuple[np.ndarray, np.ndarray]]
    )

    @property
    def names(self) -> tuple[str, ...]:
        """The measures that there are."""
        return tuple(self.positive)

    def of(
        self, name: str, weights: Float64[np.ndarray, "replicates models"]
    ) -> Float64[np.ndarray, "replicates samples"]:
        """The measure of every sample, once per weighting of the models; NaN where no model counts."""
        found = _mean(*self.positive[name], weights)
        return found - _mean(*self.negative[name], weights) if name in self.negative else found


def hardness(
    signals: SignalSource,
    mask: Bool[np.ndarray, "models samples"],
    epochs: Float64[np.ndarray, "checkpoints"],
    depth: Float64[np.ndarray, "models samples"] | None = None,
) -> Hardness:
    """The hardness of each sample on these models, read one model at a time.

    depth: prediction depths; NaN rows for models where it was not measured.

    Raises InputError where it is not on record whether predictions were correct.
    """
    if "correct" not in signals.names:
        raise InputError("signal='correct' is not on record, so it is unknown when a sample was learned")
    models, checkpoints, samples, _ = signals.shape
    learned, forgot, loss = (np.zeros((models, samples)) for _ in range(3))
    final = np.zeros((models, samples))
    for model in range(models):
        right = np.stack([read(signals, "correct", model, t)[:, 0] > 0 for t in range(checkpoints)])
        learned[model] = epoch_learned(right, epochs)
        forgot[model] = forgetting_events(right)
        for t in range(checkpoints):
            loss[model] += read(signals, "loss", model, t).mean(1) / checkpoints
        final[model] = right[-1]
    positive = {
        "epoch_learned": (learned, mask),
        "forgetting": (forgot, mask),
        "mean_loss": (loss, mask),
        "inconsistency": (1 - final, ~mask),
        "memorization": (final, mask),
    }
    if depth is not None:
        positive["prediction_depth"] = (np.nan_to_num(depth), mask & ~np.isnan(depth))
    return Hardness(positive, {"memorization": (final, ~mask)})


def epoch_learned(
    right: Bool[np.ndarray, "checkpoints samples"], epochs: Float64[np.ndarray, "checkpoints"]
) -> Float64[np.ndarray, "samples"]:
    """The epoch of the first checkpoint from which the prediction stays correct; the last + 1 if never."""
    stayed = np.logical_and.accumulate(right[::-1], axis=0).sum(0)
    return np.append(epochs, epochs[-1] + 1)[len(right) - stayed]


def forgetting_events(right: Bool[np.ndarray, "checkpoints samples"]) -> Int[np.ndarray, "samples"]:
    """How often the prediction went from correct to wrong."""
    return (right[:-1] & ~right[1:]).sum(0)


def _mean(
    values: Sums,
    chosen: Bool[np.ndarray, "models samples"],
    weights: Float64[np.ndarray, "replicates models"],
) -> Float64[np.ndarray, "replicates samples"]:
    count = weights @ chosen.astype(np.float64)
    total = weights @ np.where(chosen, values, 0.0)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
