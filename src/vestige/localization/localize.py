"""`vestige.localize`: where in a network privacy risk and generalization live."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from vestige.audits.audit import default_folder, finish
from vestige.audits.folder import MANIFEST, claimed
from vestige.audits.options import from_keywords
from vestige.audits.step import Listener, silent
from vestige.core import files
from vestige.core.errors import InputError
from vestige.core.record import plain
from vestige.designs.run import folder_of
from vestige.designs.target_figures import TargetFigures
from vestige.localization import request as requests
from vestige.localization.localization import (
    RETRAINING,
    REWINDING,
    ROUTING,
    WEIGHTS,
    Localization,
    Part,
)
from vestige.localization.page import page_of
from vestige.localization.populations import Populations, populations, seconds, trained
from vestige.localization.probed import Probed, probed
from vestige.localization.probes import rewinding_rows, trained_rows, weight_rows
from vestige.localization.request import DEFENSE, Request
from vestige.localization.rewinding import rewound_figures
from vestige.localization.weights import region_scores
from vestige.models.protected import protected
from vestige.population.store import Store
from vestige.report.region_page import render_regions

Value = TypeVar("Value")


def localize(
    dataset: str = "",
    defense: str = DEFENSE,
    *,
    grain: str = "stage",
    rewind: Sequence[int | float] | None = None,
    regions: str | Path | None = None,
    listener: Listener = silent,
    **options: Any,
) -> Localization:
    """Where privacy risk and generalization live in a network: by rewinding, retraining, routing, weights.

    defense: of the loss (or dp_sgd), that regions learn from. grain: of inferred regions, "stage" or "block".
    regions: a TOML file with regions of the user's own, in lines such as head = ["fc"].
    rewind: shares of training that regions are set back to; 0, 0.05 and 0.15 unless given.
    options: any field of `vestige.audits.options.Options` but defense, attack and regions (of the plane); 8
      models unless asked for.

    A localization that was interrupted continues where it stopped when called again with the same arguments.
    Raises InputError or RunFolderError before any training if something is wrong.
    """
    base = from_keywords({"dataset": dataset, **options}, without=("defense",))
    own = None if regions is None else Path(regions)
    rewound = requests.rewinds(rewind)
    return run(Request(base=base, defense=defense, grain=grain, rewind=rewound, regions=own), listener)


def run(request: Request, listener: Listener = silent) -> Localization:
    """Carry out a request in its folder: every check, then all training in one pool, then the probes."""
    if not request.base.dataset:
        raise InputError("dataset='' is missing; name one, for example: vestige localize digits")
    folder = request.base.out or default_folder(f"{request.base.dataset}-regions")
    prepared = populations(request, folder / "populations")
    with claimed(folder):
        manifest = _manifest(request)
        files.write_json(folder / MANIFEST, {**manifest, "state": "running"})
        found = _localized(request, prepared, folder, listener)
        _write(found, request, prepared)
        finish(folder, manifest)
    return found


def _localized(request: Request, prepared: Populations, folder: Path, listener: Listener) -> Localization:
    figures = trained(prepared, request.base.jobs, listener)
    found = probed(prepared, folder, lambda: _probed(prepared, figures, listener))
    names = (region.name for region in prepared.regions)
    sizes = zip(names, prepared.sizes, strict=True)
    return Localization(
        defense=request.defense,
        regions=tuple(Part(name=name, parameters=size) for name, size in sizes),
        candidates={words: _meant(prepared, words) for words in prepared.routed},
        rows=found.rows,
        folder=folder,
        notes=_notes(request),
        seconds=found.seconds,
    )


def _probed(prepared: Populations, figures: Mapping[str, TargetFigures], listener: Listener) -> Probed:
    plan = prepared.plain.plan
    store = Store.of(plan, folder_of(prepared.plain))
    rewound, rewinding = _timed(
        lambda: rewound_figures(plan, store, prepared.regions, prepared.epochs, listener)
    )
    scores, scoring = _timed(lambda: region_scores(plan, store, prepared.regions, listener))
    names = tuple(region.name for region in prepared.regions)
    rows = (*rewinding_rows(rewound), *trained_rows(figures), *weight_rows(scores, names))
    took = {
        REWINDING: rewinding,
        RETRAINING: seconds(prepared.retrained.values()),
        WEIGHTS: scoring,
        ROUTING: seconds(prepared.routed.values()),
    }
    return Probed(tuple(sorted(rows, key=lambda row: row.probe == ROUTING)), took)


def _meant(prepared: Populations, words: str) -> tuple[str, ...]:
    return tuple(region.name for region in protected(prepared.regions, (words,)))


def _notes(request: Request) -> tuple[str, ...]:
    if not request.is_private:
        return ()
    return (
        "Regions were not retrained: in a second phase alone, noise would protect nothing.",
        "Noise in some regions only gives no bound on what the whole model tells.",
    )


def _manifest(request: Request) -> dict[str, Any]:
    shown = {k: str(v) if isinstance(v, Path) else v for k, v in vars(request.base).items()}
    asked: dict[str, Any] = {
        "defense": request.defense,
        "grain": request.grain,
        "rewind": request.rewind,
    }
    if request.partition:
        asked["regions"] = dict(request.partition)
    return {"tool": "vestige", "localize": plain(asked), "options": plain(shown)}


def _write(found: Localization, request: Request, prepared: Populations) -> None:
    """regions.parquet, localization.json and report.html, each in one step."""
    with files.replacing(found.folder / "regions.parquet") as temporary:
        found.table.to_parquet(temporary, index=False)
    files.write_text(
        found.folder / "localization.json", json.dumps(_document(found), indent=1, allow_nan=False) + "\n"
    )
    render_regions(page_of(found, request, prepared), found.report)


def _document(found: Localization) -> dict[str, Any]:
    rows = [
        {"probe": row.probe, "words": row.words, "metric": row.metric, **vars(row.estimate)}
        for row in found.rows
    ]
    return {
        "schema_version": 2,
        "defense": found.defense,
        "regions": [vars(region) for region in found.regions],
        "candidates": {words: list(names) for words, names in found.candidates.items()},
        "rows": rows,
        "ranks": {
            probe: dict(zip(found.names, found.ranks[probe].tolist(), strict=True)) for probe in found.probes
        },
        "risky": {probe: list(found.risky(probe)) for probe in found.probes},
        "best": found.best,
        "agreement": found.sentence,
        "notes": list(found.notes),
    }


def _timed(work: Callable[[], Value]) -> tuple[Value, float]:
    start = time.perf_counter()
    return work(), time.perf_counter() - start
