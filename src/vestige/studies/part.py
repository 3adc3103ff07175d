"""A study in parts: each a comparison of defenses, or an audit that is explained."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

from vestige.audits.options import Options
from vestige.audits.step import Listener, silent
from vestige.core.errors import unknown_name
from vestige.designs.compare import design_of, run
from vestige.designs.measurement import Measures
from vestige.designs.protection import Protection


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How large a study is: seeds, models of a comparison (None: those of each part), and which parts."""

    out: Path
    data_dir: Path | None = None
    seeds: int = 3
    models: int | None = None
    jobs: int | None = None
    parts: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of a study: the options of an audit, the defenses that are compared, and how often.

    is_large: runs only where it is named, because it takes days without a GPU.
    """

    options: dict[str, Any]
    defenses: tuple[str, ...] = ()
    seeds: int = 1
    measures: Measures = field(default_factory=Measures)
    is_large: bool = False


@runtime_checkable
class Sized(Protocol):
    """A part of any study that tells whether it runs only where it is named."""

    @property
    def is_large(self) -> bool:
        """Whether it takes too long without a GPU."""
        ...


Kind = TypeVar("Kind", bound=Sized)


def chosen(every: Mapping[str, Kind], settings: Settings) -> dict[str, Kind]:
    """The parts that are asked for, by name; all but the large ones unless some are.

    Raises InputError for one that does not exist.
    """
    for name in settings.parts or ():
        if name not in every:
            raise unknown_name("part", name, every)
    usual = [name for name, part in every.items() if not part.is_large]
    return {name: part for name, part in every.items() if name in (settings.parts or usual)}


def options_of(settings: Settings, name: str, part: Part) -> Options:
    """The part's options in the study's folder; seed 0 is left to those who try things out."""
    out = settings.out / name.replace(" ", "-")
    return Options().merged({**part.options, "jobs": settings.jobs, "seed": 1, "out": out})


def comparison(settings: Settings, name: str, part: Part, listener: Listener = silent) -> Protection:
    """The comparison of a part, run where it is missing."""
    design = design_of(options_of(settings, name, part), part.defenses, part.seeds)
    return run(design, part.measures, listener)
