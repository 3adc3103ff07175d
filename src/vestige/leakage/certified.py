"""Certified lower bounds: what any attack's ROC proves about leakage, in nats."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int

from vestige.core import seeds
from vestige.core.errors import InputError
from vestige.leakage.entropy import binary_entropy, binary_kl
from vestige.leakage.numbers import Numbers
from vestige.leakage.rate_limits import Events

Scores = Float64[np.ndarray, "targets records"]
Mask = Bool[np.ndarray, "targets records"]
Rates = Float64[np.ndarray, "thresholds"]

CANDIDATES = 128  # thresholds tried from either end of the ROC, at ranks in geometric steps
MEASURES = ("kl", "kl_reverse", "mutual_information")


@dataclass(frozen=True, kw_only=True)
class ProvenAt:
    """A bound and the rule that proves it: call a member what scores at least `threshold`.

    bound: nats, 0 where nothing is proven. tpr, fpr: as counted on the trials that had no part in choosing
    the threshold. tpr_low, fpr_high: their one-sided limits, which hold together at the confidence asked for.
    """

    bound: float
    threshold: float
    tpr: float
    tpr_low: float
    fpr: float
    fpr_high: float


@dataclass(frozen=True, kw_only=True)
class Certified:
    """Lower bounds of the leakage, averaged over records, each at this confidence by itself; in nats.

    A decision is data processing and KL is jointly convex: with TPR and FPR averaged over records,
    kl_bin(TPR || FPR) is at most the mean over records of KL(P1 || P0). In the same way the Jensen-Shannon
    divergence of the two rates, which is at least Fano's ln 2 - h(error), is at most the mean mutual
    information. So the average record is bounded, not the worst one, for the release together with whatever
    else the attack looked at.

    kl: of KL(P1 || P0). kl_reverse: of KL(P0 || P1). mutual_information: at prior 1/2.
    members, non_members: trials that the limits rest on. clusters: of trials that depend on each other.
    """

    kl: ProvenAt
    kl_reverse: ProvenAt
    mutual_information: ProvenAt
    confidence: float
    members: int
    non_members: int
    clusters: int
    notes: tuple[str, ...] = ()


def certified(
    scores: Numbers,
    membership: Numbers,
    clusters: Numbers | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> Certified:
    """The leakage that an attack proves: no release that leaks less can be attacked so well.

    scores: [targets records] or [records], higher = more likely a member; NaN is left out.
    membership: bool, same shape. clusters: [targets], targets with the same number are not independent of
    each other (two halves of one pair); None: every target stands alone.

    The threshold is chosen on one half and judged on the other, by Clopper-Pearson limits, each at
    (1 + confidence) / 2. From 4 clusters on, the halves are of clusters, and the number of trials is lowered
    by how much those of a cluster agree (Korn and Graubard 1998). Below, the halves are of records, which
    are taken for independent: `notes` says so. Each of the three bounds holds at the confidence by itself.

    Raises InputError for other shapes, a confidence outside (0, 1), or a half without members or non-members.
    """
    if not 0 < confidence < 1:
        raise InputError(f"confidence={confidence} must lie strictly between 0 and 1, such as 0.95")
    values, member = _checked(scores, membership)
    groups = _grouped(clusters, len(values))
    choosing, judging, by_cluster = _halves(values, groups, seed)
    units = groups if by_cluster else np.zeros_like(groups)
    tail = (1 - confidence) / 2
    thresholds = _chosen(values, member, choosing, units, tail)
    judged = _events(values, member, judging, units, thresholds)
    proven = dict(zip(MEASURES, _proven(judged, thresholds, tail), strict=True))
    return Certified(
        kl=proven["kl"],
        kl_reverse=proven["kl_reverse"],
        mutual_information=proven["mutual_information"],
        confidence=confidence,
        members=int((judging & member).sum()),
        non_members=int((judging & ~member).sum()),
        clusters=len(np.unique(groups[judging.any(1)])),
        notes=_notes(by_cluster),
    )


def _checked(scores: Numbers, membership: Numbers) -> tuple[Scores, Mask]:
    values, member = (
        np.atleast_2d(np.asarray(scores, np.float64)),
        np.atleast_2d(np.asarray(membership, bool)),
    )
    if values.shape != member.shape or values.ndim != 2:
        raise InputError(
            f"scores {values.shape} and membership {member.shape} must have one shape, [targets records]"
        )
    return values, member


def _grouped(clusters: Numbers | None, targets: int) -> Int[np.ndarray, "targets"]:
    labels = np.arange(targets) if clusters is None else np.asarray(clusters)
    if labels.shape != (targets,):
        raise InputError(
            f"clusters has shape {labels.shape}; give one number for each of the {targets} targets"
        )
    return np.unique(labels, return_inverse=True)[1]


def _halves(values: Scores, groups: Int[np.ndarray, "targets"], seed: int) -> tuple[Mask, Mask, bool]:
    """Where to choose, where to judge, and whether clusters were split (else records were)."""
    scored = ~np.isnan(values)
    random = seeds.generator(seed, "certified", "halves")
    number = int(groups.max(initial=0)) + 1
    by_cluster = number >= 4  # 2 on either side: fewer could not show how much trials of a cluster agree
    if by_cluster:
        chosen = np.isin(groups, random.permutation(number)[: number // 2])[:, None]
    else:
        chosen = (random.permutation(values.shape[1]) < values.shape[1] // 2)[None]
    return scored & chosen, scored & ~chosen, by_cluster


def _chosen(
    values: Scores, member: Mask, choosing: Mask, units: Int[np.ndarray, "targets"], tail: float
) -> Rates:
    """For each measure the threshold that would prove the most on the half for choosing."""
    candidates = _candidates(values[choosing & member], values[choosing & ~member])
    limits = _limits(_events(values, member, choosing, units, candidates), tail)
    return np.array([candidates[np.argmax(_bound(measure, *limits))] for measure in MEASURES])


def _candidates(
    members: Float64[np.ndarray, "members"], non_members: Float64[np.ndarray, "non_members"]
) -> Rates:
    """Thresholds at geometric ranks from the top non-member down and from the lowest member up."""
    if not len(members) or not len(non_members):
        raise InputError("scores: members and non-members are both needed to choose a threshold; give more")
    top, bottom = np.sort(non_members)[::-1], np.sort(members)
    return np.unique(
        np.concatenate([np.nextafter(top[_ranks(len(top))], np.inf), bottom[_ranks(len(bottom))]])
    )


def _ranks(length: int) -> Int[np.ndarray, "ranks"]:
    return np.unique(np.round(np.geomspace(1, length, CANDIDATES)).astype(np.int64)) - 1


def _events(
    values: Scores, member: Mask, where: Mask, groups: Int[np.ndarray, "targets"], thresholds: Rates
) -> tuple[Events, Events]:
    """How often members, and non-members, reach each threshold, by cluster."""
    return (
        _reached(values, where & member, groups, thresholds),
        _reached(values, where & ~member, groups, thresholds),
    )


def _reached(values: Scores, where: Mask, groups: Int[np.ndarray, "targets"], thresholds: Rates) -> Events:
    happened: list[Float64[np.ndarray, "thresholds"]] = []
    trials: list[float] = []
    for group in range(int(groups.max()) + 1):
        chosen = np.sort(values[groups == group][where[groups == group]])
        if len(chosen):
            happened.append(len(chosen) - np.searchsorted(chosen, thresholds, side="left").astype(np.float64))
            trials.append(float(len(chosen)))
    if not trials:
        raise InputError("scores: members and non-members are both needed to judge a threshold; give more")
    return Events(np.stack(happened), np.array(trials)[:, None])


def _limits(events: tuple[Events, Events], tail: float) -> tuple[Rates, Rates]:
    """The lowest TPR and the highest FPR that the counts leave."""
    return events[0].low(tail), events[1].high(tail)


def _bound(measure: str, tpr: Rates, fpr: Rates) -> Rates:
    """What a TPR of at least, and an FPR of at most this much prove, in nats; 0 where TPR <= FPR."""
    high = np.maximum(tpr, fpr)
    if measure == "kl":
        return binary_kl(high, fpr)
    if measure == "kl_reverse":
        return binary_kl(fpr, high)
    told = binary_entropy((high + fpr) / 2) - (binary_entropy(high) + binary_entropy(fpr)) / 2
    return np.maximum(told, 0.0)


def _proven(events: tuple[Events, Events], thresholds: Rates, tail: float) -> list[ProvenAt]:
    tpr_low, fpr_high = _limits(events, tail)
    return [
        ProvenAt(
            bound=float(_bound(measure, tpr_low[[at]], fpr_high[[at]])[0]),
            threshold=float(thresholds[at]),
            tpr=float(events[0].rate[at]),
            tpr_low=float(tpr_low[at]),
            fpr=float(events[1].rate[at]),
            fpr_high=float(fpr_high[at]),
        )
        for at, measure in enumerate(MEASURES)
    ]


def _notes(by_cluster: bool) -> tuple[str, ...]:
    if by_cluster:
        return ("the limits allow for trials of one cluster that depend on each other",)
    return (
        "fewer than 4 clusters: the limits take the records of a model for independent trials; "
        "4 independent targets or more would show whether they are",
    )
