"""Page one: what was audited, and the answer."""

from vestige.report.bar import interval_bar
from vestige.report.markup import bullets, facts, paragraph, section, text
from vestige.risk.result import AuditResult
from vestige.risk.sentences import detection, natural_frequency
from vestige.risk.verdict import Policy
from vestige.risk.weighing import weigh

KINDS = {"exceeds": "exceeds", "within": "within", "cannot tell": "unsure", "not tested": "untested"}


def masthead(result: AuditResult) -> str:
    """Section 0: what was audited, by whom and when."""
    it = result.identity
    rows = (
        ("Model", it.model),
        ("Data", f"{it.dataset}, {it.samples:,} records, {it.classes} classes"),
        ("Checkpoint", it.checkpoint),
        ("Date", it.date),
        ("Tool", f"Vestige {it.tool_version}, {it.edition} edition"),
        ("Release context", it.release_context),
        ("Operator", it.operator),
        ("Reviewer", it.reviewer),
    )
    return (
        '<header class="masthead"><p class="brand">Vestige · membership privacy audit</p>'
        f"<h1>{text(it.title)}</h1>{facts(rows)}</header>"
    )


def answer(result: AuditResult) -> str:
    """Section 1: the verdict, the headline figure, and what to weigh."""
    verdict, kind = result.verdict, KINDS[result.verdict.word]
    head = (
        f'<div class="verdict {kind}"><p class="word"><span>Verdict</span> {text(verdict.word)}</p>'
        f"{paragraph(verdict.sentence)}{_policy(verdict.policy)}</div>"
    )
    if not result.valid:
        return section("1", "The answer", _withheld(result), head, _lists(result), _warnings(result))
    return section(
        "1", "The answer", head, _headline(result), _figures(result), _lists(result), _warnings(result)
    )


def _policy(policy: Policy | None) -> str:
    if policy is None:
        return ""
    return paragraph(f"Chosen by: {policy.chosen_by}. Reason: {policy.reason}.", "small")


def _withheld(result: AuditResult) -> str:
    failed = [c for c in result.controls if c.passed is False]
    reasons = bullets(f"{c.name}: {c.purpose}" for c in failed)
    return (
        '<div class="banner" role="alert"><strong>A validity control failed.</strong> The figures may '
        f"measure something else than membership. They are shown so that the fault can be found."
        f"{reasons}</div>"
    )


def _headline(result: AuditResult) -> str:
    claim, rate = result.claim, result.headline.lowest_supported
    chance = 0.5 if rate is None else rate.fpr
    policy = result.verdict.policy
    limit = policy.limit if policy is not None and policy.metric == claim.metric else None
    bar = interval_bar(claim.estimate, chance=chance, limit=limit)
    plain = paragraph(natural_frequency(rate)) if rate is not None else ""
    method = f"Attacker: {claim.attacker}. Sample: {claim.sample}. Interval: {claim.estimate.method}."
    return (
        f'<div class="headline"><p class="claim">{text(claim.sentence)}</p>{bar}'
        f"{paragraph(detection(claim.estimate, chance))}{plain}"
        f"{paragraph(method, 'small')}</div>"
    )


def _figures(result: AuditResult) -> str:
    auc, exposure = result.headline.auc, result.exposure
    ran = [c for c in result.controls if c.passed is not None]
    cards = [
        (
            "AUC",
            "–" if auc.value is None else f"{auc.value:.3f}",
            f"{_range(auc.low, auc.high)}; chance is 0.5",
        )
    ]
    if exposure is not None:
        cards.append(("Highly exposed", f"{exposure.high:,}", f"of {exposure.samples:,} records"))
        when = exposure.half_by_epoch
        cards.append(
            ("Half of these there by", "–" if when is None else f"epoch {when:g}", "and stayed to the end")
        )
    passed = sum(c.passed is True for c in ran)
    cards.append(
        ("Controls passed", f"{passed} of {len(result.controls)}", "the test itself was tested, section 4")
    )
    body = "".join(
        f'<div class="card"><p class="label">{text(label)}</p><p class="value">{text(value)}</p>'
        f'<p class="small">{text(note)}</p></div>'
        for label, value, note in cards
    )
    return f'<div class="cards">{body}</div>'


def _lists(result: AuditResult) -> str:
    lists = weigh(result)
    columns = (
        ("Speaks against release", lists.against),
        ("Speaks for it", lists.favor),
        ("Unknown", lists.unknown),
    )
    body = "".join(
        f"<div><h3>{name}</h3>{bullets(rows or ('Nothing found.',))}</div>" for name, rows in columns
    )
    return f'<div class="columns">{body}</div>'


def _warnings(result: AuditResult) -> str:
    if not result.warnings:
        return ""
    return f'<div class="warnings"><h3>Warnings</h3>{bullets(result.warnings)}</div>'


def _range(low: float | None, high: float | None) -> str:
    return "no interval" if low is None or high is None else f"{low:.3f} to {high:.3f}"
