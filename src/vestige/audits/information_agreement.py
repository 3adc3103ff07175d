"""Whether the estimated divergence ranks records as attacks do, and which TPR it lets expect."""

import numpy as np
from jaxtyping import Bool, Float64

from vestige.audits.left_out import LeftOut
from vestige.leakage.limits import max_tpr
from vestige.leakage.shift import gaussian_tpr
from vestige.risk.information import Agreement, Consistency
from vestige.risk.operating_point import ALPHA, PopulationFPR
from vestige.risk.percent import error_rate
from vestige.risk.summary import AttackSummary
from vestige.stats.ranks import spearman

FPRS = (0.01, 0.001)

Scores = Float64[np.ndarray, "targets samples"]
Mask = Bool[np.ndarray, "targets samples"]
Values = Float64[np.ndarray, "samples"]


def agreement(
    attack: str,
    scores: Scores,
    member: Mask,
    kl: Values,
    replicates: Float64[np.ndarray, "groups samples"],
    left_out: LeftOut,
) -> Agreement:
    """The rank correlation of each record's KL with its TPR - FPR, where targets name it at an FPR of 1 %.

    replicates: the KL of each record without each group of models; the targets of the group go with them.
    """
    point = PopulationFPR(ALPHA)
    named = np.stack([point.named(row, coin) for row, coin in zip(scores, member, strict=True)])
    right, wrong = (named & member).astype(np.float64), (named & ~member).astype(np.float64)
    inside, outside = member.astype(np.float64), (~member).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        advantage = right.sum(0) / inside.sum(0) - wrong.sum(0) / outside.sum(0)
        again = left_out.sums(right) / left_out.sums(inside) - left_out.sums(wrong) / left_out.sums(outside)
    pairs = zip(replicates, again, strict=True)
    spread = np.array([spearman(one, other) for one, other in pairs], np.float64)
    return Agreement(
        attack=attack,
        outcome=f"TPR − FPR where targets name it at an FPR of {error_rate(ALPHA)}",
        rank_correlation=left_out.estimate(spearman(kl, advantage), spread, -1.0, 1.0),
    )


def consistency(headline: AttackSummary, kl: Values, kl_reverse: Values) -> tuple[Consistency, ...]:
    """The headline's TPR at 1 % and 0.1 % beside what the estimated divergences let expect and allow."""
    shift = np.sqrt(2 * np.clip(kl, 0.0, None))
    mean, reverse = float(np.nanmean(kl)), float(np.nanmean(kl_reverse))
    rates = ((fpr, headline.at(fpr)) for fpr in FPRS)
    return tuple(
        Consistency(
            fpr=fpr,
            measured=rate.tpr,
            expected=float(np.nanmean(gaussian_tpr(shift, fpr))),
            limit=float(max_tpr(mean, fpr, reverse)),
        )
        for fpr, rate in rates
        if rate is not None
    )
