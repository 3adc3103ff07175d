"""Whether probes rank regions alike."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64
from scipy.stats import kendalltau

from vestige.stats.ranks import spearman

Values = Mapping[str, Float64[np.ndarray, "regions"]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Agreement:
    """Rank correlations of every two probes over the regions, -1 to 1; NaN where one has no order."""

    probes: tuple[str, ...]
    spearman: Float64[np.ndarray, "probes probes"]
    kendall: Float64[np.ndarray, "probes probes"]


def agreement(values: Values) -> Agreement:
    """The agreement of probes. values: by probe, one per region; higher = more of it there."""
    rows = list(values.values())
    return Agreement(
        probes=tuple(values),
        spearman=np.array([[spearman(one, other) for other in rows] for one in rows]),
        kendall=np.array([[_kendall(one, other) for other in rows] for one in rows]),
    )


def ranks(values: Float64[np.ndarray, "regions"]) -> tuple[int, ...]:
    """The place of each region, 1 for the largest value; equal ones share the better place."""
    return tuple(1 + int((values > value).sum()) for value in values)


def sentence(values: Values, names: tuple[str, ...], decisive: str, unclear: Collection[str]) -> str:
    """In words which region each probe puts first, and how far all agree with the decisive one.

    unclear: probes that call no region risky, whose order may be chance.
    """
    if decisive not in values:
        return ""
    first = {probe: names[int(np.nanargmax(row))] for probe, row in values.items()}
    found = agreement(values)
    own = found.probes.index(decisive)
    doubt = {probe: ", which calls none risky" if probe in unclear else "" for probe in values}
    others = [
        f"{first[probe]} by {probe} (rank correlation {found.spearman[own, place]:+.2f}{doubt[probe]})"
        for place, probe in enumerate(found.probes)
        if probe != decisive
    ]
    verdict = "agree" if len(set(first.values())) == 1 else "disagree"
    return (
        f"The probes {verdict} on where most privacy risk lies. By {decisive} {first[decisive]} comes "
        f"first{doubt[decisive]}; {', '.join(others)}. Over {len(names)} regions a rank correlation takes "
        "few values, so small differences mean little."
    )


def _kendall(one: Float64[np.ndarray, "regions"], other: Float64[np.ndarray, "regions"]) -> float:
    """Kendall's tau-b of the entries that are finite in both."""
    known = np.isfinite(one) & np.isfinite(other)
    if known.sum() < 2 or np.ptp(one[known]) == 0 or np.ptp(other[known]) == 0:
        return float("nan")
    correlation: Any = kendalltau(one[known], other[known])
    return float(correlation.statistic)
