"""A sweep: which options vary, over which levels, how often it is repeated, and the cells that follow."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from vestige.core import check
from vestige.core.errors import InputError, unknown_name
from vestige.data.dataset import Dataset
from vestige.designs.design import MOST_CELLS, Factor
from vestige.designs.feature_map import features_from
from vestige.designs.linear_records import check_records, with_classes
from vestige.designs.linear_task import LinearTask

VARIED: dict[str, type] = {
    "size": int,
    "weight": float,
    "sigma": float,
    "epsilon": float,
    "delta": float,
    "temperature": float,
    "features": str,
}
SEEDS = 3


@dataclass(frozen=True)
class SweepCell:
    """One condition under one seed: the level of every factor, and the task that follows."""

    levels: tuple[tuple[str, Any], ...]
    task: LinearTask


@dataclass(frozen=True, kw_only=True, eq=False)
class SweepDesign:
    """The full crossing of the factors, each cell with the base task otherwise, once per seed.

    dataset: of the chosen classes. seeds: None for 3, or for 1 where each would draw the same records.

    Raises InputError for whatever is wrong with any cell.
    """

    dataset: Dataset
    base: LinearTask
    factors: tuple[Factor, ...] = ()
    seeds: int | None = None

    def __post_init__(self) -> None:
        names = [factor.option for factor in self.factors]
        if len(set(names)) < len(names):
            raise InputError(f"vary: {', '.join(names)} names an option twice; give all levels in one list")
        if len(self.conditions) > MOST_CELLS:
            raise InputError(f"vary: {len(self.conditions)} cells are more than {MOST_CELLS}; vary less")
        for condition in self.conditions:
            check_records(self.dataset, condition.task)
        if self.seeds is not None:
            check.at_least("seeds", self.seeds, 1)
            if self.seeds > 1 and not self._seed_matters:
                raise InputError(
                    f"seeds={self.seeds}: every repetition would hold the same {self.dataset.num_samples} "
                    "records; give a smaller --size, or --seeds 1"
                )

    @property
    def conditions(self) -> tuple[SweepCell, ...]:
        """All cells under the first seed, the last factor varying fastest."""
        found: list[SweepCell] = []
        calibration = self.base.calibration
        if calibration == "auto" and any((level or 0) > 1 for level in self._levels("epsilon")):
            calibration = "analytic"  # one for all cells: between two, leakage would jump
        for levels in itertools.product(*(factor.levels for factor in self.factors)):
            chosen = tuple(zip((f.option for f in self.factors), levels, strict=True))
            task = replace(self.base, calibration=calibration, **dict(chosen))
            found.append(SweepCell(chosen, task.with_model(self.dataset.num_classes)))
        return tuple(found)

    @property
    def cells(self) -> tuple[SweepCell, ...]:
        """Every condition under every seed; the seed varies slowest."""
        count = self.seeds or (SEEDS if self._seed_matters else 1)
        return tuple(
            SweepCell(one.levels, replace(one.task, seed=seed))
            for seed in range(self.base.seed, self.base.seed + count)
            for one in self.conditions
        )

    def records_of(self, task: LinearTask) -> int:
        """How many records a cell measures."""
        return task.size or self.dataset.num_samples - features_from(task.features).trained_on

    @property
    def _seed_matters(self) -> bool:
        sizes, features = self._levels("size"), self._levels("features")
        all_taken = all(size in (None, self.dataset.num_samples) for size in sizes)
        return not (all_taken and all(text.partition(":")[0] in ("raw", "pca") for text in features))

    def _levels(self, option: str) -> tuple[Any, ...]:
        varied = {factor.option: factor.levels for factor in self.factors}
        return varied.get(option, (getattr(self.base, option),))


def design_of(
    dataset: Dataset, options: Mapping[str, Any], vary: Mapping[str, Sequence[Any]], seeds: int | None
) -> SweepDesign:
    """The design of a sweep over a data set.

    Raises InputError for an unknown option, and as `SweepDesign` does.
    """
    known = [field.name for field in fields(LinearTask)]
    for name in options:
        if name not in known:
            raise unknown_name("option", name, known)
    factors = tuple(sweep_factor(option, levels) for option, levels in vary.items())
    classes = options.get("classes") or ()
    names = classes.split(",") if isinstance(classes, str) else classes
    chosen = tuple(str(name).strip() for name in names)
    return SweepDesign(
        dataset=with_classes(dataset, chosen),
        base=replace(LinearTask(**{k: v for k, v in options.items() if k != "classes"}), classes=chosen),
        factors=factors,
        seeds=seeds,
    )


def sweep_factor(option: str, levels: Sequence[Any]) -> Factor:
    """The option and its levels, checked and turned into the option's own type."""
    if option not in VARIED:
        raise unknown_name("option to vary", option, VARIED)
    if isinstance(levels, str) or not len(levels):
        raise InputError(f"vary {option}={levels!r} must be a list of at least one level")
    typed = tuple(_typed(option, level) for level in levels)
    if len(set(typed)) < len(typed):
        raise InputError(f"vary {option}: {', '.join(map(str, levels))} names a level twice")
    return Factor(option, typed)


def varied_from(texts: Sequence[str]) -> dict[str, list[str]]:
    """Options and their levels, each written "option=level,level".

    Raises InputError for anything else, or an option written twice.
    """
    found: dict[str, list[str]] = {}
    for text in texts:
        option, equals, levels = text.partition("=")
        if not equals:
            raise InputError(f"vary={text!r} must be OPTION=LEVEL,LEVEL, for example size=40,80,160")
        if (name := option.strip()) in found:
            raise InputError(f"vary: {name} is named twice; give all levels in one list")
        found[name] = [level.strip() for level in levels.split(",")]
    return found


def _typed(option: str, level: Any) -> Any:
    kind = VARIED[option]
    try:
        return kind(level)
    except (TypeError, ValueError):
        wanted = {int: "whole numbers", float: "numbers", str: "text"}[kind]
        raise InputError(f"vary {option}: {level!r} is no level of it; give {wanted}") from None
