"""Whether the samples of two passes are the same, in the same order."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor

from vestige.core import seeds
from vestige.core.record import array_digest, content_hash

# Features that are added up before they are weighed, which costs less than to weigh each.
GROUP = 16
TOLERANCE = 1e-6  # of the largest sum; sums of a few float32 round to about 1e-7, augmentation moves far more


@dataclass(frozen=True, eq=False)
class Order:
    """What is known of each sample: its label, and two sums over its input, plain and weighted."""

    labels: Int64[np.ndarray, "samples"]
    sums: Float64[np.ndarray, "samples 2"]

    @cached_property
    def fingerprint(self) -> str:
        """A hash of labels and sums."""
        return content_hash((array_digest(self.labels), array_digest(self.sums)))

    def difference(self, other: "Order") -> str | None:
        """The first difference of another pass to this one, in words; None if there is none."""
        if len(self.labels) != len(other.labels):
            return f"there are {len(other.labels)} samples where there were {len(self.labels)}"
        moved = np.flatnonzero(self.labels != other.labels)
        if len(moved):
            sample = int(moved[0])
            return f"sample {sample} has label {other.labels[sample]} where it had {self.labels[sample]}"
        changed = np.flatnonzero(~self._same_inputs(other))
        return f"sample {int(changed[0])} has another input, and all labels agree" if len(changed) else None

    def remedy(self, other: "Order") -> str:
        """What the user can do about that difference."""
        if len(self.labels) != len(other.labels):
            return "give a data set whose length does not change"
        if not np.array_equal(self.labels, other.labels):
            return "the order changed: give the data set itself, or a DataLoader with shuffle=False"
        return "give the data without random augmentation, in a fixed order"

    def _same_inputs(self, other: "Order") -> Bool[np.ndarray, "samples"]:
        scale = max(1.0, float(np.nanmax(np.abs(self.sums), initial=0.0)))
        apart = np.abs(other.sums - self.sums) > TOLERANCE * scale
        appeared = np.isnan(other.sums) != np.isnan(self.sums)
        return ~(apart | appeared).any(axis=1)


class Summation:
    """The two sums over the input of each sample of a batch."""

    def __init__(self) -> None:
        self._weights: dict[tuple[int, int], Tensor] = {}

    def __call__(self, inputs: Any, samples: int) -> Float64[np.ndarray, "samples 2"]:
        """[samples 2], over every tensor in the inputs that has one row per sample."""
        total = np.zeros((samples, 2))
        for place, tensor in enumerate(_tensors(inputs)):
            if tensor.dim() and len(tensor) == samples and tensor.numel():
                total += self._of(tensor.reshape(samples, -1), place)
        return total

    def _of(self, rows: Tensor, place: int) -> np.ndarray:
        rows = rows if rows.is_cuda else rows.cpu()  # other devices have no float64
        rows = rows.float() if rows.dtype in (torch.float16, torch.bfloat16) else rows
        whole = rows.shape[1] // GROUP * GROUP
        grouped = rows[:, :whole].reshape(len(rows), GROUP, -1).sum(1)
        parts = torch.cat([grouped.double(), rows[:, whole:].double()], 1)
        return (parts @ self._columns(place, parts.shape[1]).to(parts.device)).cpu().numpy()

    def _columns(self, place: int, features: int) -> Tensor:
        """[features 2]: ones, and weights that belong to the place and the feature."""
        if (place, features) not in self._weights:
            weights = seeds.generator(0, "order", place).random(features)
            self._weights[place, features] = torch.from_numpy(np.stack([np.ones(features), weights], 1))
        return self._weights[place, features]


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for one in cast(Mapping[str, Any], value).values():
            yield from _tensors(one)
    elif isinstance(value, tuple | list):
        for one in cast(list[Any], value):
            yield from _tensors(one)
