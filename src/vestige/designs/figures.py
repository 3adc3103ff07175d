"""What was measured of one cell of a comparison, kept in its folder so that it is measured once."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vestige.audits import audit as audits
from vestige.audits.preparation import Prepared
from vestige.core import files
from vestige.core.record import content_hash, plain
from vestige.designs.measurement import Measures, measured, notes_of
from vestige.designs.run import asked, finished
from vestige.report.protection_figures import Key
from vestige.risk.estimate import Estimate

FILE = "figures.json"
FORMAT = 1  # raised whenever the same models would be measured otherwise


@dataclass(frozen=True, eq=False)
class Figures:
    """By (attack, metric) what was measured, and what to say of it."""

    estimates: Mapping[Key, Estimate]
    notes: tuple[str, ...]


def figures_of(prepared: Prepared, folder: Path, measures: Measures) -> Figures:
    """The figures of a trained cell: those in its folder, or measured now where none are of this design."""
    result = finished(prepared, folder)
    key = content_hash([FORMAT, asked(audits.manifest_of(prepared)), plain(measures)])
    if result is not None and (stored := _stored(folder, key)) is not None:
        return stored
    result = result or audits.run(prepared).result
    found = Figures(measured(prepared, result, folder, measures), notes_of(prepared))
    files.write_text(folder / FILE, json.dumps(_document(found, key), indent=1) + "\n")
    return found


def _stored(folder: Path, key: str) -> Figures | None:
    """The figures in the folder; None where there are none, or of something else."""
    try:
        written = json.loads((folder / FILE).read_text(encoding="utf-8"))
        if written["key"] != key:
            return None
        rows = {(r["attack"], r["metric"]): Estimate(**r["estimate"]) for r in written["rows"]}
        return Figures(rows, tuple(written["notes"]))
    except (OSError, ValueError, KeyError, TypeError):  # nothing that this format wrote is there
        return None


def _document(found: Figures, key: str) -> dict[str, Any]:
    rows = [
        {"attack": attack, "metric": metric, "estimate": asdict(estimate)}
        for (attack, metric), estimate in found.estimates.items()
    ]
    return {"schema_version": 1, "key": key, "rows": rows, "notes": list(found.notes)}
