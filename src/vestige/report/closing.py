"""Sections 9 to 11: limits, how to repeat the audit, and the words used."""

from vestige.report.markup import bullets, facts, section, table, text
from vestige.risk.identity import Fact
from vestige.risk.result import AuditResult

LIMITS = (
    "This audit shows what the tested attacks can do. It says nothing about attacks that were not tested.",
    "A figure near chance means that this sample showed no trace. It does not mean that there is none.",
    "Intervals show how far figures would move with other targets of the same recipe and the same records. "
    "Other data, another recipe or a longer training needs a new audit.",
    "Rates of membership inference are not the chance that a person is re-identified.",
    "The regions of the plane are a convention of this tool. No law or standard sets their borders.",
    "The report holds until the model is trained again or released in another form, or attacks improve.",
    "This edition names single records. Treat it as confidential.",
)

GLOSSARY = (
    ("Member", "A record that the model was trained on."),
    (
        "Target",
        "The model under attack. Here every model is the target in turn, and others are its references.",
    ),
    (
        "Reference model",
        "A model the attacker trains, with and without a record, to learn what difference it makes.",
    ),
    ("TPR", "True positive rate: of 100 members, how many the attack names. 17 % means 17 of 100."),
    (
        "FPR",
        "False positive rate: of 100 non-members, how many the attack wrongly names. 0.1 % means 1 in 1,000.",
    ),
    ("AUC", "How often a member scores above a non-member. 0.5 is a coin toss, 1 is always."),
    (
        "Nat",
        "A unit of information, 1.44 bits. 0.693 nats tell the outcome of a fair coin with certainty.",
    ),
    (
        "KL divergence",
        "How far two laws are apart, in nats. 0: no attack does better than a coin. It has no upper end.",
    ),
    ("Advantage", "TPR − FPR. 0 means that membership makes no difference."),
    ("95 % interval", "Made so that, over many such audits, 95 of 100 intervals hold the true value."),
    ("Cannot tell", "The interval lies on both sides of the limit. A larger sample is needed to decide."),
    ("Blind baseline", "A guess at membership without the model. If it works, members differ by themselves."),
    ("Tied scores", "Equal scores. They are named together or not at all."),
)


def limits() -> str:
    """Section 9: what the report does not say."""
    return section("9", "Limits", bullets(LIMITS))


def reproduce(result: AuditResult) -> str:
    """Section 10: how to do it again."""
    past = result.provenance
    commands = f"<pre><code>{text(past.command)}</code></pre><pre><code>{text(past.python_call)}</code></pre>"
    tables = (
        ("Seeds", past.seeds),
        ("Versions", past.versions),
        ("Hashes", past.hashes),
        ("Timings", past.timings),
    )
    return section("10", "Do it again", commands, *(_facts(name, rows) for name, rows in tables if rows))


def glossary() -> str:
    """Section 11: the words used."""
    return section("11", "Words", facts(GLOSSARY))


def _facts(name: str, rows: tuple[Fact, ...]) -> str:
    return table(name, ("", "Value"), [(row.name, row.value) for row in rows])
