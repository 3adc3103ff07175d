"""How many of the records that a ranking puts first belong to a set of vulnerable ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from vestige.core.errors import InputError
from vestige.explain.given import truth, vector
from vestige.leakage.numbers import Numbers
from vestige.risk.estimate import Estimate
from vestige.stats.intervals import proportion_interval

SHARES = (0.01, 0.05, 0.1)


@dataclass(frozen=True, kw_only=True)
class TopPrecision:
    """The top of a ranking against a set.

    share, records: how much of the ranking, and how many records that is.
    precision: the share of these that belong to the set, 0 to 1; the interval is over such records.
    recall: the share of the set that is among these.
    chance: the precision of a random ranking. ceiling: the largest that a set of this size allows.
    """

    share: float
    records: int
    precision: Estimate
    recall: float
    chance: float
    ceiling: float


def precision_at_top(
    ranking: Numbers,
    reference_set: Numbers,
    shares: Sequence[int | float] = SHARES,
    *,
    among: Numbers | None = None,
) -> tuple[TopPrecision, ...]:
    """The precision of the highest shares of a ranking, one per share.

    ranking: [samples], higher = first; NaN = not ranked, left out.
    reference_set: [samples], true for those in the set.
    among: [samples], which samples count (say, a target's members); None means all.
    Records that tie at the border count by the share of them that belongs to the set.

    Raises InputError for other lengths, shares outside (0, 1], and no ranked records or none in the set.
    """
    values = vector("ranking", ranking)
    inside = truth("reference_set", reference_set, len(values))
    counted = ~np.isnan(values)
    if among is not None:
        counted &= truth("among", among, len(values))
    if not inside[counted].any():
        raise InputError(
            f"reference_set holds none of the {int(counted.sum())} ranked records; take a higher error rate"
        )
    return tuple(_top(values[counted], inside[counted], _share(share)) for share in shares)


def _share(share: int | float) -> float:
    if not 0 < share <= 1:
        raise InputError(f"shares: {share} must lie above 0 and be at most 1")
    return float(share)


def _top(
    values: Float64[np.ndarray, "ranked"], inside: Bool[np.ndarray, "ranked"], share: float
) -> TopPrecision:
    records = max(1, round(share * len(values)))
    hits = _hits(values, inside, records)
    low, high = proportion_interval(round(hits), records)
    found = hits / records
    return TopPrecision(
        share=share,
        records=records,
        precision=Estimate(
            value=found, low=min(low, found), high=max(high, found), method="exact binomial over top records"
        ),
        recall=hits / int(inside.sum()),
        chance=float(inside.mean()),
        ceiling=min(1.0, int(inside.sum()) / records),
    )


def _hits(values: Float64[np.ndarray, "ranked"], inside: Bool[np.ndarray, "ranked"], records: int) -> float:
    """How many of the first records belong to the set, ties at the border counted by their share."""
    border = np.partition(values, len(values) - records)[len(values) - records]
    above, tied = values > border, values == border
    return float(inside[above].sum() + (records - above.sum()) * inside[tied].mean())
