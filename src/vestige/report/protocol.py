"""Sections 2 to 4: what was tested, against whom, and whether the test itself works."""

from vestige.report.figures import control_figure
from vestige.report.markup import bullets, facts, figure, paragraph, section, table
from vestige.risk.control import Control
from vestige.risk.identity import Accuracy
from vestige.risk.result import AuditResult
from vestige.risk.sentences import smallest_visible

OUTCOME = {True: "passed", False: "FAILED", None: "not run"}


def coverage(result: AuditResult) -> str:
    """Section 2: every family of attack, tested or not."""
    rows = [
        (row.family, "tested" if row.tested else "not tested", row.detail, row.nist or "–")
        for row in result.coverage
    ]
    note = paragraph("This list is not complete. Passing says something about the tested attacks only.")
    return section(
        "2",
        "What was asked, and what was tested",
        note,
        table("Coverage", ("Attack", "", "With, or why not", "NIST AI 100-2"), rows),
    )


def attacker(result: AuditResult) -> str:
    """Section 3: whom the attack stands for."""
    who = result.attacker
    cost = ((fact.name, fact.value) for fact in who.cost)
    columns = (
        '<div class="columns two"><div><h3>Harsher than a real attacker</h3>'
        f"{bullets(who.harsher)}</div>"
        f"<div><h3>Milder than a real attacker</h3>{bullets(who.milder)}</div></div>"
    )
    return section(
        "3",
        "The attacker",
        facts((("Access", who.access), ("Knowledge", who.knowledge))),
        facts(cost),
        columns,
    )


def validity(result: AuditResult) -> str:
    """Section 4: how it was done, and the controls."""
    recipe = table("Recipe as it was run", ("Setting", "Value"), [(f.name, f.value) for f in result.recipe])
    visible = smallest_visible(result.headline.auc, 0.5)
    reach = paragraph(
        f"Smallest effect that this audit would very probably (80 %) have seen: an AUC of {visible:.3f}."
    )
    parts = [_controls(result.controls), figure(control_figure(result.controls)), reach]
    if result.accuracies:
        parts.append(_accuracies(result.accuracies))
    return section("4", "How it was tested, and whether the test works", *parts, recipe)


def _controls(controls: tuple[Control, ...]) -> str:
    rows = [(c.name, c.purpose, c.expectation, _value(c), OUTCOME[c.passed]) for c in controls]
    return table(
        "Controls", ("Control", "What it is for", "Expected", "Found (AUC)", "Outcome"), rows, numeric=(3,)
    )


def _value(control: Control) -> str:
    estimate = control.estimate
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return control.note or estimate.note
    return f"{estimate.value:.3f} ({estimate.low:.3f}–{estimate.high:.3f})"


def _accuracies(accuracies: tuple[Accuracy, ...]) -> str:
    rows = [
        (
            a.part,
            f"{a.models:,}",
            f"{100 * a.mean:.1f} %",
            "–" if a.sd is None else f"{100 * a.sd:.1f}",
            f"{100 * a.minimum:.1f} to {100 * a.maximum:.1f} %",
        )
        for a in accuracies
    ]
    header = ("Accuracy on", "Models", "Mean", "Sd (points)", "Range over models")
    return table("Accuracy of the models at the last checkpoint", header, rows, numeric=(1, 2, 3, 4))
