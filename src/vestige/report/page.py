"""The report: one HTML file that works offline."""

from pathlib import Path

from vestige.core.files import write_text
from vestige.report.answer import answer, masthead
from vestige.report.arrays import ReportArrays
from vestige.report.closing import glossary, limits, reproduce
from vestige.report.explorer import script
from vestige.report.findings import overall, who
from vestige.report.information import InformationPage, information
from vestige.report.markup import text
from vestige.report.protocol import attacker, coverage, validity
from vestige.report.shell import document
from vestige.report.when import when
from vestige.risk.result import AuditResult

CONTENTS = (
    ("1", "Answer"),
    ("2", "Tested"),
    ("3", "Attacker"),
    ("4", "Validity"),
    ("5", "All records"),
    ("6", "Who"),
    ("7", "When"),
    ("8", "Information"),
    ("9", "Limits"),
    ("10", "Repeat"),
    ("11", "Words"),
)


def render(
    result: AuditResult, figures: ReportArrays, path: Path, told: InformationPage | None = None
) -> Path:
    """Write the report in one step and return its path; it makes no request of any kind.

    told: what was found in nats.

    Raises ValidityError when the text would hold a word that no audit can carry.
    """
    write_text(path, html(result, figures, told))
    return path


def html(result: AuditResult, figures: ReportArrays, told: InformationPage | None = None) -> str:
    """The report as one HTML document."""
    return document(
        result.identity.title,
        _body(result, figures, told),
        given=_given(result, figures),
        styles=("explorer.css",),
        script=script(),
    )


def _body(result: AuditResult, figures: ReportArrays, told: InformationPage | None) -> str:
    sections = (
        answer(result),
        coverage(result),
        attacker(result),
        validity(result),
        overall(result, figures),
        who(result, figures),
        when(result, figures),
        information(told, figures.plane),
        limits(),
        reproduce(result),
        glossary(),
    )
    return (
        f'<a class="skip" href="#section-1">Skip to the answer</a>{masthead(result)}{_contents()}'
        f"<main>{''.join(sections)}</main><footer><p>Made by Vestige {text(result.identity.tool_version)}. "
        "This file asks nothing of any network.</p></footer>"
    )


def _contents() -> str:
    links = "".join(f'<a href="#section-{number}">{name}</a>' for number, name in CONTENTS)
    return f'<nav aria-label="Sections">{links}</nav>'


def _given(result: AuditResult, figures: ReportArrays) -> tuple[str, ...]:
    """The user's own words, which the word guard does not judge."""
    it, past = result.identity, result.provenance
    own = (
        it.title,
        it.model,
        it.dataset,
        it.operator,
        it.reviewer,
        it.release_context,
        past.command,
        past.python_call,
    )
    policy = result.verdict.policy
    reasons = (policy.chosen_by, policy.reason) if policy else ()
    regions = figures.plane.partition.shown if figures.plane else ()
    return (*own, *reasons, *regions, *figures.class_names, *(fact.value for fact in result.recipe))
