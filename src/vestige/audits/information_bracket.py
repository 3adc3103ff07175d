"""Each quantity between what attacks show and what noise allows, and whether the order is kept."""

import numpy as np
from jaxtyping import Bool, Float64, Integer

from vestige.audits.information_estimates import CEILINGS, ESTIMATORS, TITLES, Estimates
from vestige.audits.information_limit import UpperLimit
from vestige.leakage.certified import ProvenAt, certified
from vestige.leakage.leakage import Leakage
from vestige.risk.estimate import Estimate, unsupported
from vestige.risk.information import ATTACKS, FAILS, HOLDS, LIMIT, WITHIN_ERROR, AttackBound, Bracket, Check

CONFIDENCE = 0.95


def attack_bound(
    attack: str,
    scores: Float64[np.ndarray, "targets samples"],
    member: Bool[np.ndarray, "targets samples"],
    clusters: Integer[np.ndarray, "targets"],
    attacks: int,
    seed: int,
) -> AttackBound:
    """What one of that many attacks shows at least; the largest of all of them holds at 95 %."""
    confidence = 1 - (1 - CONFIDENCE) / attacks
    found = certified(scores, member, clusters, confidence, seed)

    def bound(proven: ProvenAt, value: float) -> Estimate:
        rates = f"TPR at least {proven.tpr_low:.3g}, FPR at most {proven.fpr_high:.3g}"
        return Estimate(value=max(value, 0.0), confidence=confidence, method=f"{attack}: {rates}")

    told = found.mutual_information
    return AttackBound(
        attack=attack,
        kl=bound(found.kl, found.kl.bound),
        kl_reverse=bound(found.kl_reverse, found.kl_reverse.bound),
        mutual_information=bound(told, told.bound),
        advantage=bound(told, told.tpr_low - told.fpr_high),
    )


def brackets(bounds: tuple[AttackBound, ...], found: Estimates, limit: UpperLimit) -> tuple[Bracket, ...]:
    """The bracket of each quantity, as means over the records."""
    return tuple(_bracket(quantity, bounds, found, limit) for quantity in TITLES)


def _bracket(quantity: str, bounds: tuple[AttackBound, ...], found: Estimates, limit: UpperLimit) -> Bracket:
    every: list[Estimate] = [getattr(bound, quantity) for bound in bounds]
    lower = max(every, key=lambda e: e.value or 0.0, default=unsupported("No attack was run."))
    upper = _upper(quantity, limit)
    known = {name: found.amounts.get((quantity, name)) for name in ESTIMATORS}
    means = {name: amount.mean for name, amount in known.items() if amount is not None}
    order = [
        *(check(ATTACKS, lower, ESTIMATORS[name], mean) for name, mean in means.items()),
        *(check(ESTIMATORS[name], mean, LIMIT, upper) for name, mean in means.items()),
        check(ATTACKS, lower, LIMIT, upper),
    ]
    return Bracket(
        name=quantity,
        title=TITLES[quantity],
        unit="" if quantity == "advantage" else "nats",
        lower=lower,
        estimates=tuple(means.get(name, unsupported("Not estimated.")) for name in ESTIMATORS),
        upper=upper,
        checks=tuple(one for one in order if one is not None),
    )


def _upper(quantity: str, limit: UpperLimit) -> Estimate:
    """From the noise of training; else the ceiling that the quantity has by itself."""
    bound: Leakage | None = limit.leakage
    if bound is not None:
        return Estimate(value=float(getattr(bound, quantity)), method="noise of training")
    ceiling = CEILINGS[quantity]
    if np.isfinite(ceiling):
        return Estimate(value=ceiling, method="by definition")
    return unsupported(limit.reason)


def check(left: str, small: Estimate, right: str, large: Estimate) -> Check | None:
    """Whether small <= large, by value or by the nearer ends of the intervals; None if one is unknown."""
    if small.value is None or large.value is None:
        return None
    excess = small.value - large.value
    low = small.value if small.low is None else small.low
    high = large.value if large.high is None else large.high
    word = HOLDS if excess <= 0 else WITHIN_ERROR if low <= high else FAILS
    return Check(left=left, right=right, excess=excess, word=word)
