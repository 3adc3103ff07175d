"""A policy that the user declares, and what the interval of a figure says about it."""

import re
from dataclasses import dataclass

from vestige.core.errors import InputError, unknown_name
from vestige.risk.control import Control
from vestige.risk.estimate import Estimate, unsupported
from vestige.risk.percent import error_rate, percent
from vestige.risk.summary import AttackSummary

EXCEEDS, WITHIN, CANNOT_TELL, NOT_TESTED = "exceeds", "within", "cannot tell", "not tested"
METRICS = ("auc", "advantage", "tpr@FPR")

NO_POLICY = "No policy was declared, so the figures are not judged."


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The largest value of a metric that the user accepts, and who chose it for what reason.

    metric: "auc", "advantage" or "tpr@" with a false positive rate, such as "tpr@0.001".
    """

    metric: str
    limit: float
    chosen_by: str = "not supplied"
    reason: str = "not supplied"

    def __post_init__(self) -> None:
        if self.fpr is None and self.metric not in METRICS[:2]:
            raise unknown_name("policy metric", self.metric, METRICS)
        if not 0 <= self.limit <= 1:
            raise InputError(f"policy limit={self.limit} must lie between 0 and 1; 2 % is written 0.02")

    @property
    def fpr(self) -> float | None:
        """The false positive rate of a "tpr@" metric; None for other metrics."""
        name, _, rate = self.metric.partition("@")
        if name != "tpr":
            return None
        return _rate(rate, self.metric)

    @property
    def in_words(self) -> str:
        """The policy for readers who do not know the metric's name."""
        if self.fpr is not None:
            return (
                f"at most {percent(self.limit)} of members named at an error rate of {error_rate(self.fpr)}"
            )
        return f"{'an AUC' if self.metric == 'auc' else 'an advantage'} of at most {self.limit:g}"

    def __str__(self) -> str:
        return f"{self.metric} <= {self.limit:g}"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One of "exceeds", "within", "cannot tell" and "not tested", and the sentence that goes with it.

    estimate: the figure that was judged; without a value where nothing was judged.
    exit_code: 0 within or not judged, 1 exceeds, 3 a control failed, 4 cannot tell.
    """

    word: str
    sentence: str
    exit_code: int
    estimate: Estimate
    policy: Policy | None = None


def parse_policy(text: str, chosen_by: str = "not supplied", reason: str = "not supplied") -> Policy:
    """The policy written as "tpr@0.001<=0.02".

    Raises InputError for an unknown metric, another comparison than <=, or a limit that is no number.
    """
    match = re.fullmatch(r"\s*([^<>=\s]+)\s*<=\s*(\S+)\s*", text)
    if match is None:
        raise InputError(f'policy={text!r} must read METRIC<=LIMIT, such as "tpr@0.001<=0.02"')
    metric, limit = match.groups()
    try:
        value = float(limit)
    except ValueError:
        raise InputError(f"policy={text!r}: the limit {limit!r} is not a number, such as 0.02") from None
    return Policy(metric=metric, limit=value, chosen_by=chosen_by, reason=reason)


def judge(policy: Policy | None, headline: AttackSummary, controls: tuple[Control, ...]) -> Verdict:
    """The verdict on the headline attack, decided on the interval and never on the value alone.

    low > limit: exceeds. high <= limit: within. Else, or where the sample cannot carry the figure:
    cannot tell. A failed control withholds the verdict.

    Raises InputError when the policy names a false positive rate that was not computed.
    """
    failed = [c.name for c in controls if c.passed is False]
    if failed:
        sentence = f"The verdict is withheld: {_listed(failed)} failed, so the figures may not be trusted."
        return Verdict(
            word=NOT_TESTED, sentence=sentence, exit_code=3, estimate=unsupported(sentence), policy=policy
        )
    if policy is None:
        return Verdict(word=NOT_TESTED, sentence=NO_POLICY, exit_code=0, estimate=unsupported(NO_POLICY))
    estimate = measured(policy, headline)
    word = _word(estimate, policy.limit)
    exit_code = {EXCEEDS: 1, WITHIN: 0, CANNOT_TELL: 4}[word]
    sentence = _sentence(word, policy, estimate, headline.attack)
    return Verdict(word=word, sentence=sentence, exit_code=exit_code, estimate=estimate, policy=policy)


def measured(policy: Policy, summary: AttackSummary) -> Estimate:
    """The figure that the policy speaks of.

    Raises InputError when it names a false positive rate that was not computed.
    """
    if policy.fpr is None:
        return {"auc": summary.auc, "advantage": summary.advantage}[policy.metric]
    rates = summary.at(policy.fpr)
    if rates is None:
        known = ", ".join(f"{r.fpr:g}" for r in summary.rates)
        raise InputError(
            f"policy metric={policy.metric!r}: this false positive rate was not computed; known: {known}"
        )
    return rates.tpr


def _word(estimate: Estimate, limit: float) -> str:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return CANNOT_TELL
    if estimate.low > limit:
        return EXCEEDS
    return WITHIN if estimate.high <= limit else CANNOT_TELL


def _sentence(word: str, policy: Policy, estimate: Estimate, attack: str) -> str:
    asked = f"The policy asks for {policy.in_words}."
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return f"{asked} This sample cannot tell. {estimate.note}".strip()
    shown = "{:.3f}".format if policy.fpr is None else percent
    place = {
        EXCEEDS: "lies wholly above the limit",
        WITHIN: "does not pass the limit",
        CANNOT_TELL: "holds the limit, so this sample cannot tell",
    }[word]
    ends = f"95 % interval, {shown(estimate.low)} to {shown(estimate.high)},"
    return f"{asked} {attack} reached {shown(estimate.value)}; the {ends} {place}."


def _rate(text: str, metric: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        raise unknown_name("policy metric", metric, METRICS) from None
    if not 0 < rate < 1:
        raise InputError(
            f"policy metric={metric!r}: the false positive rate must lie strictly between 0 and 1"
        )
    return rate


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
