"""Regions of the FPR-TPR plane: the five named ones, a plain grid, or a user's own rectangles."""

import itertools
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Float64, Int8

from vestige.core import check
from vestige.core.errors import InputError

# Our own partition: Chen et al. 2025 (arXiv 2507.23291) name such regions without printing their borders.
REGIONS = ("Safe", "Ambiguous", "Emerging", "High", "Inverted")
SAFE, AMBIGUOUS, EMERGING, HIGH, INVERTED = range(5)
SLACK = 1e-9  # rates are ratios of small counts: .6 - .4 must reach .2
MOST_REGIONS = 100  # they are numbered in a byte, and nobody reads more


@runtime_checkable
class Regions(Protocol):
    """A partition of the unit square of (FPR, TPR), in which some regions count as vulnerable.

    names: as tables hold them. shown: as a report for non-specialists names them. meaning: of each, in words.
    vulnerable: indices of the regions whose records count as highly exposed.
    """

    @property
    def names(self) -> tuple[str, ...]:
        """One per region."""
        ...

    @property
    def shown(self) -> tuple[str, ...]:
        """One per region."""
        ...

    @property
    def meaning(self) -> tuple[str, ...]:
        """One per region."""
        ...

    @property
    def vulnerable(self) -> tuple[int, ...]:
        """Indices into names."""
        ...

    def of(
        self, fpr: Float[np.ndarray, "*shape"], tpr: Float[np.ndarray, "*shape"]
    ) -> Int8[np.ndarray, "*shape"]:
        """The index of each point's region; a point with a NaN rate counts as (0, 0): nothing was seen."""
        ...


@dataclass(frozen=True, kw_only=True)
class NamedRegions:
    """The five regions, with their borders.

    High: TPR >= high_tpr and FPR <= high_fpr. Else, with advantage a = TPR - FPR: Emerging where
    a >= emerging, Inverted where a <= -emerging, and between them Ambiguous where TPR + FPR > 1, Safe
    otherwise. Raises InputError for borders outside the square or where High could hold a < emerging.
    """

    high_tpr: float = 0.5
    high_fpr: float = 0.1
    emerging: float = 0.2

    def __post_init__(self) -> None:
        check.within("high_tpr", self.high_tpr, 0.0, 1.0)
        check.within("high_fpr", self.high_fpr, 0.0, 1.0)
        check.within("emerging", self.emerging, SLACK, 1.0)
        if self.high_tpr - self.high_fpr < self.emerging - SLACK:
            raise InputError(
                f"regions: high_tpr={self.high_tpr} and high_fpr={self.high_fpr} would let High hold records "
                f"with a smaller advantage than emerging={self.emerging}; move the borders apart"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Safe, Ambiguous, Emerging, High, Inverted."""
        return REGIONS

    @property
    def shown(self) -> tuple[str, ...]:
        """The names, but "Low" for Safe, which would read as a promise."""
        return ("Low", *REGIONS[1:])

    @property
    def meaning(self) -> tuple[str, ...]:
        """What records in each region have in common."""
        points = f"{100 * self.emerging:g} points"
        return (
            "seldom named, whether a member or not",
            "often named, whether a member or not",
            f"named more often when a member, by at least {points}",
            f"named in at least {100 * self.high_tpr:g} % of the models trained with it, and in at most "
            f"{100 * self.high_fpr:g} % of the others",
            f"named more often when not a member, by at least {points}",
        )

    @property
    def vulnerable(self) -> tuple[int, ...]:
        """High."""
        return (HIGH,)

    def of(
        self, fpr: Float[np.ndarray, "*shape"], tpr: Float[np.ndarray, "*shape"]
    ) -> Int8[np.ndarray, "*shape"]:
        """The index into REGIONS of each point."""
        advantage = tpr - fpr
        found = np.full(fpr.shape, SAFE, np.int8)
        found[(np.abs(advantage) < self.emerging) & (tpr + fpr > 1 + SLACK)] = AMBIGUOUS
        found[advantage >= self.emerging - SLACK] = EMERGING
        found[advantage <= SLACK - self.emerging] = INVERTED
        found[(tpr >= self.high_tpr - SLACK) & (fpr <= self.high_fpr + SLACK)] = HIGH
        return found


@dataclass(frozen=True, kw_only=True)
class Box:
    """A rectangle of the plane; it holds its lower edges, and its upper ones only at 1.

    fpr, tpr: lower and upper edge. vulnerable: whether its records count as highly exposed.
    """

    name: str
    fpr: tuple[float, float]
    tpr: tuple[float, float]
    vulnerable: bool = False
    meaning: str = ""

    def __post_init__(self) -> None:
        for side, (low, high) in (("fpr", self.fpr), ("tpr", self.tpr)):
            if not 0 <= low < high <= 1:
                raise InputError(f"region {self.name!r}: {side}=[{low}, {high}] must rise within [0, 1]")

    @property
    def area(self) -> float:
        """As a share of the plane."""
        return (self.fpr[1] - self.fpr[0]) * (self.tpr[1] - self.tpr[0])


@dataclass(frozen=True)
class BoxRegions:
    """Rectangles that cover the plane without overlap.

    Raises InputError, naming the regions, where two overlap, a part is left over or none is vulnerable.
    """

    boxes: tuple[Box, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.boxes) <= MOST_REGIONS:
            raise InputError(f"regions: {len(self.boxes)} given; give 1 to {MOST_REGIONS}")
        if len(set(self.names)) < len(self.boxes):
            raise InputError(f"regions: the names {', '.join(self.names)} must differ")
        for one, other in itertools.combinations(self.boxes, 2):
            if _overlap(one.fpr, other.fpr) * _overlap(one.tpr, other.tpr) > SLACK:
                raise InputError(f"regions {one.name!r} and {other.name!r} overlap; a point must lie in one")
        missing = 1 - sum(box.area for box in self.boxes)
        if missing > SLACK:
            raise InputError(f"regions leave {missing:.3g} of the plane uncovered; they must partition it")
        if not self.vulnerable:
            raise InputError("regions: none is vulnerable; mark at least one with vulnerable = true")

    @property
    def names(self) -> tuple[str, ...]:
        """As given."""
        return tuple(box.name for box in self.boxes)

    @property
    def shown(self) -> tuple[str, ...]:
        """As given."""
        return self.names

    @property
    def meaning(self) -> tuple[str, ...]:
        """As given, or the borders."""
        return tuple(box.meaning or _borders(box) for box in self.boxes)

    @property
    def vulnerable(self) -> tuple[int, ...]:
        """As given."""
        return tuple(i for i, box in enumerate(self.boxes) if box.vulnerable)

    def of(
        self, fpr: Float[np.ndarray, "*shape"], tpr: Float[np.ndarray, "*shape"]
    ) -> Int8[np.ndarray, "*shape"]:
        """The index of the rectangle of each point."""
        unseen = np.isnan(fpr) | np.isnan(tpr)
        x, y = np.where(unseen, 0.0, fpr), np.where(unseen, 0.0, tpr)
        found = np.zeros(fpr.shape, np.int8)
        for index, box in enumerate(self.boxes):
            found[_within(x, box.fpr) & _within(y, box.tpr)] = index
        return found


def grid(cells: int) -> BoxRegions:
    """A plain grid of cells x cells; vulnerable are those with TPR from .5 in the column of lowest FPR.

    Raises InputError for fewer than 2 cells per axis or more than 10.
    """
    check.within("grid cells per axis", cells, 2, 10)
    edges = [i / cells for i in range(cells + 1)]
    boxes = [
        Box(
            name=f"fpr {x:.2g}-{x_end:.2g}, tpr {y:.2g}-{y_end:.2g}",
            fpr=(x, x_end),
            tpr=(y, y_end),
            vulnerable=x == 0 and y >= 0.5,
        )
        for x, x_end in itertools.pairwise(edges)
        for y, y_end in itertools.pairwise(edges)
    ]
    return BoxRegions(tuple(boxes))


NAMED = NamedRegions()


def regions_from(text: str) -> Regions:
    """The regions that an option asks for: "named", "grid:10" or a TOML file.

    The file holds either [named] with high_tpr, high_fpr and emerging, or [[region]] tables with name,
    fpr = [low, high], tpr = [low, high] and vulnerable = true or false.

    Raises InputError for anything else, or for regions that do not partition the plane.
    """
    if text == "named":
        return NAMED
    if text.startswith("grid:"):
        cells = text.removeprefix("grid:")
        if not cells.isdecimal():
            raise InputError(f'regions={text!r} must give the cells per axis, for example "grid:10"')
        return grid(int(cells))
    path = Path(text)
    if path.suffix != ".toml":
        raise InputError(f'regions={text!r} must be "named", "grid:10" or a .toml file')
    return _from_file(path)


def _from_file(path: Path) -> Regions:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"regions={path} cannot be read as TOML: {error}") from error
    try:
        if set(content) == {"named"}:
            return NamedRegions(**{name: float(value) for name, value in content["named"].items()})
        if set(content) == {"region"}:
            return BoxRegions(tuple(_box(table) for table in content["region"]))
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"regions={path} holds a malformed region: {error}") from error
    raise InputError(f"regions={path} must hold [named] or [[region]] tables, and nothing else")


def _box(table: dict[str, Any]) -> Box:
    edges = {side: tuple(float(edge) for edge in table[side]) for side in ("fpr", "tpr")}
    known = {name: value for name, value in table.items() if name not in edges}
    return Box(**known, fpr=edges["fpr"], tpr=edges["tpr"])  # pyright: ignore[reportArgumentType]


def _overlap(one: tuple[float, float], other: tuple[float, float]) -> float:
    return max(0.0, min(one[1], other[1]) - max(one[0], other[0]))


def _within(values: Float64[np.ndarray, "*shape"], edges: tuple[float, float]) -> np.ndarray:
    low, high = edges
    return (values >= low - SLACK) & ((values < high - SLACK) | (high == 1))


def _borders(box: Box) -> str:
    (x, x_end), (y, y_end) = box.fpr, box.tpr
    return f"at FPR {100 * x:.3g} to {100 * x_end:.3g} %, TPR {100 * y:.3g} to {100 * y_end:.3g} %"
