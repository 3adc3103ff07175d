"""Sections 5 and 6: all records together, and who is at risk."""

from vestige.report.arrays import ReportArrays
from vestige.report.figures import auc_figure, roc_figure
from vestige.report.markup import figure, paragraph, section, table
from vestige.report.plane_figures import advantage_figure
from vestige.risk.curve import RocCurve
from vestige.risk.estimate import Estimate
from vestige.risk.exposure import ExposedRecord, Exposure
from vestige.risk.percent import error_rate, percent
from vestige.risk.rate import RateAtFpr
from vestige.risk.result import AuditResult
from vestige.risk.sentences import natural_frequency
from vestige.risk.summary import AttackSummary

TITLE_RATES = "Share of members named (TPR)"
TITLE_RANKS = "Figures over all thresholds"
TOGETHER = (
    "The next attacks assume an attacker who holds all candidates, among them the whole training set, and "
    "asks the model about each. They judge a record by who else seems to be a member, so set their figures "
    "beside those above as the risk from a stronger attacker, not as a better score of the same one."
)


def overall(result: AuditResult, arrays: ReportArrays) -> str:
    """Section 5: the figures of every attack over all records."""
    headline = result.headline
    together, alone = (
        tuple(one for one in result.attacks if one.transductive == which) for which in (True, False)
    )
    return section(
        "5",
        "All records together",
        paragraph(
            f"The headline attack is {headline.attack}. It was named before any score was seen. Intervals: "
            f"{headline.auc.method}; they speak of the training recipe, not of one model alone."
            if headline.clusters > 1
            else f"The headline attack is {headline.attack}. Intervals: {headline.auc.method}."
        ),
        _alone(alone, arrays),
        _together(together, arrays),
        _headline_table(headline),
        _frequencies(headline),
    )


def who(result: AuditResult, arrays: ReportArrays) -> str:
    """Section 6: single records on the plane."""
    found, plane = result.exposure, arrays.plane
    if found is None or plane is None:
        return section("6", "Who is at risk", paragraph("Not tested: no plane was counted."))
    intro = (
        f"With {found.attack}, records are named under each model {found.named}. A record's TPR counts the "
        f"models trained with it (about {found.models_in}), its FPR the models trained without it (about "
        f"{found.models_out}). Section 7 draws every record at its place. The place says how a record "
        "behaves in this test. It does not say that a given person was in the data."
    )
    regions = [
        (name, meaning, percent(share))
        for name, meaning, share in zip(found.shown, found.meaning, found.steps[-1].shares, strict=True)
    ]
    return section(
        "6",
        "Who is at risk",
        paragraph(intro),
        table(
            "Regions at the last checkpoint", ("Region", "Records that are", "Share"), regions, numeric=(2,)
        ),
        _records(found),
        figure(advantage_figure(arrays, plane)),
    )


def _curves(arrays: ReportArrays, attacks: tuple[AttackSummary, ...]) -> tuple[RocCurve, ...]:
    names = {one.attack for one in attacks}
    return tuple(curve for curve in arrays.curves if curve.attack in names)


def _alone(attacks: tuple[AttackSummary, ...], arrays: ReportArrays) -> str:
    """The attacks that judge each record by itself."""
    if not attacks:
        return ""
    return (
        _rate_table(attacks, TITLE_RATES)
        + figure(roc_figure(_curves(arrays, attacks)))
        + _rank_table(attacks, TITLE_RANKS)
        + figure(auc_figure(attacks))
        + _small_print(attacks, "Small print")
    )


def _together(attacks: tuple[AttackSummary, ...], arrays: ReportArrays) -> str:
    """The attacks that take all candidates together: another attacker, so tables and a chart of their own."""
    if not attacks:
        return ""
    return (
        paragraph(TOGETHER)
        + _rate_table(attacks, f"{TITLE_RATES}, all candidates together")
        + figure(roc_figure(_curves(arrays, attacks), together=True))
        + _rank_table(attacks, f"{TITLE_RANKS}, all candidates together")
        + _small_print(attacks, "Small print, all candidates together")
    )


def _rate_table(attacks: tuple[AttackSummary, ...], title: str) -> str:
    fprs = [rate.fpr for rate in attacks[0].rates]
    rows = [(a.attack, *(_rate(a.at(f)) for f in fprs)) for a in attacks]
    header = ("Attack", *(f"at FPR {error_rate(f)}" for f in fprs))
    return table(title, header, rows, numeric=range(1, len(header))) + _unsupported(attacks[0])


def _unsupported(headline: AttackSummary) -> str:
    notes = [r.tpr.note for r in headline.rates if not r.supported]
    return "".join(paragraph(note, "small") for note in notes)


def _rate(rate: RateAtFpr | None) -> str:
    return "not reported" if rate is None or rate.tpr.value is None else _with_interval(rate.tpr)


def _with_interval(estimate: Estimate) -> str:
    if estimate.value is None:
        return "–"
    if estimate.low is None or estimate.high is None:
        return percent(estimate.value)
    return f"{percent(estimate.value)} ({100 * estimate.low:.3g}–{100 * estimate.high:.3g})"


def _rank_table(attacks: tuple[AttackSummary, ...], title: str) -> str:
    rows = [
        (
            a.attack,
            _plain(a.auc),
            "–" if a.auc_sd is None else f"{a.auc_sd:.4f}",
            _plain(a.advantage),
            _plain(a.balanced_accuracy),
            f"{a.tied:,}",
            f"{a.unscored:,}",
        )
        for a in attacks
    ]
    header = ("Attack", "AUC", "Sd over targets", "Advantage", "Balanced accuracy", "Tied scores", "Unscored")
    return table(title, header, rows, numeric=range(1, 7))


def _plain(estimate: Estimate) -> str:
    if estimate.value is None:
        return "–"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} ({estimate.low:.3f}–{estimate.high:.3f})"


def _headline_table(headline: AttackSummary) -> str:
    rows = [
        (
            error_rate(r.fpr),
            f"{r.false_positives:,} of {r.false_positives_allowed:,}",
            _mean_and_sd(r),
            _with_interval(r.transferred_tpr),
            _with_interval(r.transferred_fpr),
            *(percent(p.value) for p in r.precision),
        )
        for r in headline.rates
        if r.supported
    ]
    header = (
        "FPR",
        "False positives made, allowed",
        "TPR, each target's own threshold: mean ± sd",
        "TPR, threshold from other targets",
        "FPR that this gave",
        "Members among those named, if 1 in 2 is one",
        "if 1 in 10",
        "if 1 in 100",
    )
    return table(f"{headline.attack} in detail", header, rows, numeric=range(1, 8))


def _mean_and_sd(rate: RateAtFpr) -> str:
    if rate.per_target_mean is None:
        return "too few non-members"
    spread = "" if rate.per_target_sd is None else f" ± {100 * rate.per_target_sd:.2g}"
    return f"{percent(rate.per_target_mean)}{spread}"


def _frequencies(headline: AttackSummary) -> str:
    return "".join(paragraph(natural_frequency(r)) for r in headline.rates if r.supported and r.fpr < 0.05)


def _small_print(attacks: tuple[AttackSummary, ...], title: str) -> str:
    rows = [(a.attack, a.small_print or "–", f"{a.targets:,}", f"{a.clusters:,}") for a in attacks]
    return table(title, ("Attack", "Options", "Targets", "Independent"), rows, numeric=(2, 3))


def _records(found: Exposure) -> str:
    header = (
        "Record",
        "Label",
        "TPR",
        "FPR",
        "Advantage",
        "Region",
        f"In {found.vulnerable} since epoch",
        "Share of time there since",
    )
    rows = [_record(record) for record in found.records]
    return table(f"The {len(rows)} most exposed records", header, rows, numeric=(2, 3, 4, 6, 7))


def _record(record: ExposedRecord) -> tuple[str, ...]:
    return (
        str(record.sample),
        record.label or "–",
        _with_interval(record.tpr),
        _with_interval(record.fpr),
        f"{record.advantage:.2f}",
        record.region,
        "–" if record.since_epoch is None else f"{record.since_epoch:g}",
        "–" if record.steadiness is None else percent(record.steadiness),
    )
