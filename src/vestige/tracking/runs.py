"""Several tracked runs of the same data, read together."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64, Shaped

from vestige.core.errors import InputError
from vestige.data.membership import Membership, from_mask
from vestige.tracking.run import RECORD, Run


def is_runs(folder: Path) -> bool:
    """Whether a folder holds tracked runs, each in a folder of its own."""
    return any(folder.glob(f"*/{RECORD}"))


@dataclass(frozen=True, eq=False)
class Runs:
    """The runs in a folder as one population (a `SignalSource`), at the steps that all of them share.

    runs: in the order of their folders' names, which is the order of the models.
    """

    runs: tuple[Run, ...]
    steps: tuple[float, ...]

    @classmethod
    def open(cls, folder: Path | str, *, without: Path | None = None) -> "Runs":
        """All runs in the subfolders of a folder, but the one in the folder `without`.

        Raises InputError where there are none, where two are of different data, or where no step is shared.
        """
        found = sorted(path.parent for path in Path(folder).glob(f"*/{RECORD}"))
        skipped = None if without is None else without.resolve()
        runs = tuple(Run.open(path) for path in found if path.resolve() != skipped)
        if not runs:
            one = " (it is itself one run; give the folder above)" if (Path(folder) / RECORD).exists() else ""
            raise InputError(f"folder={folder} holds no other tracked run in a subfolder{one}")
        for run in runs[1:]:
            _refuse_other_data(runs[0], run)
        shared = set(runs[0].steps).intersection(*(run.steps for run in runs))
        if not shared:
            raise InputError(f"folder={folder}: its {len(runs)} runs share no step; record them at the same")
        return cls(runs, tuple(sorted(shared)))

    @property
    def names(self) -> tuple[str, ...]:
        """The signals that every run recorded."""
        return tuple(name for name in self.runs[0].signals if all(name in run.signals for run in self.runs))

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(models, checkpoints, samples, augmentations); the data as it is, so one augmentation."""
        return len(self.runs), len(self.steps), self.runs[0].num_samples, 1

    def row(self, name: str, model: int, checkpoint: int) -> Shaped[np.ndarray, "samples augmentations"]:
        """One signal of one run at one shared step, [samples 1]."""
        run = self.runs[model]
        return run.row(name, run.steps.index(self.steps[checkpoint]))[:, None]

    def signal(self, name: str = "scaled_logit") -> Float32[np.ndarray, "models checkpoints samples"]:
        """One signal of all runs, in memory."""
        models, checkpoints = range(len(self.runs)), range(len(self.steps))
        rows = [[self.row(name, model, checkpoint)[:, 0] for checkpoint in checkpoints] for model in models]
        return np.array(rows, np.float32)

    @cached_property
    def mask(self) -> Bool[np.ndarray, "models samples"]:
        """Which run trained on what."""
        return np.stack([run.members for run in self.runs])

    @cached_property
    def membership(self) -> Membership:
        """The mask with its design, as recognized from it.

        Raises InputError for fewer than two runs or a sample that is in all of them or in none.
        """
        return from_mask(self.mask)

    @property
    def epochs(self) -> Float64[np.ndarray, "checkpoints"]:
        """The shared steps."""
        return np.array(self.steps, np.float64)

    @property
    def labels(self) -> Int64[np.ndarray, "samples"]:
        """The class index of each sample."""
        return self.runs[0].order.labels


def _refuse_other_data(first: Run, other: Run) -> None:
    if (difference := first.order.difference(other.order)) is not None:
        raise InputError(
            f"{other.folder} is not of the data of {first.folder}: {difference}; keep runs of different "
            "data in different folders"
        )
