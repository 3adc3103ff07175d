"""Fixed sentences, generated from numbers."""

from vestige.risk.estimate import Z_80, Z_95, Estimate
from vestige.risk.exposure import Exposure
from vestige.risk.percent import error_rate, percent
from vestige.risk.rate import RateAtFpr, precision
from vestige.risk.result import AuditResult, Claim
from vestige.risk.summary import AttackSummary
from vestige.risk.verdict import NOT_TESTED

NOTHING_WRITTEN = "No report was written."


def interval(estimate: Estimate) -> str:
    """The interval in words, or the note where there is none."""
    if estimate.low is None or estimate.high is None:
        return estimate.note or "no interval"
    return f"{100 * estimate.confidence:g} % interval {percent(estimate.low)} to {percent(estimate.high)}"


def detection(estimate: Estimate, chance: float) -> str:
    """Whether the interval lies above chance; if not, the smallest effect that would have been seen."""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return estimate.note
    low, high = _number(estimate.low, chance), _number(estimate.high, chance)
    if estimate.low > chance:
        return f"Above chance: interval {low} to {high} lies wholly over the chance line."
    if estimate.high < chance:
        return (
            f"Below chance: interval {low} to {high} lies wholly under the chance line. "
            "Check the sign of the signals."
        )
    return (
        "Not distinguishable from chance. An effect of at least "
        f"{_number(smallest_visible(estimate, chance), chance)} would very probably (80 %) have been seen; "
        "smaller ones cannot be excluded."
    )


def _number(value: float, chance: float) -> str:
    """An AUC, whose chance is one half, as a number; a rate as a percentage."""
    return f"{value:.3f}" if chance == 0.5 else percent(value)


def smallest_visible(estimate: Estimate, chance: float) -> float:
    """The value that would have been found above chance with 80 % power, given this interval's width."""
    error = estimate.standard_error or 0.0
    return chance + (Z_95 + Z_80) * error


def natural_frequency(rate: RateAtFpr, prior: float = 0.01) -> str:
    """What being named means, counted in people."""
    if rate.tpr.value is None:
        return rate.tpr.note
    named = round(100 * precision(rate.tpr.value, rate.fpr, prior))
    return (
        f"If 1 in {round(1 / prior):,} candidates is a member, of 100 people named at an error rate of "
        f"{error_rate(rate.fpr)} about {named} are members."
    )


def claim(summary: AttackSummary, attacker: str, date: str) -> Claim:
    """The headline claim at the lowest error rate that the sample can carry, else by AUC."""
    rate = summary.lowest_supported
    sample = (
        f"{summary.members:,} members and {summary.non_members:,} non-members in {summary.targets} targets, "
        f"{summary.distinct_samples:,} different records"
    )
    metric = f"tpr@{rate.fpr:g}" if rate else "auc"
    return Claim(
        attack=summary.attack,
        attacker=attacker,
        sample=sample,
        date=date,
        metric=metric,
        estimate=rate.tpr if rate else summary.auc,
        sentence=_named(summary.attack, rate) if rate else _ranked(summary),
    )


def _named(attack: str, rate: RateAtFpr) -> str:
    assert rate.tpr.value is not None
    return (
        f"{attack} named {percent(rate.tpr.value)} of members while wrongly naming at most "
        f"{error_rate(rate.fpr)} of non-members ({interval(rate.tpr)}; {rate.members:,} members, "
        f"{rate.non_members:,} non-members)."
    )


def _ranked(summary: AttackSummary) -> str:
    auc = summary.auc.value if summary.auc.value is not None else float("nan")
    return (
        f"{summary.attack} ranked a member above a non-member {percent(auc)} of the time "
        f"({interval(summary.auc)}; chance is 50 %). The sample carries no low error rate."
    )


def terminal_lines(result: AuditResult) -> tuple[str, str, str, str, str]:
    """How exposed, how sure, the most exposed records, since when, and where the report is."""
    return (
        _how_exposed(result),
        _how_sure(result),
        _which_records(result.exposure),
        since_when(result.exposure),
        f"Report: {result.report}" if result.report else NOTHING_WRITTEN,
    )


def _how_exposed(result: AuditResult) -> str:
    if not result.valid:
        return "How exposed: not judged, because a validity control failed."
    auc = result.headline.auc.value
    also = "" if result.claim.metric == "auc" or auc is None else f" AUC {auc:.3f} (chance 0.5)."
    return f"How exposed: {result.claim.sentence}{also}"


def _how_sure(result: AuditResult) -> str:
    ran = [c for c in result.controls if c.passed is not None]
    failed = [c.name for c in ran if c.passed is False]
    summary = result.headline
    checks = (
        f"failed: {', '.join(failed)}"
        if failed
        else f"{len(ran)} of {len(result.controls)} ran and all passed"
    )
    spread = f"intervals from {summary.clusters} independent target{'s' if summary.clusters != 1 else ''}"
    word = "no policy declared" if result.verdict.policy is None else f"policy: {result.verdict.word}"
    if failed and result.verdict.word == NOT_TESTED:
        word = "verdict withheld"
    return f"How sure: {spread}; validity controls: {checks}; {word}."


def _which_records(exposure: Exposure | None) -> str:
    if exposure is None or not exposure.records:
        return "Most exposed records: not tested, because no plane was counted."
    rows = ", ".join(str(r.sample) for r in exposure.records)
    return f"Most exposed records (row numbers): {rows}."


def since_when(exposure: Exposure | None) -> str:
    """From which epoch on the exposed records were exposed."""
    if exposure is None:
        return "Since when: not tested, because no checkpoints are on record."
    if exposure.high == 0 or exposure.half_by_epoch is None:
        return (
            f"Since when: none of the {exposure.samples:,} records ends in the region {exposure.vulnerable}."
        )
    if len(exposure.steps) < 2:
        return (
            f"Since when: {exposure.high:,} of {exposure.samples:,} records end in {exposure.vulnerable}; "
            "with one checkpoint nothing can be said of earlier ones."
        )
    return (
        f"Since when: of the {exposure.high:,} records that end in {exposure.vulnerable} "
        f"(of {exposure.samples:,}), "
        f"half were there to stay by epoch {exposure.half_by_epoch:g}."
    )
