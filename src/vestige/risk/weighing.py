"""What speaks against a release, what speaks for it, and what is unknown."""

from dataclasses import dataclass

from vestige.risk.identity import NOT_SUPPLIED, Accuracy
from vestige.risk.percent import error_rate, percent
from vestige.risk.region import REGIONS, SAFE
from vestige.risk.result import AuditResult
from vestige.risk.verdict import EXCEEDS, WITHIN

GAP = 0.1  # between accuracy on members and on non-members; our own choice of what is worth a remark


@dataclass(frozen=True, kw_only=True)
class Weighing:
    """Three lists of sentences for a person to weigh; nothing is added up."""

    against: tuple[str, ...]
    favor: tuple[str, ...]
    unknown: tuple[str, ...]


def weigh(result: AuditResult) -> Weighing:
    """The three lists of one result; without valid controls only what is unknown."""
    if not result.valid:
        failed = ", ".join(c.name for c in result.controls if c.passed is False)
        sentence = f"Everything: a validity control failed ({failed}), so the figures may not be trusted."
        return Weighing(against=(), favor=(), unknown=(sentence, *_unknown(result)))
    return Weighing(
        against=tuple(_against(result)), favor=tuple(_favor(result)), unknown=tuple(_unknown(result))
    )


def _against(result: AuditResult) -> list[str]:
    found: list[str] = []
    auc, exposure = result.headline.auc, result.exposure
    if auc.value is not None and auc.low is not None and auc.low > 0.5:
        found.append(f"Members can be told from non-members: AUC {auc.value:.3f}, and chance is 0.5.")
    if result.verdict.word == EXCEEDS:
        found.append(f"The declared policy ({result.verdict.policy}) is exceeded.")
    if exposure is not None and exposure.high:
        share = percent(exposure.high / exposure.samples)
        found.append(
            f"{exposure.high:,} of {exposure.samples:,} records ({share}) end in the region "
            f"{exposure.vulnerable}."
        )
    gap = accuracy_gap(result.accuracies)
    if gap is not None and gap > GAP:
        found.append(
            f"Accuracy is {100 * gap:.0f} points higher on members than on non-members (overfitting)."
        )
    return found


def _favor(result: AuditResult) -> list[str]:
    found: list[str] = []
    auc, exposure = result.headline.auc, result.exposure
    if auc.low is not None and auc.high is not None and auc.low <= 0.5 <= auc.high:
        found.append("The headline attack is not distinguishable from chance on average over all records.")
    if result.verdict.word == WITHIN:
        found.append(f"The declared policy ({result.verdict.policy}) is kept, with the whole interval.")
    if exposure is not None:
        if exposure.regions == REGIONS:
            low = percent(exposure.steps[-1].shares[SAFE])
            found.append(f"{low} of the records end in the region {exposure.shown[SAFE]}: seldom named.")
        if exposure.high == 0:
            found.append(f"No record ends in the region {exposure.vulnerable}.")
    gap = accuracy_gap(result.accuracies)
    if gap is not None and gap <= GAP:
        found.append(f"Accuracy on members and non-members differs by {100 * gap:.0f} points only.")
    return found


def _unknown(result: AuditResult) -> list[str]:
    missing = [row.family for row in result.coverage if not row.tested]
    found = [f"{len(missing)} families of attack were not tested (section 2)."] if missing else []
    silent = [error_rate(r.fpr) for r in result.headline.rates if not r.supported]
    if silent:
        found.append(f"Error rates of {' and '.join(silent)} and below: too few non-members.")
    if result.identity.release_context == NOT_SUPPLIED:
        found.append("Who will be able to query the model: the release context was not supplied.")
    found.append("Attacks that are not yet known, and attackers with other data than these.")
    return found


def accuracy_gap(accuracies: tuple[Accuracy, ...]) -> float | None:
    """Mean accuracy on members less that on non-members; None where either is missing."""
    means = {a.part: a.mean for a in accuracies}
    if "members" not in means or "non-members" not in means:
        return None
    return means["members"] - means["non-members"]
