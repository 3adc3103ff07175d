"""A population on disk: one file for each model and signal, weights beside, and a record that vouches.

    signals/KEY/NAME/model-00007.npy       [checkpoints samples augmentations], open with numpy.load
    signals/KEY/weights/model-00007.safetensors
    signals/KEY/seconds/model-00007.json   what it took of a processor; alone differs from run to run
    signals/KEY/membership.npy             [models samples] bool, who trained on what
    signals/KEY/model-00007.json           written last: the task's key and the digest of every file

A model counts as trained only if its record carries the key of its task and every digest agrees.
"""

import json
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Shaped
from safetensors.torch import load_file, save_file
from torch import Tensor

from vestige.core import files
from vestige.population.plan import Plan, Task
from vestige.training.engine import Trained

SCRATCH = ".training-"


@dataclass(frozen=True)
class Store:
    """The folder of one population."""

    folder: Path

    @classmethod
    def of(cls, plan: Plan, run_folder: Path) -> "Store":
        """The population's folder within a run folder."""
        return cls(run_folder / "signals" / plan.key[:16])

    def save(self, task: Task, trained: Trained, seconds: float = 0.0) -> None:
        """Write a model's files, each in one step, and its record last.

        seconds: of a processor, that training and measuring the model took.
        """
        written = [self._save_signal(trained.model, name, value) for name, value in trained.signals.items()]
        written.append(self._save_weights(trained.model, trained.weights))
        digests = {str(path.relative_to(self.folder)): files.file_digest(path) for path in written}
        files.write_json(self._seconds_path(trained.model), round(seconds, 4))
        files.write_json(self._record_path(trained.model), {"key": task.key, "files": digests})

    @contextmanager
    def scratch(self) -> Generator[Path]:
        """A folder beside the models for what a task needs while it trains; it goes with all it holds."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            prefix=SCRATCH, dir=self.folder, ignore_cleanup_errors=True
        ) as folder:
            yield Path(folder)

    def clear(self) -> None:
        """Remove what tasks that were killed have left; nobody may be training here."""
        for leftover in self.folder.glob(f"{SCRATCH}*"):
            shutil.rmtree(leftover, ignore_errors=True)

    def state(self, task: Task, model: int) -> str:
        """ "whole", "absent" (never finished, or of another plan) or "damaged" (its files disagree)."""
        try:
            record = json.loads(self._record_path(model).read_text())
            if record["key"] != task.key:
                return "absent"
            whole = all(self._agrees(name, digest) for name, digest in record["files"].items())
        except FileNotFoundError:
            return "absent"
        except (ValueError, KeyError, TypeError, AttributeError):
            return "damaged"
        return "whole" if whole else "damaged"

    def signal(self, name: str, model: int) -> Shaped[np.ndarray, "checkpoints samples augmentations"]:
        """A model's signal, mapped from disk."""
        return np.load(self._signal_path(name, model), mmap_mode="r", allow_pickle=False)

    def weights(self, model: int) -> dict[str, Tensor]:
        """A model's final weights by parameter name."""
        return load_file(self._weights_path(model))

    def has_weights(self, model: int) -> bool:
        """Whether a model's final weights are on disk."""
        return self._weights_path(model).is_file()

    def save_membership(self, mask: Bool[np.ndarray, "models samples"]) -> None:
        """Write the coins beside the signals, in one step."""
        self._save_array(self.folder / "membership.npy", mask)

    def seconds(self, model: int) -> float:
        """What training and measuring a model took of a processor; NaN where it is not on record."""
        path = self._seconds_path(model)
        return float(json.loads(path.read_text())) if path.is_file() else float("nan")

    def _agrees(self, name: str, digest: str) -> bool:
        path = self.folder / name
        return path.is_file() and files.file_digest(path) == digest

    def _save_signal(self, model: int, name: str, value: np.ndarray) -> Path:
        return self._save_array(self._signal_path(name, model), value)

    def _save_array(self, path: Path, value: np.ndarray) -> Path:
        with files.replacing(path) as temporary, temporary.open("wb") as handle:
            np.save(handle, value, allow_pickle=False)
        return path

    def _save_weights(self, model: int, weights: dict[str, Any]) -> Path:
        path = self._weights_path(model)
        with files.replacing(path) as temporary:
            save_file(_apart(weights), temporary)
        return path

    def _signal_path(self, name: str, model: int) -> Path:
        return self.folder / name / f"model-{model:05d}.npy"

    def _weights_path(self, model: int) -> Path:
        return self.folder / "weights" / f"model-{model:05d}.safetensors"

    def _seconds_path(self, model: int) -> Path:
        return self.folder / "seconds" / f"model-{model:05d}.json"

    def _record_path(self, model: int) -> Path:
        return self.folder / f"model-{model:05d}.json"


def _apart(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights with a copy of its own for each further name of a tied one: files know no sharing.

    Reopened, each name is read into the tied tensor, which they agree on.
    """
    known: set[int] = set()
    found: dict[str, Tensor] = {}
    for name, value in weights.items():
        memory = value.untyped_storage().data_ptr()
        found[name] = value.clone() if memory in known and value.numel() else value
        known.add(memory)
    return found


class StoredSignals:
    """The signals of a whole population, opened a model at a time (a `SignalSource`)."""

    def __init__(self, store: Store, names: tuple[str, ...], num_models: int) -> None:
        self._store, self._names, self._num_models = store, names, num_models
        self._row_shape = store.signal(names[0], 0).shape

    @property
    def names(self) -> tuple[str, ...]:
        """The signals on record."""
        return self._names

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(models, checkpoints, samples, augmentations)."""
        checkpoints, samples, augmentations = self._row_shape
        return self._num_models, checkpoints, samples, augmentations

    def row(self, name: str, model: int, checkpoint: int) -> Shaped[np.ndarray, "samples augmentations"]:
        """One signal of one model at one checkpoint, read from disk."""
        return np.asarray(self._store.signal(name, model)[checkpoint])
