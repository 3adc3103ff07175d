"""`vestige.leakage_sweep`: leakage of linear models in nats, over sizes, weights, noise and features."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from vestige.audits.audit import default_folder, finish
from vestige.audits.folder import MANIFEST, claimed
from vestige.audits.step import Listener, counted, silent
from vestige.core import files
from vestige.core.record import content_hash, plain
from vestige.data import python_source, sources
from vestige.designs.design import shown
from vestige.designs.linear_records import LinearRecords, linear_records
from vestige.designs.linear_task import LinearTask
from vestige.designs.sweep_design import SweepCell, SweepDesign, design_of
from vestige.designs.sweep_page import sweep_page
from vestige.designs.sweep_slopes import slopes
from vestige.leakage.leakage import Leakage
from vestige.leakage.logistic_regression import logistic
from vestige.leakage.ridge_regression import ridge
from vestige.leakage.shift import gaussian_tpr
from vestige.leakage.softmax_regression import softmax
from vestige.report.leakage_sweep import render_sweep

FORMAT = 1  # raised when the same options would give other figures
FPRS = (0.01, 0.001)
QUANTITIES = (
    "kl", "kl_reverse", "jeffreys", "mutual_information", "mutual_information_bound", "advantage",
    *(f"tpr@{fpr:g}" for fpr in FPRS),
)  # fmt: skip
STATISTICS: dict[str, Callable[[np.ndarray], float]] = {
    "mean": lambda v: float(v.mean()),
    "max": lambda v: float(v.max()),
    **{f"q{level}": (lambda v, level=level: float(np.quantile(v, level / 100))) for level in (50, 90, 99)},
}


@dataclass(frozen=True, eq=False)
class LeakageSweep:
    """What a sweep gave, in nats.

    table: one row per cell, seed, quantity and statistic over records: a column per varied option, seed,
    quantity, statistic, value. slopes: the powers with which leakage follows each option that is a number.
    records: one row per record and cell: cell, record (row of the user's file), kl, ... report: the page.
    """

    design: SweepDesign
    table: pd.DataFrame
    slopes: pd.DataFrame
    records: pd.DataFrame
    folder: Path

    @property
    def report(self) -> Path:
        """The page."""
        return self.folder / "leakage.html"


def leakage_sweep(
    dataset: Any,
    *,
    vary: Mapping[str, Sequence[Any]] | None = None,
    seeds: int | None = None,
    out: str | Path | None = None,
    data_dir: str | Path | None = None,
    label: str | None = None,
    bits: bool = False,
    listener: Listener = silent,
    **options: Any,
) -> LeakageSweep:
    """The leakage of a linear model's records in nats, under each condition of a sweep.

    dataset: a name, a file, "package.module:function", or anything that holds samples and labels.
    vary: options and their levels, for example {"size": [40, 80, 160]}; the cells are their full crossing.
    seeds: repetitions, each with other random records. bits: show bits on the page.
    options: any field of `vestige.designs.linear_task.LinearTask`, the same in all cells; one of sigma,
    epsilon and temperature must be given or vary.

    Called again with the same folder, only cells that are new are measured. Raises InputError before any
    work if something is wrong with any cell.
    """
    given = sources.load(dataset, _path(data_dir), label=label) if isinstance(dataset, str) else dataset
    data = python_source.from_object(given, label=label)
    return run(design_of(data, options, vary or {}, seeds), _path(out), bits, listener)


def run(
    design: SweepDesign, out: Path | None = None, bits: bool = False, listener: Listener = silent
) -> LeakageSweep:
    """Carry out a sweep in its folder."""
    folder = out or default_folder(f"{design.dataset.name}-leakage")
    cells = design.cells
    with claimed(folder):
        manifest = manifest_of(design)
        files.write_json(folder / MANIFEST, {**manifest, "state": "running"})
        records = _measured(design, folder, listener)
        table = pd.DataFrame([row for cell in cells for row in _rows(cell, records[key_of(design, cell)])])
        joined = pd.concat([records[key_of(design, cell)] for cell in cells], ignore_index=True)
        found = LeakageSweep(design, table, slopes(table, design.factors), joined, folder)
        _write(found, bits)
        finish(folder, manifest)
    return found


def key_of(design: SweepDesign, cell: SweepCell) -> str:
    """What a cell's figures depend on, as a hash."""
    return content_hash((FORMAT, design.dataset.fingerprint(), cell.task))


def measure(task: LinearTask, records: LinearRecords) -> Leakage:
    """The leakage of the task's records, drawn and with features."""
    taken = records.first(task.size)
    randomness = task.randomness(len(taken.labels))
    if task.model == "ridge":
        return ridge(taken.inputs, taken.signs, task.weight, randomness)
    method = task.method or "alo"
    if task.model == "logistic":
        return logistic(taken.inputs, taken.signs, task.weight, randomness, method)
    return softmax(taken.inputs, taken.labels, task.weight, randomness, method)


def _measured(design: SweepDesign, folder: Path, listener: Listener) -> dict[str, pd.DataFrame]:
    """The records of every cell; those of an earlier call are kept, also when this one is interrupted."""
    path = folder / "records.parquet"
    kept = _earlier(path)
    todo = [cell for cell in design.cells if key_of(design, cell) not in kept]
    try:
        for cell, leakage, ids in counted(_each(design, todo), "measure", len(todo), "cells", listener):
            key = key_of(design, cell)
            kept[key] = _frame(key, leakage, ids)
    finally:
        if kept:
            with files.replacing(path) as temporary:
                pd.concat(kept.values(), ignore_index=True).to_parquet(temporary, index=False)
    return kept


def _each(design: SweepDesign, todo: list[SweepCell]) -> Iterator[tuple[SweepCell, Leakage, np.ndarray]]:
    """Each cell with its leakage and the ids of its records; features are made once per kind and seed."""

    def shared(cell: SweepCell) -> tuple[int, str]:
        return cell.task.seed, cell.task.features

    for (seed, features), cells in itertools.groupby(sorted(todo, key=shared), key=shared):
        records = linear_records(design.dataset, features, seed)
        for cell in cells:
            yield cell, measure(cell.task, records), records.first(cell.task.size).ids


def _frame(key: str, leakage: Leakage, ids: np.ndarray) -> pd.DataFrame:
    """One row per record, with all quantities in nats."""
    tpr = {f"tpr@{fpr:g}": _best_tpr(leakage, fpr) for fpr in FPRS}
    values = {name: tpr[name] if name in tpr else getattr(leakage, name) for name in QUANTITIES}
    return pd.DataFrame({"cell": key, "record": ids, **values})


def _best_tpr(leakage: Leakage, fpr: float) -> np.ndarray:
    """Of the best attack where the laws are known, else the most that the divergences allow."""
    return leakage.tpr_bound(fpr) if leakage.shift is None else gaussian_tpr(leakage.shift, fpr)


def _earlier(path: Path) -> dict[str, pd.DataFrame]:
    try:
        found = pd.read_parquet(path)
        return {str(key): frame for key, frame in found.groupby("cell", sort=False)}
    except (OSError, ValueError, KeyError):  # nothing usable is there
        return {}


def _rows(cell: SweepCell, records: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {
            **dict(cell.levels),
            "seed": cell.task.seed,
            "quantity": quantity,
            "statistic": statistic,
            "value": of(records[quantity].to_numpy(np.float64)),
        }
        for quantity in QUANTITIES
        for statistic, of in STATISTICS.items()
    ]


def manifest_of(design: SweepDesign) -> dict[str, Any]:
    """What a sweep was asked to do, as its manifest holds it."""
    return {
        "tool": "vestige",
        "sweep": {factor.option: [shown(level) for level in factor.levels] for factor in design.factors},
        "dataset": {"name": design.dataset.name, "fingerprint": design.dataset.fingerprint()},
        "task": plain(design.base),
    }


def _write(found: LeakageSweep, bits: bool) -> None:
    """sweep.parquet, sweep.json and leakage.html, each in one step."""
    with files.replacing(found.folder / "sweep.parquet") as temporary:
        found.table.to_parquet(temporary, index=False)
    document = {
        "schema_version": 1,
        "unit": "nats",
        "dataset": found.design.dataset.name,
        "cells": [_told(found.design, cell) for cell in found.design.cells],
        "slopes": _plain_rows(found.slopes),
        "table": _plain_rows(found.table),
    }
    files.write_json(found.folder / "sweep.json", document)
    render_sweep(sweep_page(found.design, found.table, bits), found.report)


def _told(design: SweepDesign, cell: SweepCell) -> dict[str, Any]:
    count = design.records_of(cell.task)
    return {
        "cell": key_of(design, cell),
        "records": count,
        "kind": cell.task.kind,
        "task": plain(cell.task),
        "randomness": plain(cell.task.randomness(count)),
    }


def _plain_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    known = frame.replace([np.inf, -np.inf], np.nan)
    return known.astype(object).where(known.notna(), None).to_dict(orient="records")


def _path(given: str | Path | None) -> Path | None:
    return None if given is None else Path(given)
