"""Section 8: how much information, in nats, bracketed by attacks from below and by noise from above."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from vestige.report.estimates import shown
from vestige.report.information_figures import checkpoint_figure, exposure_figure
from vestige.report.markup import bullets, figure, more, paragraph, section, table
from vestige.risk.estimate import Estimate
from vestige.risk.information import LIMIT, Agreement, AttackBound, Bracket, Check, Information
from vestige.risk.percent import error_rate
from vestige.risk.plane import Plane

TITLE = "How much information"
BITS_PER_NAT = float(1 / np.log(2))


@dataclass(frozen=True, kw_only=True, eq=False)
class InformationPage:
    """What the section shows: the findings and the estimated KL of each record, or why there are none.

    kl: [samples], in nats, of normal laws; unclipped, so that some lie below 0. None with `missing`.
    """

    found: Information | None
    kl: Float64[np.ndarray, "samples"] | None = None
    missing: str = ""


def information(page: InformationPage | None, plane: Plane | None) -> str:
    """Section 8: what the models tell of a record's presence in nats, estimator and direction beside it."""
    if page is None or page.found is None:
        return section("8", TITLE, paragraph(page.missing if page else "Not tested in this audit."))
    found = page.found
    parts = [paragraph(_intro(found)), paragraph(answer(found)), bracket_table(found), *_failures(found)]
    if len(found.by_checkpoint) > 2:
        parts.append(figure(checkpoint_figure(found)))
    if plane is not None and page.kl is not None:
        parts.append(figure(exposure_figure(page.kl, plane, found.headline)))
    parts += [_agreements(found.agreements), _consistency(found)]
    rest = (_amounts(found), _attacks(found.attack_bounds), _definitions(found), bullets(found.notes))
    return section("8", TITLE, *parts, more("Every quantity, its spread and its definition", *rest))


def answer(found: Information) -> str:
    """The mean divergence in one sentence, with its estimator, direction and interval in nats and bits."""
    amount, bracket = found.amount("kl"), found.bracket("kl")
    if amount is None or bracket is None or amount.mean.value is None:
        return "The divergence could not be estimated."
    lower = bracket.lower.value
    below = f" Attacks show at least {_nats(lower)}." if lower else " No attack shows a divergence above 0."
    above = bracket.upper.note or f"It is at most {_nats(bracket.upper.value or 0.0)}."
    return (
        f"Normal laws fitted to the scaled logits of {found.models:,} models give a mean KL divergence of "
        f"{_nats(amount.mean.value)} per record{_ends(amount.mean)}, {amount.q99:.3g} nats for the record at "
        f"the 99th percentile. It is an estimate from one number per model and record, and that number "
        f"tells at most what the model tells.{below} {above}"
    )


def bracket_table(found: Information) -> str:
    """Each quantity between what attacks show and what noise allows, and whether the order holds."""
    rows = [
        (
            f"{b.title}{f', {b.unit}' if b.unit else ''}",
            shown(b.lower),
            *(shown(estimate) for estimate in b.estimates),
            "no limit" if b.upper.value is None else shown(b.upper),
            verdict(b),
        )
        for b in found.brackets
    ]
    header = (
        "Mean over records",
        "Attacks show at least",
        *found.estimators,
        "At most",
        "Is the order kept?",
    )
    return table("From below and from above", header, rows, numeric=range(1, len(header) - 1)) + paragraph(
        "Attacks: thresholds are chosen on some targets and judged on others; the largest over all attacks "
        "holds at 95 % for the mean over records. In brackets: 95 % intervals over models trained anew.",
        "small",
    )


def verdict(bracket: Bracket) -> str:
    """Whether the bracket's inequalities hold, in words."""
    if bracket.failures:
        return "no, see below"
    unsure = any(check.word != "holds" for check in bracket.checks)
    return "within error" if unsure else "yes"


def failures(found: Information) -> tuple[str, ...]:
    """Which inequalities fail, and by how much."""
    return tuple(
        f"{b.title}: {c.left} should not exceed {c.right}, but does by {c.excess:.3g}"
        f"{f' {b.unit}' if b.unit else ''}, more than the intervals allow. {_reason(c)}"
        for b in found.brackets
        for c in b.failures
    )


def _reason(failed: Check) -> str:
    """What a failure says of the two sides: only the limit from above is no estimate."""
    if failed.right == LIMIT:
        return "A limit was broken: the estimate is too large, or the noise was not added as asked."
    return "The estimator misses part of what attacks see: read it as too small here."


def _failures(found: Information) -> list[str]:
    failed = failures(found)
    return [bullets(failed, "warnings")] if failed else []


def _intro(found: Information) -> str:
    return (
        "How far apart are the models trained with a record and those trained without it? KL, the divergence "
        "of the first from the second, limits every attack at every error rate; mutual information is what a "
        "model tells, on average, about a fair coin that decided whether the record was in, at most ln 2 = "
        f"0.693 nats = 1 bit. {found.randomness} All figures speak of this training on these records, not "
        f"of a single model. Each record has at least {found.models_in} models with it and "
        f"{found.models_out} without it."
    )


def _agreements(rows: tuple[Agreement, ...]) -> str:
    if not rows:
        return ""
    body = [(row.attack, shown(row.rank_correlation)) for row in rows]
    header = ("Attack", f"Rank correlation of the estimated KL with {rows[0].outcome}")
    return table("Does the estimate rank records as attacks do?", header, body, numeric=(1,))


def _consistency(found: Information) -> str:
    if not found.consistency:
        return ""
    body = [
        (error_rate(row.fpr), shown(row.measured), f"{row.expected:.3g}", f"{row.limit:.3g}")
        for row in found.consistency
    ]
    header = (
        "FPR",
        f"TPR of {found.headline}, measured",
        "TPR of the best attack on normal laws of the estimated KL",
        "Largest TPR that the estimated mean KL allows",
    )
    return table("The TPR that the estimate lets expect", header, body, numeric=range(4))


def _amounts(found: Information) -> str:
    rows = [
        (
            f"{a.title}{f', {a.unit}' if a.unit else ''}",
            shown(a.mean),
            f"{BITS_PER_NAT * a.mean.value:.3g}" if a.unit and a.mean.value is not None else "–",
            *(f"{value:.3g}" for value in (a.median, a.q90, a.q99, a.largest)),
            "–" if a.by_chance is None else f"{a.by_chance:.3g}",
        )
        for a in found.amounts
    ]
    header = ("Quantity", "Mean", "in bits", "Median", "q90", "q99", "Largest", "Mean by chance")
    caption = "Over the records; by chance: the same with coins drawn anew"
    return table(caption, header, rows, numeric=range(1, len(header)))


def _attacks(rows: tuple[AttackBound, ...]) -> str:
    body = [
        (r.attack, *(shown(e) for e in (r.kl, r.kl_reverse, r.mutual_information, r.advantage))) for r in rows
    ]
    header = ("Attack", "KL, nats", "Reverse KL, nats", "Mutual information, nats", "Advantage")
    return table("What each attack shows at least", header, body, numeric=range(1, 5))


def _definitions(found: Information) -> str:
    defined: dict[str, list[str]] = {}
    for amount in found.amounts:
        defined.setdefault(amount.definition, []).append(amount.title)
    rows = [("; ".join(titles), definition) for definition, titles in defined.items()]
    return table("How each quantity is estimated", ("Quantity", "Estimator, and on which side it lies"), rows)


def _nats(value: float) -> str:
    return f"{value:.3g} nats ({BITS_PER_NAT * value:.3g} bits)"


def _ends(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    return f" (95 % interval {estimate.low:.3g} to {estimate.high:.3g} nats)"
