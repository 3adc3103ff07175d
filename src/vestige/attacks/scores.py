"""What an attack says about every target."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64

from vestige.core import check
from vestige.stats.roc import Roc, roc


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of every sample under every target; behaves as the array of its values.

    values: [targets samples] or [targets checkpoints samples]; higher = more likely a member; NaN = could
      not be scored.
    member: [targets samples], true where the target trained on the sample.
    targets: which models the rows are.
    attack: the attack's name. describe: its small print. notes: what a reader should know about these values.
    """

    values: Float64[np.ndarray, "targets *checkpoints samples"]
    member: Bool[np.ndarray, "targets samples"]
    attack: str
    targets: tuple[int, ...]
    description: str = ""
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the values."""
        return self.values.shape

    @property
    def ndim(self) -> int:
        """2, or 3 with a checkpoint axis."""
        return self.values.ndim

    @property
    def dtype(self) -> np.dtype[Any]:
        """float64."""
        return self.values.dtype

    def roc(self, target: int, checkpoint: int = -1) -> Roc:
        """The ROC of one target, by its position among the rows."""
        check.within("target", target, 0, len(self.values) - 1)
        return roc(self.at(checkpoint)[target], self.member[target])

    def at(self, checkpoint: int = -1) -> Float64[np.ndarray, "targets samples"]:
        """The values at one checkpoint, the last by default."""
        return self.values if self.values.ndim == 2 else self.values[:, checkpoint]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.values, dtype=dtype, copy=copy)

    def __getitem__(self, index: Any) -> Any:
        return self.values[index]

    def __len__(self) -> int:
        return len(self.values)
