"""Membership information leakage (Farokhi and Kaafar 2020, arXiv 2001.10648), run again on linear models.

Only the abstract of the paper was at hand: its claims are directions and one rate, without figures, and the
threat model and formulas here are a reconstruction. Where the claims end is measured too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from vestige.audits.step import Listener, Step, silent
from vestige.core import check, files
from vestige.core.errors import unknown_name
from vestige.studies.finding import Finding
from vestige.studies.information_claims import CLAIMS
from vestige.studies.information_layers import last_layers
from vestige.studies.information_prediction import attacks_on_predictions
from vestige.studies.information_sensitivity import sensitivities
from vestige.studies.information_sweeps import complexities, expansions, noises, sizes, weights

TITLE = "Membership information leakage"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How large the study is: repetitions with other random records, and which parts (None for all)."""

    out: Path
    data_dir: Path | None = None
    seeds: int = 3
    parts: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        check.at_least("seeds", self.seeds, 2)


Part = Callable[[Settings, Path], pd.DataFrame]
PARTS: dict[str, tuple[Part, ...]] = {
    "size": (lambda s, out: sizes(s.seeds, out),),
    "weight": (lambda s, out: weights(s.seeds, out),),
    "sensitivity": (lambda s, _: sensitivities(s.seeds),),
    "complexity": (lambda s, out: complexities(s.seeds, out),),
    "noise": (lambda s, out: noises(s.seeds, out),),
    "limits": (
        lambda s, out: expansions(s.seeds, out),
        lambda s, _: attacks_on_predictions(s.seeds),
    ),
    "last layer": (lambda s, out: last_layers(s.seeds, out, s.data_dir),),
}


def parts(settings: Settings) -> dict[str, tuple[Part, ...]]:
    """The chosen parts by name. Raises InputError for one that does not exist."""
    for name in settings.parts or ():
        if name not in PARTS:
            raise unknown_name("part", name, PARTS)
    return {name: part for name, part in PARTS.items() if name in (settings.parts or PARTS)}


def study(settings: Settings, listener: Listener = silent) -> tuple[Finding, ...]:
    """Run what is missing of the study, write each part's figures beside it, and give its table.

    Figures are tables with the columns setting, axis, x, seed, quantity and value, one Parquet file per part.
    """
    chosen = parts(settings)
    rows: list[Finding] = []
    for done, (name, functions) in enumerate(chosen.items(), 1):
        out = settings.out / name.replace(" ", "-")
        figures = pd.concat([of(settings, out) for of in functions], ignore_index=True)
        with files.replacing(settings.out / f"{out.name}.parquet") as temporary:
            figures.to_parquet(temporary, index=False)
        rows += CLAIMS[name](figures)
        listener(Step("study", done, len(chosen), "parts", 0.0))
    return tuple(rows)
