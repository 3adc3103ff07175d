"""What the probes found, kept in the folder so that trained models are probed once."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vestige.core import files
from vestige.core.record import content_hash
from vestige.localization.localization import RegionRow
from vestige.localization.populations import Populations
from vestige.risk.estimate import Estimate

FILE = "probes.json"
FORMAT = 2  # raised whenever the same models would be probed otherwise


@dataclass(frozen=True, eq=False)
class Probed:
    """The figures of all probes, and the seconds that each took."""

    rows: tuple[RegionRow, ...]
    seconds: Mapping[str, float]


def probed(prepared: Populations, folder: Path, probe: Callable[[], Probed]) -> Probed:
    """What is on record in the folder of these very populations, or else what `probe` finds now."""
    key = _key(prepared)
    stored = _stored(folder, key)
    if stored is not None:
        return stored
    found = probe()
    files.write_text(folder / FILE, json.dumps(_document(found, key), indent=1) + "\n")
    return found


def _key(prepared: Populations) -> str:
    regions = [[region.name, list(region.parameters), list(region.buffers)] for region in prepared.regions]
    return content_hash([FORMAT, regions, list(prepared.epochs), [one.plan.key for one in prepared.all]])


def _stored(folder: Path, key: str) -> Probed | None:
    """The figures in the folder; None where there are none, or of something else."""
    try:
        written = json.loads((folder / FILE).read_text(encoding="utf-8"))
        if written["key"] != key:
            return None
        return Probed(tuple(_row(**row) for row in written["rows"]), dict(written["seconds"]))
    except (OSError, ValueError, KeyError, TypeError):  # nothing that this format wrote is there
        return None


def _row(probe: str, words: str, metric: str, estimate: dict[str, Any]) -> RegionRow:
    return RegionRow(probe=probe, words=words, metric=metric, estimate=Estimate(**estimate))


def _document(found: Probed, key: str) -> dict[str, Any]:
    rows = [asdict(row) for row in found.rows]
    return {"schema_version": 1, "key": key, "rows": rows, "seconds": dict(found.seconds)}
