"""`vestige.compare`: defenses under the same attacks, on the same coins."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vestige.audits import audit as audits
from vestige.audits.folder import MANIFEST, claimed
from vestige.audits.options import Options, from_keywords
from vestige.audits.preparation import Prepared
from vestige.audits.step import Listener, Step, counted, silent
from vestige.core import files
from vestige.core.errors import InputError
from vestige.core.record import plain
from vestige.defenses.writing import from_text
from vestige.designs.design import Cell, Design, factor
from vestige.designs.disparity import disparity_rows
from vestige.designs.figures import Figures, figures_of
from vestige.designs.measurement import Measures, loss_ranks
from vestige.designs.protection import MeasuredRow, Protection, with_time_ratios
from vestige.designs.run import folder_of, manifest_of, prepared_cell
from vestige.designs.selection import (
    Selection,
    decided,
    reference_data,
    require_regions,
    selected,
    undecided,
)
from vestige.designs.treated import treated_rows
from vestige.designs.tuning import tuned_private
from vestige.models.protected import ALL
from vestige.population import executors
from vestige.population.fit import Progress, fit_all
from vestige.report.protection import render_protection

NONE = "none"
MODELS = 16  # per defense and seed, unless asked otherwise: eight pairs of targets
ATTACKS = ("lira-online-fixed", "rmia-online", "loss")
SEEDS = 3
MEASURES = Measures()


def compare(
    dataset: str = "",
    defenses: Sequence[str] = (),
    *,
    seeds: int = SEEDS,
    distance: bool = True,
    labels: bool = True,
    listener: Listener = silent,
    **options: Any,
) -> Protection:
    """What each defense protects, and at what price: use, attacks, worst case and distance to confident.

    defenses: as written, for example "label_smoothing:0.1+random_crop:4"; "none" is always among them.
    seeds: repetitions, from options["seed"] (0) up; each draws coins that all defenses share.
    distance: measure the distance to confident, the slowest part.
    labels: measure the attack on predicted classes alone and the spread over wrong classes.
    options: any field of `vestige.audits.options.Options` but defense, the same for all.

    With options["canaries"] a DP-SGD tuned for use stands beside the others, unless one of them is DP-SGD.

    A comparison that was interrupted continues where it stopped when called again with the same arguments.
    Raises InputError or RunFolderError before any training if something is wrong with any defense. A defense
    that fails later leaves the others' results intact and is named in `failures` and on the page.
    """
    base = from_keywords({"dataset": dataset, **options}, without=("defense",))
    return run(design_of(base, defenses, seeds), Measures(distance, labels), listener)


def design_of(base: Options, defenses: Sequence[str], seeds: int) -> Design:
    """The grid of defenses and seeds, with the usual size and attacks where nothing else is asked for.

    Raises InputError without defenses or seeds.
    """
    for name in defenses:
        from_text(name)  # what is no text at all is refused here by its type
    if not [name for name in defenses if name != NONE]:
        raise InputError(
            "defense: none is given; name at least one, for example --defense label_smoothing:0.1"
        )
    if seeds < 1:
        raise InputError(f"seeds={seeds} must be at least 1")
    names = tuple(dict.fromkeys((NONE, *defenses)))
    usual = dataclasses.replace(
        base,
        models=base.models or MODELS,
        attack=base.attack or ATTACKS,
        checkpoints=base.checkpoints or 2,
        signals=tuple(dict.fromkeys((*base.signals, "top_confidence"))),
    )
    seed_levels = tuple(range(base.seed, base.seed + seeds))
    return Design(usual, (factor("defense", names), factor("seed", seed_levels)))


def run(design: Design, measures: Measures = MEASURES, listener: Listener = silent) -> Protection:
    """Carry out a comparison in its folder."""
    folder = design.base.out or audits.default_folder(f"{design.base.dataset or 'data'}-defenses")
    cells = _checked(design, folder)  # all of them before anything is trained
    with claimed(folder):
        design, said = _with_private(design, folder, listener)
        cells, choices = _decided(design, folder, cells, listener)
        manifest = {**manifest_of(design), **dataclasses.asdict(measures)}
        files.write_json(folder / MANIFEST, {**manifest, "state": "running"})
        failures = _train(cells, listener)
        rows: list[MeasuredRow] = []
        notes: dict[str, tuple[str, ...]] = dict(said)
        for choice in choices:
            notes[choice.defense] = (*notes.get(choice.defense, ()), choice.note)
        for cell, figures in _measure_all(cells, failures, measures, listener).items():
            if isinstance(figures, Exception):
                failures[cell] = f"{type(figures).__name__}: {figures}"
                continue
            defense = _defense(cell)
            rows += [
                MeasuredRow(
                    defense=defense, seed=_seed(cell), attack=attack, metric=metric, estimate=estimate
                )
                for (attack, metric), estimate in figures.estimates.items()
            ]
            notes[defense] = tuple(dict.fromkeys((*notes.get(defense, ()), *figures.notes)))
        whole = {(_defense(c), _seed(c)): one for c, one in cells.items() if c not in failures}
        rows += treated_rows(whole, (design.base.attack or ATTACKS)[0])
        rows += disparity_rows(whole)
        named = {(_defense(cell), _seed(cell)): why for cell, why in failures.items()}
        found = Protection(with_time_ratios(rows), folder, named, notes)
        _write(found, design, cells)
        audits.finish(folder, manifest)
    return found


def _checked(design: Design, folder: Path) -> dict[Cell, Prepared]:
    """The cells, ready to train; where regions are to be chosen, checked with all of them protected."""
    found: dict[Cell, Prepared] = {}
    for cell in design.cells:
        open_choice = undecided(cell.options.defense)
        if open_choice:
            reference_data(cell.options)
        tried = _with_words(cell, ALL) if open_choice else cell
        found[cell] = prepared_cell(tried, folder / "cells" / cell.folder)
        if open_choice:
            require_regions(found[cell])
    return found


def _decided(
    design: Design, folder: Path, done: Mapping[Cell, Prepared], listener: Listener
) -> tuple[dict[Cell, Prepared], tuple[Selection, ...]]:
    """The cells with the regions that each of them chooses on its own reference data, and the choices."""
    found: dict[Cell, Prepared] = {}
    choices: list[Selection] = []
    for cell in design.cells:
        own = folder / "cells" / cell.folder
        if not undecided(cell.options.defense):
            found[cell] = done.get(cell) or prepared_cell(cell, own)
            continue
        choice = selected(cell.options, folder / "selection" / cell.folder, listener)
        choices.append(choice)
        chosen = _with_words(cell, choice.chosen.words)
        found[chosen] = prepared_cell(chosen, own)
    if choices:
        files.write_json(folder / "selection.json", {"schema_version": 1, "choices": plain(choices)})
    return found, tuple(choices)


def _with_words(cell: Cell, words: str) -> Cell:
    """The cell under its own name, with these regions protected."""
    text = decided(cell.options.defense, words)
    return dataclasses.replace(cell, options=dataclasses.replace(cell.options, defense=text))


def _with_private(
    design: Design, folder: Path, listener: Listener
) -> tuple[Design, dict[str, tuple[str, ...]]]:
    """The design, with canaries and without a DP-SGD one that is tuned beside the others; and what to say."""
    defenses, seeds = (one.levels for one in design.factors)
    if not design.base.canaries or any("dp_sgd" in name for name in defenses):
        return design, {}
    found = tuned_private(design.base, max(seeds) + 1, folder / "tuning", listener)
    wider = Design(design.base, (factor("defense", (*defenses, found.defense)), design.factors[1]))
    return wider, {found.defense: (found.note,)}


def _train(cells: dict[Cell, Prepared], listener: Listener) -> dict[Cell, str]:
    """Train all cells in one pool; where that fails, one after the other, and say which failed and why."""
    total = sum(one.plan.membership.num_models for one in cells.values())

    def report(progress: Progress) -> None:
        listener(Step("train", progress.models_done, progress.models_total, "models", progress.seconds))

    listener(Step("train", 0, total, "models", 0.0))
    try:
        _fit(list(cells.values()), report)
    except InputError:
        raise
    except Exception:
        return _train_apart(cells, report)
    return {}


def _train_apart(cells: dict[Cell, Prepared], report: Any) -> dict[Cell, str]:
    failures: dict[Cell, str] = {}
    for cell, prepared in cells.items():
        try:
            _fit([prepared], report)
        except Exception as error:  # reported with the cell's name
            failures[cell] = f"{type(error).__name__}: {error}"
    return failures


def _fit(prepared: list[Prepared], report: Any) -> None:
    folders = [folder_of(one) for one in prepared]
    fit_all([one.plan for one in prepared], folders, prepared[0].options.jobs, report)


def _measure_all(
    cells: dict[Cell, Prepared], failed: Mapping[Cell, str], measures: Measures, listener: Listener
) -> dict[Cell, Figures | Exception]:
    """Each trained cell's figures, or why there are none, in the order of the cells; one core per cell."""
    todo = [cell for cell in cells if cell not in failed]
    folders = {cell: folder_of(cells[cell]) for cell in todo}
    jobs = next(iter(cells.values())).options.jobs
    found = executors.each(
        _measure,
        [(cell, folders[cell], measures) for cell in todo],
        (jobs or executors.default_jobs()) if _may_leave(cells, jobs) else 1,
    )
    outcomes = {
        cell: figures for (cell, *_), figures in counted(found, "measure", len(todo), "cells", listener)
    }
    return {cell: outcomes[cell] for cell in todo}


def _may_leave(cells: Mapping[Cell, Prepared], jobs: int | None) -> bool:
    """Whether other processes are to open the models."""
    return all(executors.may_leave(one.plan, jobs) for one in cells.values())


def _measure(work: tuple[Cell, Path, Measures]) -> Figures:
    cell, folder, measures = work
    return figures_of(prepared_cell(cell, folder), folder, measures)


def _defense(cell: Cell) -> str:
    return str(dict(cell.levels)["defense"])


def _seed(cell: Cell) -> int:
    return int(dict(cell.levels)["seed"])


def _write(found: Protection, design: Design, cells: dict[Cell, Prepared]) -> None:
    """comparison.parquet, comparison.json and comparison.html, each in one step."""
    folder, table = found.folder, found.table
    with files.replacing(folder / "comparison.parquet") as temporary:
        table.to_parquet(temporary, index=False)
    rows = table.astype(object).where(table.notna(), None).to_dict(orient="records")
    failures = [{"defense": d, "seed": s, "why": why} for (d, s), why in found.failures.items()]
    notes = {defense: list(told) for defense, told in found.notes.items() if told}
    document = {"schema_version": 1, "rows": rows, "failures": failures, "notes": notes}
    files.write_text(folder / "comparison.json", json.dumps(document, indent=1, allow_nan=False) + "\n")
    links = {_defense(cell): f"cells/{cell.folder}/report.html" for cell in reversed(cells)}
    ranks = loss_ranks({(_defense(c), _seed(c)): p for c, p in cells.items() if not _failed(found, c)})
    if ranks is not None:
        with files.replacing(folder / "loss_ranks.parquet") as temporary:
            ranks.table.to_parquet(temporary, index=False)
    headline = (design.base.attack or ATTACKS)[0]
    render_protection(found.summary, headline, found.seeds, ranks, folder / "comparison.html", links)


def _failed(found: Protection, cell: Cell) -> bool:
    return (_defense(cell), _seed(cell)) in found.failures
