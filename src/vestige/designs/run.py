"""`vestige.dynamics`: the cells of a design, trained side by side, and their comparison."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vestige.audits import audit as audits
from vestige.audits.folder import MANIFEST, claimed
from vestige.audits.options import from_keywords
from vestige.audits.preparation import Prepared, prepare
from vestige.audits.step import Listener, Step, silent
from vestige.core import files
from vestige.core.errors import InputError
from vestige.core.record import plain
from vestige.designs.comparison import CellResult, Comparison
from vestige.designs.design import Cell, Design, factors_from, shown
from vestige.population.fit import Progress, fit_all
from vestige.report.comparison import ComparedCell, render_comparison
from vestige.risk.result import AuditResult, from_json


def dynamics(
    dataset: str = "",
    *,
    vary: Mapping[str, Sequence[Any]] | None = None,
    listener: Listener = silent,
    **options: Any,
) -> Comparison:
    """How membership comes to be encoded over training, under each condition of a design.

    dataset: a name, a file or "package.module:function"; or vary it.
    vary: options and their levels, for example {"optimizer": ["sgd", "sam"], "model": ["mlp", "linear"]};
      the cells are their full crossing. Without it there is one cell.
    listener: called with a Step at every sign of life.
    options: any field of `vestige.audits.options.Options`, the same in all cells.

    A design that was interrupted continues where it stopped when called again with the same arguments.
    Raises InputError or RunFolderError before any training if something is wrong with any cell.
    """
    base = from_keywords({"dataset": dataset, **options})
    return run(Design(base, factors_from(vary or {})), listener)


def run(design: Design, listener: Listener = silent) -> Comparison:
    """Carry out a design in its folder: every check, then all training in one pool, then each cell."""
    cells = design.cells
    folder = design.base.out or audits.default_folder(f"{design.base.dataset or 'data'}-dynamics")
    prepared = [prepared_cell(cell, folder / "cells" / cell.folder) for cell in cells]
    with claimed(folder):
        manifest = manifest_of(design)
        files.write_json(folder / MANIFEST, {**manifest, "state": "running"})
        _train(prepared, listener)
        found = Comparison(
            tuple(_result(cell, one, listener) for cell, one in zip(cells, prepared, strict=True)), folder
        )
        _write(found, folder)
        audits.finish(folder, manifest)
    return found


def python_call(design: Design) -> str:
    """The call from Python that repeats the design."""
    levels = {factor.option: list(factor.levels) for factor in design.factors}
    base = audits.python_call(design.base).removeprefix("vestige.audit(").removesuffix(")")
    return (
        f"vestige.dynamics({base.replace('dataset,', '') if levels.get('dataset') else base}, vary={levels})"
    )


def prepared_cell(cell: Cell, folder: Path) -> Prepared:
    """The cell's audit, ready to run in its folder. Raises InputError that names the cell."""
    options = dataclasses.replace(cell.options, out=folder)
    if not options.dataset:
        raise InputError("dataset='' is missing; name one, or vary it: dataset=digits,wine")
    try:
        return prepare(options)
    except InputError as error:
        raise InputError(f"cell {cell.name}: {error}") from error


def _train(prepared: Sequence[Prepared], listener: Listener) -> None:
    total = sum(one.plan.membership.num_models for one in prepared)
    folders = [folder_of(one) for one in prepared]

    def report(progress: Progress) -> None:
        listener(Step("train", progress.models_done, progress.models_total, "models", progress.seconds))

    listener(Step("train", 0, total, "models", 0.0))
    fitted = fit_all([one.plan for one in prepared], folders, prepared[0].options.jobs, report)
    trained = sum(one.trained for one in fitted)
    listener(Step("train" if trained else "reuse", total, total, "models", fitted[0].seconds))


def _result(cell: Cell, prepared: Prepared, listener: Listener) -> CellResult:
    folder = folder_of(prepared)
    found = finished(prepared, folder)
    if found is None:

        def named(step: Step) -> None:
            listener(dataclasses.replace(step, stage=f"{cell.name}: {step.stage}"))

        found = audits.run(prepared, named).result
    return CellResult(name=cell.name, levels=cell.levels, result=found, folder=folder)


def finished(prepared: Prepared, folder: Path) -> AuditResult | None:
    """The result of a cell that an earlier call finished under the same manifest; None if there is none."""
    try:
        written = json.loads((folder / MANIFEST).read_text())
        expected = json.loads(json.dumps(audits.manifest_of(prepared)))
        if written.get("state") != "done" or asked(written) != asked({**written, **expected}):
            return None
        return from_json((folder / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError):  # no finished cell of this design is there
        return None


def asked(manifest: dict[str, Any]) -> dict[str, Any]:
    """A run's manifest without what changes no figure: where files lie, and how many processes worked."""
    options = {k: v for k, v in manifest["options"].items() if k not in ("jobs", "out", "data_dir")}
    return {**manifest, "options": options}


def folder_of(prepared: Prepared) -> Path:
    """The run folder of a cell, which `prepared_cell` has set."""
    folder = prepared.options.out
    assert folder is not None
    return folder


def manifest_of(design: Design) -> dict[str, Any]:
    """What a design was asked to do, as its manifest holds it."""
    return {
        "tool": "vestige",
        "design": {factor.option: [shown(level) for level in factor.levels] for factor in design.factors},
        "options": plain({k: str(v) if isinstance(v, Path) else v for k, v in vars(design.base).items()}),
    }


def _write(found: Comparison, folder: Path) -> None:
    """comparison.parquet, curves.parquet, comparison.json and comparison.html, each in one step."""
    for name, frame in (("comparison", found.table), ("curves", found.curves)):
        with files.replacing(folder / f"{name}.parquet") as temporary:
            frame.to_parquet(temporary, index=False)
    rows = found.table.astype(object).where(found.table.notna(), None).to_dict(orient="records")
    files.write_json(folder / "comparison.json", {"schema_version": 1, "rows": rows})
    shown_cells = tuple(
        ComparedCell(name=cell.name, result=cell.result, link=f"cells/{cell.folder.name}/report.html")
        for cell in found.cells
    )
    render_comparison(shown_cells, folder / "comparison.html")
