"""Who is given away, by three rules, and what cheap rankings find of them."""

import numpy as np
from jaxtyping import Bool, Float64, Int64

from vestige.core.errors import InputError
from vestige.data.membership import Membership
from vestige.explanations.opened_run import Grid, OpenedRun
from vestige.report.explanation_page import Ranking, Rule
from vestige.risk.estimate import Estimate
from vestige.risk.target_mean import target_mean
from vestige.vulnerability.memorization import memorization
from vestige.vulnerability.precision import SHARES, TopPrecision, precision_at_top
from vestige.vulnerability.stability import Stability, stability
from vestige.vulnerability.traces import cumulative_loss, learning_time, trace_iqr
from vestige.vulnerability.vulnerable import VulnerableSets, attack_set, global_set

LIRA = "lira-online-fixed"
TITLES = {
    "reference": "Above its references",
    "lira": "Likelihood ratio (LiRA)",
    "global": "One threshold for all",
}
MEMORIZATION = "Memorization (Feldman and Zhang 2020)"
LOW_FPR = 0.001  # where records count as vulnerable to LiRA in the literature on cheap rankings


def reference_scores(scaled_logits: Grid, membership: Membership) -> Grid:
    """Each target's scaled logit less the mean of its references without the sample, in logits.

    Higher = more likely a member (difficulty calibration, Watson et al. 2022, on scaled logits). The
    reference that would tell the target's coin is left out. NaN where a sample has no such reference.
    """
    scores = np.empty(scaled_logits.shape)
    for target, row in enumerate(scaled_logits):
        usable = membership.reference_mask(target) & ~membership.mask
        count = usable.sum(0)
        total = np.where(usable, scaled_logits, 0.0).sum(0)
        scores[target] = row - np.divide(total, count, out=np.full(len(row), np.nan), where=count > 0)
    return scores


def rule_scores(run: OpenedRun) -> dict[str, Grid]:
    """The scores behind each rule, [targets samples], higher = more likely a member."""
    logits, membership = run.values("scaled_logit"), run.plan.membership
    found = {"reference": reference_scores(logits, membership)}
    attacks = [attack.name for attack in run.prepared.attacks]
    ratio = LIRA if LIRA in attacks else next((name for name in attacks if name.startswith("lira")), None)
    if ratio is not None:
        found["lira"] = run.scores(ratio)
    return found | {"global": logits}


def vulnerable_sets(scores: dict[str, Grid], membership: Membership, fpr: float) -> dict[str, VulnerableSets]:
    """The members that each rule names at this error rate."""
    return {
        key: (global_set if key == "global" else attack_set)(values, membership, fpr)
        for key, values in scores.items()
    }


def rules(run: OpenedRun, scores: dict[str, Grid], sets: dict[str, VulnerableSets]) -> tuple[Rule, ...]:
    """Each rule with the stability of its sets over models and the share of wrong labels in them."""
    wrong = run.prepared.mislabelled
    return tuple(
        Rule(
            key=key,
            title=TITLES[key],
            sets=found,
            stability=_stability(found, scores[key]),
            mislabelled=None if wrong is None else _share_of(found, wrong),
            mislabelled_base=None if wrong is None else float(wrong.mean()),
        )
        for key, found in sets.items()
    )


def _stability(found: VulnerableSets, scores: Grid) -> Stability | None:
    """None where no two models have enough members in common, as in a single pair of halves."""
    try:
        return stability(found, scores)
    except InputError:
        return None


def _share_of(found: VulnerableSets, wrong: Bool[np.ndarray, "samples"]) -> Estimate:
    """The mean over targets, of those that give anybody away, of the share with a wrong label."""
    some = found.sizes > 0
    shares = (found.sets & wrong).sum(1)[some] / found.sizes[some]
    return target_mean(shares, found.clusters[some], "share with a wrong label")


def rankings(run: OpenedRun, lira: VulnerableSets) -> tuple[Ranking, ...]:
    """How well cheap rankings find the members that LiRA names, mean over targets.

    The first four need the target's own training run alone, the last one every model.
    """
    memorized = memorization(run.values("correct"), run.plan.membership).values
    some = np.flatnonzero(lira.sizes)
    found: dict[str, list[tuple[TopPrecision, ...]]] = {}
    for target in (int(target) for target in some):
        for title, values in {**_of_one_run(run, target), MEMORIZATION: memorized}.items():
            top = precision_at_top(values, lira.sets[target], SHARES, among=lira.member[target])
            found.setdefault(title, []).append(top)
    return tuple(
        Ranking(
            title=title,
            cost=f"{len(lira.member)} models" if title == MEMORIZATION else "one training run",
            top=tuple(_mean(list(tops), lira.clusters[some]) for tops in zip(*each, strict=True)),
        )
        for title, each in found.items()
    )


def _of_one_run(run: OpenedRun, target: int) -> dict[str, Float64[np.ndarray, "samples"]]:
    """Rankings that need the target's own training run alone, by title; higher = more likely vulnerable."""
    losses, epochs = run.trace("loss", target), run.past.epochs
    trained = losses[epochs > 0]  # the untrained model's losses are no part of a training run
    return {
        "Interquartile range of the loss over training": trace_iqr(trained),
        "Cumulative loss": cumulative_loss(trained),
        "Epoch since which it is predicted right": learning_time(run.trace("correct", target), epochs),
        "Final loss": losses[-1],
    }


def _mean(tops: list[TopPrecision], clusters: Int64[np.ndarray, "targets"]) -> TopPrecision:
    values = np.array([top.precision.value for top in tops], np.float64)
    return TopPrecision(
        share=tops[0].share,
        records=round(float(np.mean([top.records for top in tops]))),
        precision=target_mean(values, clusters, "mean over targets, bootstrap over independent ones"),
        recall=float(np.mean([top.recall for top in tops])),
        chance=float(np.mean([top.chance for top in tops])),
        ceiling=float(np.mean([top.ceiling for top in tops])),
    )
