"""Which members an attack names at a low error rate, and whether they are more than chance would name."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64
from scipy import stats

from vestige.core import check
from vestige.core.errors import InputError
from vestige.data.membership import Membership, from_mask
from vestige.explain.given import Coins, coins, matrix
from vestige.leakage.numbers import Numbers
from vestige.risk.estimate import Estimate
from vestige.risk.operating_point import ALPHA, PopulationFPR
from vestige.risk.target_mean import target_mean

TAILS = (0.025, 0.975)
CALIBRATIONS = ("population", "reference")

Mask = Bool[np.ndarray, "targets samples"]
Values = Float64[np.ndarray, "targets samples"]


@dataclass(frozen=True, kw_only=True, eq=False)
class VulnerableSets:
    """The members that each target gives away, and what exchangeable members and non-members would give.

    rule: how they were chosen, in words. fpr: the error rate at which they were.
    named: [targets samples], everyone named; `sets` are the members among them.
    member: [targets samples]. clusters: [targets], equal for dependent targets.
    chance_low, chance_high: [targets], where the size of the set falls in 95 % of cases if members and
      non-members are exchangeable.
    notes: what a reader should know about the thresholds.
    """

    rule: str
    fpr: float
    named: Mask
    member: Mask
    clusters: Int64[np.ndarray, "targets"]
    chance_low: Float64[np.ndarray, "targets"]
    chance_high: Float64[np.ndarray, "targets"]
    notes: tuple[str, ...] = ()

    @property
    def sets(self) -> Mask:
        """The members that each target gives away."""
        return self.named & self.member

    @property
    def sizes(self) -> Int64[np.ndarray, "targets"]:
        """How many members each target gives away."""
        return self.sets.sum(1, dtype=np.int64)

    @property
    def expected(self) -> Float64[np.ndarray, "targets"]:
        """How many chance would name: fpr times the number of members."""
        return self.fpr * self.member.sum(1)

    @property
    def beyond_chance(self) -> Bool[np.ndarray, "targets"]:
        """Whether the set is larger than exchangeable members and non-members would make it."""
        return self.sizes > self.chance_high

    @property
    def vulnerability(self) -> Float64[np.ndarray, "samples"]:
        """The share of targets trained on each sample that give it away, 0 to 1; NaN if none was."""
        trained = self.member.sum(0)
        return np.divide(self.sets.sum(0), trained, out=np.full(len(trained), np.nan), where=trained > 0)

    def mean_share(self, seed: int = 0) -> Estimate:
        """The mean over targets of the share of members given away, 0 to 1; chance gives `fpr`."""
        shares = self.sizes / self.member.sum(1)
        return target_mean(shares, self.clusters, "share of members named", seed=seed)

    def times_chance(self, seed: int = 0) -> Estimate:
        """The mean share over the one that chance expects; 1 = chance, higher = more members given away."""
        return self.mean_share(seed).scaled(1 / self.fpr)


def global_set(
    scaled_logits: Numbers, membership: Numbers | Membership, fpr: int | float = ALPHA
) -> VulnerableSets:
    """Members whose scaled logit reaches the 100 (1 - fpr) percentile of the target's non-members.

    The rule of the code of Khalil et al. 2025. The scaled logit falls strictly with the loss, so this names
    the members of lowest loss; compare the size of the set with chance before reading anything into it.

    scaled_logits: [targets samples], logits. membership: [targets samples] bool, or a Membership.

    Raises InputError for other shapes, values that are not finite, or an fpr outside (0, 1).
    """
    rate = _rate(fpr)
    values = matrix("scaled_logits", scaled_logits)
    if not np.isfinite(values).all():
        raise InputError("scaled_logits hold NaN or infinity; remove these samples")
    who = coins(membership, values.shape)

    def named(row: np.ndarray, inside: np.ndarray) -> np.ndarray:
        return row >= np.percentile(row[~inside], 100 * (1 - rate))

    rule = f"scaled logit, {100 * (1 - rate):g}th percentile"
    return _by_population(rule, values, who, rate, named, _interpolated(rate, who))


def attack_set(
    scores: Numbers,
    membership: Numbers | Membership,
    fpr: int | float = ALPHA,
    *,
    calibration: str = "population",
) -> VulnerableSets:
    """Members that an attack's scores name at this error rate.

    scores: [targets samples], higher = more likely a member; NaN = could not be scored, never named.
    membership: [targets samples] bool, or a Membership.
    calibration: "population" names what at most the share fpr of the target's own non-members exceeds;
      "reference" judges each sample by the scores that it gets from other models not trained on it, a
      threshold of its own: the rank among them, (1 + #{reference >= score}) / (1 + references), is at most
      fpr. All models must then be targets. The reference that would tell the target's coin is left out.
      Give a signal such as scaled logits: a score fitted to references, such as LiRA's, leaves the judged
      model out of its own fit, which lowers members' scores against the others', so this then names too few.

    An fpr that the non-members or the references cannot carry is raised to the lowest that they can; a note
    says so. Raises InputError for other shapes, an unknown calibration or an fpr outside (0, 1).
    """
    rate = _rate(fpr)
    check.one_of("calibration", calibration, CALIBRATIONS)
    values = matrix("scores", scores)
    who = coins(membership, values.shape)
    if calibration == "reference":
        return _by_references(values, who, membership, rate)
    fewest = int((~who.member & ~np.isnan(values)).sum(1).min())
    if not fewest:
        raise InputError("scores: a target has no scored non-member to set a threshold on; leave it out")
    lowest = max(rate, 1 / fewest)
    point = PopulationFPR(lowest)
    notes = _raised(rate, lowest, f"{fewest:,} non-members per target")
    return _by_population("own non-members", values, who, lowest, point.named, notes)


def _rate(fpr: int | float) -> float:
    if not 0 < fpr < 1:
        raise InputError(f"fpr={fpr} must lie strictly between 0 and 1, such as 0.01")
    return float(fpr)


def _interpolated(fpr: float, who: Coins) -> tuple[str, ...]:
    fewest = int((~who.member).sum(1).min())
    if fpr * fewest >= 1:
        return ()
    return (
        f"FPR {100 * fpr:g} % of {fewest:,} non-members is less than one: the percentile is interpolated.",
    )


def _raised(asked: float, used: float, why: str) -> tuple[str, ...]:
    if used <= asked:
        return ()
    return (
        f"Members are named at FPR {100 * used:.3g} % instead of {100 * asked:g} %: {why} carry no lower.",
    )


def _by_population(
    rule: str,
    values: Values,
    who: Coins,
    fpr: float,
    named: Callable[[np.ndarray, np.ndarray], np.ndarray],
    notes: tuple[str, ...] = (),
) -> VulnerableSets:
    found = np.stack([named(row, inside) for row, inside in zip(values, who.member, strict=True)])
    scored = ~np.isnan(values)
    inside, outside = (scored & who.member).sum(1), (scored & ~who.member).sum(1)
    # among exchangeable scores, the members before the (k + 1)th non-member are beta-binomial
    wrong = (found & ~who.member).sum(1)
    low, high = (
        stats.betabinom.ppf(tail, inside, wrong + 1, np.maximum(outside - wrong, 1)) for tail in TAILS
    )
    return VulnerableSets(
        rule=rule,
        fpr=fpr,
        named=found,
        member=who.member,
        clusters=who.clusters,
        chance_low=np.asarray(low, np.float64),
        chance_high=np.asarray(high, np.float64),
        notes=notes,
    )


def _by_references(
    values: Values, who: Coins, membership: Numbers | Membership, fpr: float
) -> VulnerableSets:
    design = membership if isinstance(membership, Membership) else from_mask(who.member)
    ranks, fewest = np.empty(values.shape), values.shape[0]
    for target, row in enumerate(values):
        usable = design.reference_mask(target) & ~who.member & ~np.isnan(values)
        ranks[target] = (1 + (usable & (values >= row)).sum(0)) / (1 + usable.sum(0))
        fewest = int(usable.sum(0)[~np.isnan(row)].min(initial=fewest))
    if not fewest:
        raise InputError("scores: a sample has no reference that was trained without it; use more models")
    lowest = max(fpr, 1 / (1 + fewest))
    named = (ranks <= lowest * (1 + 1e-12)) & ~np.isnan(values)
    scored = (who.member & ~np.isnan(values)).sum(1)
    low, high = (stats.binom.ppf(tail, scored, lowest) for tail in TAILS)
    return VulnerableSets(
        rule="each sample's references",
        fpr=lowest,
        named=named,
        member=who.member,
        clusters=who.clusters,
        chance_low=np.asarray(low, np.float64),
        chance_high=np.asarray(high, np.float64),
        notes=_raised(fpr, lowest, f"{fewest:,} references per sample"),
    )
