"""What the models' scaled logits tell of each record, estimated from those with it and those without it."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float64

from vestige.audits.left_out import Laws, LeftOut, laws_left_out
from vestige.core import seeds
from vestige.leakage.ensemble import gaussian_ensemble
from vestige.leakage.gibbs import LossGap
from vestige.leakage.leakage import Leakage
from vestige.leakage.neighbors import neighbor_ensemble
from vestige.leakage.normal_pair import normal_kl, normal_pair
from vestige.leakage.randomness import SeedEnsemble
from vestige.leakage.shift import gaussian_shift
from vestige.risk.information import Amount, CheckpointAmount

ENSEMBLE = SeedEnsemble()
REDUCED = SeedEnsemble(fewest=4)  # of an ensemble without one of its groups
MOST_BY_CHANCE = 500  # records whose coins are dealt anew
MOST_INTEGRATED = 200  # records whose bounded quantities are integrated again for each group left out
MOST_NEIGHBORS = 4000  # records whose neighbors are found: the cost grows with the square of the models
MOST_SEARCHED = 200  # records whose neighbors are found again for each group left out

NORMAL, ONE_VARIANCE, NEIGHBORS = "normal", "one_variance", "neighbors"
ESTIMATORS = {
    NORMAL: "normal laws",
    ONE_VARIANCE: "normal laws of one variance",
    NEIGHBORS: "nearest neighbors",
}
TITLES = {
    "kl": "KL divergence",
    "kl_reverse": "Reverse KL divergence",
    "mutual_information": "Mutual information",
    "advantage": "Advantage of the best attack",
}
LEAST = {"kl": -np.inf, "kl_reverse": -np.inf, "mutual_information": -np.inf, "advantage": 0.0}
CEILINGS = {"kl": np.inf, "kl_reverse": np.inf, "mutual_information": float(np.log(2)), "advantage": 1.0}
DIVERGENCES = ("kl", "kl_reverse")
INTEGRALS = (
    *DIVERGENCES,
    "mutual_information",
)  # neighbors estimate these; their advantage is a rule's, too small
BELOW = "The scaled logit tells at most what the model tells, so in the population it lies below the truth."

Grid = Float64[np.ndarray, "models samples"]
Mask = Bool[np.ndarray, "models samples"]
Values = Float64[np.ndarray, "samples"]
Replicates = Float64[np.ndarray, "groups samples"]
Spread = dict[tuple[str, str], Float64[np.ndarray, "groups"]]


@dataclass(frozen=True, eq=False)
class Estimates:
    """The leakage of each record by each estimator, and each quantity over all records.

    replicates: KL by normal laws without each group of models, [groups samples].
    """

    by_estimator: dict[str, Leakage]
    amounts: dict[tuple[str, str], Amount]
    replicates: Replicates

    @property
    def normal(self) -> Leakage:
        """By normal laws with variances of their own."""
        return self.by_estimator[NORMAL]


def estimates(values: Grid, mask: Mask, left_out: LeftOut, seed: int) -> Estimates:
    """Every quantity by every estimator, with intervals over models and beside it what chance alone gives.

    values: scaled logits. Raises InputError where a record has too few models on a side.
    """
    found, chance = _leakages(values, mask, seed), _by_chance(values, mask, seed)
    again = laws_left_out(values, mask, left_out)
    spread = _spread(values, mask, again, left_out, seed)
    amounts = {
        (quantity, estimator): _amount(quantity, estimator, leakage, spread, chance[estimator], left_out)
        for estimator, leakage in found.items()
        for quantity in (INTEGRALS if estimator == NEIGHBORS else TITLES)
    }
    return Estimates(found, amounts, _normal_divergences(again)["kl"])


def at_checkpoint(values: Grid, mask: Mask, left_out: LeftOut, epoch: float) -> CheckpointAmount:
    """The KL by normal laws at one checkpoint: its mean and 99th percentile over records."""
    kl = gaussian_ensemble(values, mask, ENSEMBLE).kl
    again = _normal_divergences(laws_left_out(values, mask, left_out))["kl"]
    return CheckpointAmount(
        epoch=epoch,
        mean=left_out.estimate(float(np.nanmean(kl)), np.nanmean(again, axis=1)),
        q99=left_out.estimate(float(np.nanquantile(kl, 0.99)), np.nanquantile(again, 0.99, axis=1)),
    )


def gap_amount(gap: LossGap, losses: Grid, mask: Mask, left_out: LeftOut) -> Amount:
    """The gap of losses over the temperature, over all records."""
    values = gap.jeffreys
    again = laws_left_out(losses, mask, left_out)
    spread = np.nanmean(again.mean0 - again.mean1, axis=1) / gap.temperature
    median, q90, q99 = (float(q) for q in np.nanquantile(values, (0.5, 0.9, 0.99)))
    return Amount(
        name="loss_gap",
        title=f"Both KL divergences together, by the gap of losses at temperature {gap.temperature:g}",
        unit="nats",
        definition=(
            "Mean loss of the models without the record less that with it, over the temperature. "
            "Equal to the sum of both divergences if models were draws from a Gibbs posterior at that "
            "temperature; a network's training has none, so it scales with what is assumed."
        ),
        mean=left_out.estimate(float(np.nanmean(values)), spread),
        median=median,
        q90=q90,
        q99=q99,
        largest=float(np.nanmax(values)),
    )


def _leakages(values: Grid, mask: Mask, seed: int) -> dict[str, Leakage]:
    return {
        NORMAL: gaussian_ensemble(values, mask, ENSEMBLE, variance="separate"),
        ONE_VARIANCE: gaussian_ensemble(values, mask, ENSEMBLE, variance="pooled"),
        NEIGHBORS: _neighbors(values, mask, seed),
    }


def _neighbors(values: Grid, mask: Mask, seed: int) -> Leakage:
    """By nearest neighbors; of many records a random choice, the others NaN."""
    chosen = _some(values.shape[1], MOST_NEIGHBORS, seed)
    found = neighbor_ensemble(values[:, chosen], mask[:, chosen], ENSEMBLE)
    if len(chosen) == values.shape[1]:
        return found
    rows = {name: np.full(values.shape[1], np.nan) for name in TITLES}
    for name, row in rows.items():
        row[chosen] = getattr(found, name)
    note = f"neighbors were searched for {len(chosen):,} records drawn at random; the others are NaN"
    return replace(found, notes=(*found.notes, note), **rows)


def _by_chance(values: Grid, mask: Mask, seed: int) -> dict[str, Leakage]:
    """The same estimates where each record's coins are dealt anew, so that they tell nothing."""
    drawn = _some(values.shape[1], MOST_BY_CHANCE, seed)
    dealt = seeds.generator(seed, "coins by chance").permuted(mask[:, drawn], axis=0)
    return _leakages(values[:, drawn], dealt, seed)


def _amount(
    quantity: str,
    estimator: str,
    leakage: Leakage,
    spread: Spread,
    chance: Leakage,
    left_out: LeftOut,
) -> Amount:
    values = np.asarray(getattr(leakage, quantity), np.float64)
    spread_here, limits = spread[quantity, estimator], (LEAST[quantity], CEILINGS[quantity])
    mean = left_out.estimate(float(np.nanmean(values)), spread_here, *limits)
    median, q90, q99 = (float(q) for q in np.nanquantile(values, (0.5, 0.9, 0.99)))
    return Amount(
        name=quantity if estimator == NORMAL else f"{quantity}_{estimator}",
        title=f"{TITLES[quantity]}, {ESTIMATORS[estimator]}",
        unit="" if quantity == "advantage" else "nats",
        definition=_definition(quantity, estimator),
        mean=mean,
        median=median,
        q90=q90,
        q99=q99,
        largest=float(np.nanmax(values)),
        by_chance=float(np.nanmean(getattr(chance, quantity))),
    )


def _definition(quantity: str, estimator: str) -> str:
    fitted = {
        NORMAL: "Two normal laws per record, each with the mean and variance of its own models",
        ONE_VARIANCE: "Two normal laws per record with one variance, pooled over both sides",
        NEIGHBORS: "Distances to the third nearest neighbor on either side (Wang, Kulkarni and Verdú 2009)",
    }[estimator]
    bias = {
        "advantage": "The bias of few models is taken off in part; what chance alone gives stands beside it.",
        "mutual_information": "The bias of few models is taken off to first order.",
    }.get(quantity, "The bias of few models is taken off, so single records may fall below 0.")
    if estimator == NEIGHBORS:
        bias = "It assumes no law. With tens of models it comes out too small where the two laws lie apart."
    tails = " Where one law is much narrower, its tails, taken for normal, decide."
    return f"{fitted}. {bias}{tails if quantity in DIVERGENCES and estimator == NORMAL else ''} {BELOW}"


def _spread(values: Grid, mask: Mask, again: Laws, left_out: LeftOut, seed: int) -> Spread:
    """The mean over records of each quantity by each estimator without each group of models."""
    divergences = _normal_divergences(again)
    found = {(quantity, NORMAL): np.nanmean(rows, axis=1) for quantity, rows in divergences.items()}
    shift = again.shift
    found |= {(quantity, ONE_VARIANCE): np.nanmean(shift**2, axis=1) / 2 for quantity in DIVERGENCES}
    few = _some(values.shape[1], MOST_INTEGRATED, seed)
    integrated = {NORMAL: normal_pair(*again.of(few)), ONE_VARIANCE: gaussian_shift(shift[:, few])}
    for quantity in ("mutual_information", "advantage"):
        for estimator, leakage in integrated.items():
            found[quantity, estimator] = np.nanmean(getattr(leakage, quantity), axis=1)
    return found | _neighbor_spread(values, mask, left_out, seed)


def _neighbor_spread(values: Grid, mask: Mask, left_out: LeftOut, seed: int) -> Spread:
    some = _some(values.shape[1], MOST_SEARCHED, seed)
    again = [
        neighbor_ensemble(values[kept][:, some], mask[kept][:, some], REDUCED) for kept in left_out.kept()
    ]
    return {
        (quantity, NEIGHBORS): np.array([np.nanmean(getattr(one, quantity)) for one in again], np.float64)
        for quantity in INTEGRALS
    }


def _normal_divergences(of: Laws) -> dict[str, Float64[np.ndarray, "*samples"]]:
    """KL both ways of laws as they were fitted, bias and all."""
    return {
        "kl": normal_kl(of.mean1, of.variance1, of.mean0, of.variance0),
        "kl_reverse": normal_kl(of.mean0, of.variance0, of.mean1, of.variance1),
    }


def _some(records: int, most: int, seed: int) -> np.ndarray:
    """All records, or a random choice where there are more."""
    if records <= most:
        return np.arange(records)
    return np.sort(seeds.generator(seed, "records", most).choice(records, most, replace=False))
