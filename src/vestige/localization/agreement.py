"""Whether probes rank regions alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64
from scipy.stats import kendalltau

from vestige.localization.order import Order, listed
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


def sentence(values: Values, orders: Mapping[str, Order], decisive: str) -> str:
    """In words whether the probes agree as far as their intervals tell, and what each of them finds."""
    if decisive not in values:
        return ""
    found = agreement(values)
    own = found.spearman[found.probes.index(decisive)]
    others = [
        f"by {probe} {_told(orders[probe])}{_correlated(float(correlation))}"
        for probe, correlation in zip(found.probes, own, strict=True)
        if probe != decisive
    ]
    said = "; ".join([f"By {decisive}, which decides, {_told(orders[decisive])}", *others])
    return (
        f"{_verdict(orders)} {said}. Over {len(values[decisive])} regions a rank correlation takes few "
        "values and heeds no interval, so small differences mean little."
    )


def _verdict(orders: Mapping[str, Order]) -> str:
    """Agreement needs one and the same first region by all; disagreement, two that cannot be the same."""
    rivals = [set(order.rivals) for order in orders.values() if order.rivals]
    if not rivals:
        return "There is no clear order: no probe calls a region risky."
    if any(one.isdisjoint(other) for one in rivals for other in rivals):
        return "The probes disagree on where most privacy risk lies."
    firsts = {order.first for order in orders.values()}
    if len(firsts) == 1 and None not in firsts:
        return f"The probes agree that most privacy risk lies in {firsts.pop()}."
    return (
        "There is no clear order that all probes share: none contradicts another, but not all put the same "
        "region first."
    )


def _told(order: Order) -> str:
    if not order.above:
        return "no region is risky, so the order may be chance"
    if order.first is None:
        return f"{_risky(order.above)}{order.doubt}"
    others = [name for name in order.above if name != order.first]
    return f"{order.first} is first{f', and {_risky(others)} too' if others else ''}"


def _risky(names: Sequence[str]) -> str:
    return f"{listed(names)} {'is' if len(names) == 1 else 'are'} risky"


def _correlated(value: float) -> str:
    return f" (rank correlation {value:+.2f})" if np.isfinite(value) else ""


def _kendall(one: Float64[np.ndarray, "regions"], other: Float64[np.ndarray, "regions"]) -> float:
    """Kendall's tau-b of the entries that are finite in both."""
    known = np.isfinite(one) & np.isfinite(other)
    if known.sum() < 2 or np.ptp(one[known]) == 0 or np.ptp(other[known]) == 0:
        return float("nan")
    correlation: Any = kendalltau(one[known], other[known])
    return float(correlation.statistic)
