"""What sets vulnerable records apart: each measure compared between them and the others."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from scipy.stats import rankdata

from vestige.core import check, seeds
from vestige.core.errors import InputError
from vestige.explain.dominance import Side, dominance
from vestige.explain.given import truth, vector
from vestige.leakage.numbers import Numbers
from vestige.risk.estimate import Z_95, Estimate, unsupported

FEWEST = 3  # records on either side
PERMUTATIONS = 2000


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """One measure, vulnerable records against the others; above 0 = higher among the vulnerable.

    vulnerable, others: how many records have a value.
    dominance: Cliff's delta, the chance that a vulnerable record's value is higher less that it is lower,
      -1 to 1.
    difference: of the means, in pooled standard deviations (Hedges's g); its interval supposes normal values.
    p: of a |dominance| as large among random sets of that size. p_corrected: after Holm, over the measures.
    """

    measure: str
    vulnerable: int
    others: int
    dominance: Estimate
    difference: Estimate
    p: float
    p_corrected: float


def contrast(
    measures: Mapping[str, Numbers],
    vulnerable: Numbers,
    *,
    among: Numbers | None = None,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> tuple[Contrast, ...]:
    """Each measure compared, in the order given; intervals and tests take records as independent.

    measures: by name, [samples]; NaN = unknown, left out of that measure. vulnerable: [samples], true for the
    vulnerable. among: [samples], which samples count (say, a target's members); None means all.

    Raises InputError for no measures, other lengths, or fewer than 3 known values on a side.
    """
    check.at_least("permutations", permutations, 1)
    if not measures:
        raise InputError("measures holds none; give at least one by name")
    named = truth("vulnerable", vulnerable)
    counted = np.ones(len(named), bool) if among is None else truth("among", among, len(named))
    sides = {name: _sides(name, given, named, counted) for name, given in measures.items()}
    p = np.array([_permuted(*pair, permutations, seed) for pair in sides.values()])
    return tuple(
        Contrast(
            measure=name,
            vulnerable=len(pair[0]),
            others=len(pair[1]),
            dominance=dominance(*pair),
            difference=standardized_difference(*pair),
            p=float(own),
            p_corrected=float(corrected),
        )
        for (name, pair), own, corrected in zip(sides.items(), p, holm(p), strict=True)
    )


def standardized_difference(one: Side, other: Side) -> Estimate:
    """The difference of the means in pooled standard deviations, with Hedges's correction for few records."""
    m, n = len(one), len(other)
    pooled = float(np.sqrt((one.var() * m + other.var() * n) / (m + n - 2)))
    if not pooled > 0:
        return unsupported("The measure does not vary within the two sets.")
    value = (1 - 3 / (4 * (m + n) - 9)) * float(one.mean() - other.mean()) / pooled
    half = Z_95 * np.sqrt((m + n) / (m * n) + value**2 / (2 * (m + n)))
    return Estimate(
        value=value, low=float(value - half), high=float(value + half), method="normal, over records"
    )


def holm(p: Float64[np.ndarray, "tests"]) -> Float64[np.ndarray, "tests"]:
    """p-values corrected for their number (Holm 1979): the chance of one false alarm in all of them."""
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    found = np.empty(len(p))
    found[order] = np.minimum(stepped, 1.0)
    return found


def _sides(
    name: str, given: Numbers, named: Bool[np.ndarray, "samples"], counted: Bool[np.ndarray, "samples"]
) -> tuple[Side, Side]:
    values = vector(name, given, len(named))
    known = counted & ~np.isnan(values)
    one, other = values[known & named], values[known & ~named]
    if min(len(one), len(other)) < FEWEST:
        raise InputError(
            f"{name}: {len(one)} vulnerable and {len(other)} other records have a value; a comparison "
            f"takes at least {FEWEST} of each"
        )
    return one, other


def _permuted(one: Side, other: Side, permutations: int, seed: int) -> float:
    """The two-sided permutation p of the rank sum, which orders sets of a size as Cliff's delta does."""
    ranks = rankdata(np.concatenate([one, other]))
    ranks -= ranks.mean()
    found = abs(float(ranks[: len(one)].sum())) * (
        1 - 1e-9
    )  # sums in another order differ in their last digits
    random = seeds.generator(seed, "sets drawn again")
    drawn = (random.choice(ranks, len(one), replace=False, shuffle=False).sum() for _ in range(permutations))
    return (1 + sum(abs(float(total)) >= found for total in drawn)) / (1 + permutations)
