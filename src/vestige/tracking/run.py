"""A tracked run on disk.

    tracker.json                  written last: the steps that count, and what the run is of
    members.npy                   [samples] bool, what the run trains on
    labels.npy, sums.npy          [samples], [samples 2], what identifies each sample
    steps/step-00007/NAME.npy     [samples], one file per signal

A step counts only if tracker.json names it, so a run that is killed loses no step that was recorded.
"""

import json
import shutil
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Shaped

from vestige.core import files
from vestige.core.errors import RunFolderError
from vestige.core.record import array_digest
from vestige.signals.source import ArraySignals, read
from vestige.tracking.order import Order

RECORD = "tracker.json"
FORMAT = 1  # raise when the files change meaning


@dataclass(frozen=True, eq=False)
class Run:
    """The recorded steps of one run.

    members: [samples], true where the run trains on the sample. signals: the names on record.
    steps: increasing; the unit is the user's own, usually epochs.
    """

    folder: Path
    name: str
    members: Bool[np.ndarray, "samples"]
    order: Order
    signals: tuple[str, ...]
    steps: tuple[float, ...] = ()

    @classmethod
    def open(cls, folder: Path) -> "Run":
        """The run in a folder. Raises RunFolderError if there is none, or one that cannot be read."""
        try:
            record = json.loads((folder / RECORD).read_text())
            if record["format"] != FORMAT:
                raise RunFolderError(
                    f"folder={folder} has format {record['format']}; this version reads {FORMAT}"
                )
            return cls(
                folder,
                str(record["name"]),
                _load(folder / "members.npy"),
                Order(_load(folder / "labels.npy"), _load(folder / "sums.npy")),
                tuple(record["signals"]),
                tuple(float(step) for step in record["steps"]),
            )
        except FileNotFoundError as error:
            raise RunFolderError(
                f"folder={folder} holds no tracked run: {error.filename} is missing"
            ) from error
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise RunFolderError(f"folder={folder}: the record of its run is damaged: {error!r}") from error

    @property
    def num_samples(self) -> int:
        """How many samples there are."""
        return len(self.members)

    @cached_property
    def epochs(self) -> Float64[np.ndarray, "checkpoints"]:
        """The steps as an array."""
        return np.array(self.steps, np.float64)

    def row(self, signal: str, checkpoint: int) -> Shaped[np.ndarray, "samples"]:
        """A recorded signal at a step, by its place among the steps."""
        return _load(self._of(self.steps[checkpoint]) / f"{signal}.npy")

    def value(self, signal: str, checkpoint: int) -> Float64[np.ndarray, "samples"]:
        """A signal at a step in float64, recorded or derived (see `vestige.signals.source.read`)."""
        recorded = signal if signal in self.signals else "scaled_logit"
        row = self.row(recorded, checkpoint)
        return read(ArraySignals({recorded: row[None, None, :, None]}), signal, 0, 0)[:, 0]

    def trace(self, signal: str) -> Float64[np.ndarray, "checkpoints samples"]:
        """A signal at every step."""
        return np.stack([self.value(signal, checkpoint) for checkpoint in range(len(self.steps))])

    def with_step(self, step: float, values: dict[str, Shaped[np.ndarray, "samples"]]) -> "Run":
        """The run with one more step on disk; steps from that one on are dropped."""
        kept = replace(self, steps=tuple(one for one in self.steps if one < step))
        if not kept.steps:
            kept._save_identity()
        if kept.steps != self.steps:
            kept._save_record()
        for name, value in values.items():
            _save(self._of(step) / f"{name}.npy", value)
        longer = replace(self, steps=(*kept.steps, step))
        longer._save_record()
        for dropped in set(self.steps) - set(longer.steps):
            shutil.rmtree(self._of(dropped), ignore_errors=True)
        return longer

    def _of(self, step: float) -> Path:
        return self.folder / "steps" / (f"step-{int(step):05d}" if step == int(step) else f"step-{step!r}")

    def _save_identity(self) -> None:
        _save(self.folder / "members.npy", self.members)
        _save(self.folder / "labels.npy", self.order.labels)
        _save(self.folder / "sums.npy", self.order.sums)

    def _save_record(self) -> None:
        record: dict[str, Any] = {
            "tool": "vestige",
            "format": FORMAT,
            "name": self.name,
            "samples": self.num_samples,
            "dataset": self.order.fingerprint,
            "members": array_digest(self.members),
            "signals": list(self.signals),
            "steps": list(self.steps),
        }
        files.write_json(self.folder / RECORD, record)


def _load(path: Path) -> Any:
    return np.load(path, allow_pickle=False)


def _save(path: Path, value: np.ndarray) -> None:
    with files.replacing(path) as temporary, temporary.open("wb") as handle:
        np.save(handle, value, allow_pickle=False)
