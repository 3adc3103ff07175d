"""A finished audit, opened with its models: what `vestige explain` looks at."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float64, Int64
from torch import nn

from vestige.audits.information import scores_in
from vestige.audits.opened import opened
from vestige.audits.options import Options, from_keywords
from vestige.audits.preparation import Prepared, prepare
from vestige.core.errors import InputError
from vestige.core.record import plain
from vestige.population.plan import Plan
from vestige.population.recorded import Recorded, recorded
from vestige.population.store import Store
from vestige.signals.source import read
from vestige.training.engine import Material
from vestige.training.recipe import Recipe

Grid = Float64[np.ndarray, "models samples"]


@dataclass(frozen=True, eq=False)
class OpenedRun:
    """The run in this folder: what it prepared, what it recorded, and its models."""

    folder: Path
    prepared: Prepared
    past: Recorded
    store: Store

    @property
    def plan(self) -> Plan:
        """The plan that was carried out."""
        return self.prepared.plan

    @cached_property
    def material(self) -> Material:
        """The data set on the device."""
        return Material.of(self.plan.dataset, torch.device(self.plan.device))

    def modules(self, models: Iterable[int]) -> Iterator[tuple[int, nn.Module]]:
        """Each model with its number, in evaluation mode, while the loop has it.

        Raises InputError for a model whose weights are not on disk.
        """
        chosen = tuple(models)
        for model in chosen:
            self._need_weights(model)
        return opened(self.plan, self.store, self.material, chosen)

    def values(self, signal: str, checkpoint: int = -1) -> Grid:
        """A signal of every model at a checkpoint, mean over a record's queries."""
        last = len(self.past.epochs) - 1 if checkpoint < 0 else checkpoint
        models = range(self.plan.membership.num_models)
        return np.stack([read(self.past.signals, signal, model, last).mean(1) for model in models])

    def trace(self, signal: str, model: int) -> Float64[np.ndarray, "checkpoints samples"]:
        """A signal of one model at every checkpoint, mean over a record's queries."""
        rows = range(len(self.past.epochs))
        return np.stack([read(self.past.signals, signal, model, row).mean(1) for row in rows]).astype(float)

    def scores(self, attack: str) -> Grid:
        """An attack's scores at the last checkpoint."""
        return scores_in(self.folder, self.plan.membership)(attack)

    @cached_property
    def plane(self) -> tuple[Float64[np.ndarray, "checkpoints samples"], ...]:
        """FPR and TPR of each sample at each checkpoint."""
        table = pd.read_parquet(self.folder / "plane.parquet", columns=["fpr", "tpr"])
        shape = (-1, self.plan.dataset.num_samples)
        return tuple(table[name].to_numpy(np.float64).reshape(shape) for name in ("fpr", "tpr"))

    @property
    def labels(self) -> Int64[np.ndarray, "samples"]:
        """The labels that the models were trained on."""
        return np.asarray(self.plan.dataset.targets, np.int64)

    def _need_weights(self, model: int) -> None:
        if not self.store.has_weights(model):
            raise InputError(
                f"{self.folder} has no saved weights of model {model}, which is opened again; keep "
                f"{self.store.folder.relative_to(self.folder)}/weights, or give the audit's command again, "
                "which trains and saves what is missing"
            )


def open_run(
    folder: Path,
    dataset: Any = None,
    model: Any = None,
    recipe: Recipe | None = None,
    data_dir: Path | None = None,
) -> OpenedRun:
    """The finished run in this folder.

    dataset, model, recipe: what the audit was given from Python in place of names. data_dir: where official
      files lie now, if elsewhere.

    Raises InputError for a folder without a finished run of models, and where data or recipe are not those of
    the run.
    """
    past = recorded(folder)
    if not (folder / "summary.json").is_file():
        raise InputError(f"{folder} has no summary.json: its audit did not finish; give its command again")
    prepared = prepare(_options(folder, past, dataset, data_dir), dataset, model, recipe)
    _check_same(folder, past, prepared)
    return OpenedRun(folder, prepared, past, Store.of(prepared.plan, folder))


def _options(folder: Path, past: Recorded, dataset: Any, data_dir: Path | None) -> Options:
    manifest = past.manifest
    given: dict[str, Any] = {name: value for name, value in manifest["options"].items() if name != "type"}
    if not given.get("dataset") and dataset is None:
        raise InputError(
            f"{folder}: its data set was given from Python; give the same to "
            f"vestige.explain({str(folder)!r}, dataset=...)"
        )
    given |= {"device": manifest["device"], "engine": manifest["engine"]["engine"]}
    if data_dir is not None:
        given["data_dir"] = data_dir
    return from_keywords(given)


def _check_same(folder: Path, past: Recorded, prepared: Prepared) -> None:
    """A content key vouches for data, recipe, coins' seed and the source of a user's own model."""
    plan, manifest = prepared.plan, past.manifest
    same_coins = np.array_equal(plan.membership.mask, past.membership.mask)
    if plan.key == manifest["population"] and same_coins:
        return
    if plan.dataset.fingerprint() != manifest["dataset"]["hash"]:
        raise InputError(
            f"{folder}: the data set {plan.dataset.name} is not the one that was audited; give the same data"
        )
    if plain(plan.recipe) != manifest["recipe"]:
        raise InputError(
            f"{folder}: the recipe is not the one that was audited; where model or recipe were given from "
            "Python, give the same to vestige.explain"
        )
    raise InputError(
        f"{folder}: the model's source or the coins are not those of the run; audit again, then explain"
    )
