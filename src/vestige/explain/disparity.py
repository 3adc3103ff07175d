"""Whether some classes or groups of people are more vulnerable than others (Kulynych et al. 2022)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from vestige.core import check, seeds
from vestige.core.errors import InputError
from vestige.explain.given import same_length, vector
from vestige.leakage.numbers import Numbers
from vestige.risk.estimate import Estimate
from vestige.stats.intervals import t_interval

FEWEST = 10  # records; the mean of fewer says more of its records than of its group
OTHER = "other"
PERMUTATIONS = 2000


@dataclass(frozen=True, kw_only=True)
class GroupRisk:
    """One group: how many records with a known vulnerability, their mean, and its interval over records.

    deviation: of the mean from that of all records, in standard errors of a random group of that size.
    p: of a deviation as large in any group of a random grouping, so corrected for the number of groups.
    """

    name: str
    records: int
    mean: Estimate
    deviation: float
    p: float


@dataclass(frozen=True, kw_only=True)
class Disparity:
    """Groups by falling mean vulnerability, and a test that none differs.

    spread: the largest mean less the smallest; chance_spread: its mean over random groupings of the same
      sizes, which is above 0.
    p: of the largest deviation. It speaks of these models: records of a group that share a model's luck
      are not told apart from a vulnerable group.
    notes: what was merged or left out.
    """

    groups: tuple[GroupRisk, ...]
    overall: float
    spread: float
    chance_spread: float
    p: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class _Grouped:
    """Values with the group of each, by place in names."""

    values: Float64[np.ndarray, "records"]
    place: Int64[np.ndarray, "records"]
    names: tuple[str, ...]

    @property
    def sizes(self) -> Int64[np.ndarray, "groups"]:
        return np.bincount(self.place, minlength=len(self.names))

    def means(self, values: Float64[np.ndarray, "records"]) -> Float64[np.ndarray, "groups"]:
        return np.bincount(self.place, values, len(self.names)) / self.sizes

    def deviations(self, means: Float64[np.ndarray, "groups"]) -> Float64[np.ndarray, "groups"]:
        """In standard errors of the mean of records drawn without replacement; 0 where all are equal."""
        records, spread = len(self.values), float(self.values.std(ddof=1))
        error = spread * np.sqrt(1 / self.sizes - 1 / records)
        return np.divide(means - self.values.mean(), error, out=np.zeros(len(means)), where=error > 0)


def disparity(
    vulnerability: Numbers,
    groups: Numbers,
    names: Sequence[str] | None = None,
    *,
    small: str = "merge",
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> Disparity:
    """The vulnerability of each group, and permutation tests that it does not depend on the group.

    vulnerability: [samples], any figure; higher = more vulnerable; NaN = unknown, left out.
    groups: [samples], class indices, or names of groups. names: of the classes 0, 1, ..., where indices are
      given.
    small: groups under 10 records are put together as "other" ("merge") or are an error ("refuse").

    The statistic is the largest absolute deviation over groups, its law that under random groupings.
    Raises InputError for another length of groups, and fewer than two groups of 10 records.
    """
    check.one_of("small", small, ("merge", "refuse"))
    check.at_least("permutations", permutations, 1)
    values = vector("vulnerability", vulnerability)
    titles = _titles(np.asarray(groups), len(values), names)
    known = ~np.isnan(values)
    merged, notes = _large_groups(titles[known], small)
    grouped = _grouped(values[known], merged)
    lost = int((~known).sum())
    said = (f"{lost} records have no known vulnerability and are left out.",) if lost else ()
    return _tested(grouped, permutations, seed, (*notes, *said))


def _titles(groups: np.ndarray, samples: int, names: Sequence[str] | None) -> np.ndarray:
    if groups.ndim != 1:
        raise InputError(f"groups has shape {groups.shape}; give one group per sample")
    same_length("groups", groups, samples)
    if names is None:
        return groups.astype(str)
    index = groups.astype(np.int64) if groups.dtype.kind in "iuf" else None
    if index is None or (index != groups).any() or index.min() < 0 or index.max() >= len(names):
        raise InputError(f"groups must be indices from 0 to {len(names) - 1} where names are given")
    return np.asarray(names, str)[index]


def _large_groups(titles: np.ndarray, small: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """The groups with those under 10 records put together."""
    found, counts = np.unique(titles, return_counts=True)
    few = found[counts < FEWEST]
    if not len(few):
        return titles, ()
    listed = ", ".join(few[:5].tolist()) + (", ..." if len(few) > 5 else "")
    if small == "refuse":
        raise InputError(f"groups under {FEWEST} records: {listed}; merge them or leave them out")
    inside = np.isin(titles, few)
    merged = np.where(inside, OTHER, titles.astype(object)).astype(str)
    note = f"Groups under {FEWEST} records are counted as {OTHER}: {listed}."
    if (merged == OTHER).sum() >= FEWEST:
        return merged, (note,)
    raise InputError(
        f"groups under {FEWEST} records hold {int(inside.sum())} records together: {listed}; merge them with "
        "another group or leave them out"
    )


def _grouped(values: Float64[np.ndarray, "records"], titles: np.ndarray) -> _Grouped:
    names, place = np.unique(titles, return_inverse=True)
    if len(names) < 2:
        raise InputError(
            f"groups: {len(names)} group of {FEWEST} records or more; give at least 2 to compare"
        )
    return _Grouped(values, place.astype(np.int64), tuple(names.tolist()))


def _tested(grouped: _Grouped, permutations: int, seed: int, notes: tuple[str, ...]) -> Disparity:
    means = grouped.means(grouped.values)
    deviations = grouped.deviations(means)
    random = seeds.generator(seed, "groups drawn again")
    drawn = np.stack([grouped.means(random.permutation(grouped.values)) for _ in range(permutations)])
    largest = np.array([np.abs(grouped.deviations(row)).max() for row in drawn])
    # equal statistics differ in their last digits when records are summed in another order
    exceeded = (largest[:, None] >= np.abs(deviations) * (1 - 1e-9)).sum(0)
    p = (1 + exceeded) / (1 + permutations)
    order = np.argsort(-means, kind="stable").tolist()
    risks = [_risk(grouped, g, float(means[g]), float(deviations[g]), float(p[g])) for g in order]
    return Disparity(
        groups=tuple(risks),
        overall=float(grouped.values.mean()),
        spread=float(np.ptp(means)),
        chance_spread=float(np.ptp(drawn, axis=1).mean()),
        p=float(p.min()),
        notes=notes,
    )


def _risk(grouped: _Grouped, place: int, mean: float, deviation: float, p: float) -> GroupRisk:
    own = grouped.values[grouped.place == place]
    low, high = t_interval(own)
    return GroupRisk(
        name=grouped.names[place],
        records=len(own),
        mean=Estimate(value=mean, low=low, high=high, method="Student's t over records"),
        deviation=deviation,
        p=p,
    )
