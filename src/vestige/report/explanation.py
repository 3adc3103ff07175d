"""The page of `vestige explain`: whom models give away, why, and each record by itself."""

from pathlib import Path

import numpy as np
from jaxtyping import Int

from vestige.core.files import write_text
from vestige.report import gallery
from vestige.report.estimates import shown
from vestige.report.explanation_figures import (
    contrast_figure,
    group_figure,
    headline_contrasts,
    percentile_figure,
    ranking_figure,
)
from vestige.report.explanation_page import Attributions, ExplanationPage, Rule
from vestige.report.explanation_panels import class_figures, logit_figures, plot_figure
from vestige.report.explanation_sentences import (
    answer_lines,
    apart,
    best_ranking,
    found_rule,
    share,
    sizes,
)
from vestige.report.figure import Figure
from vestige.report.markup import bullets, facts, figure, links, more, paragraph, section, table, text
from vestige.report.shell import document
from vestige.risk.percent import error_rate, percent

CONTENTS = (
    "Answer",
    "Who",
    "Groups",
    "Why",
    "See",
    "Records",
    "Cheap rankings",
    "What can be done",
    "Repeat",
)


def render_explanation(page: ExplanationPage, path: Path) -> Path:
    """Write the page in one step and return its path; it makes no request of any kind.

    Raises ValidityError when the text would hold a word that no audit can carry.
    """
    write_text(path, explanation_html(page))
    return path


def explanation_html(page: ExplanationPage) -> str:
    """The page as one HTML document."""
    given = (page.title, page.dataset, page.model, page.command, page.python_call, page.group_title)
    groups = () if page.by_group is None else tuple(group.name for group in page.by_group.groups)
    return document(
        page.title,
        _body(page),
        given=(*given, *page.class_names, *groups),
        styles=("gallery.css", "explanation.css"),
        script=gallery.script(),
    )


def _body(page: ExplanationPage) -> str:
    sections = (_answer, _who, _groups, _why, _see, _records, _rankings, _defense, _repeat)
    contents = "".join(f'<a href="#section-{n}">{name}</a>' for n, name in enumerate(CONTENTS, 1))
    return (
        f'<a class="skip" href="#section-1">Skip to the answer</a>{_masthead(page)}'
        f'<nav aria-label="Sections">{contents}</nav>'
        f"<main>{''.join(part(page) for part in sections)}</main>"
        "<footer><p>Made by Vestige. This file asks nothing of any network.</p></footer>"
    )


def _masthead(page: ExplanationPage) -> str:
    rows = (
        ("Model", page.model),
        ("Data", f"{page.dataset}, {page.samples:,} records"),
        ("Models of the run", f"{page.models:,}"),
        ("Shown", f"model {page.target} and its {page.members:,} members"),
    )
    return (
        '<header class="masthead"><p class="brand">Vestige · why these records</p>'
        f"<h1>{text(page.title)}</h1>{facts(rows)}</header>"
    )


def _answer(page: ExplanationPage) -> str:
    return section(
        "1",
        "Answer",
        *(paragraph(line, "" if place else "claim") for place, line in enumerate(answer_lines(page))),
        bullets(page.notes, "small"),
    )


def _who(page: ExplanationPage) -> str:
    header = (
        "Rule",
        f"Given away by model {page.target}",
        "By chance (95 % of cases)",
        "Mean over models, times chance",
        "Overlap of two models",
        "Overlap by chance",
        *(("With a wrong label",) if page.rules[0].mislabelled is not None else ()),
    )
    rows = [_rule_row(page, rule) for rule in page.rules]
    return section(
        "2",
        "Who is given away",
        paragraph(
            f"{sizes(page)} The error rate is {error_rate(page.fpr)}; “{found_rule(page).title}” decides on "
            "this page."
        ),
        table("Who is named, by rule", header, rows, numeric=range(1, len(header))),
        paragraph(
            "One threshold for all takes the members whose scaled logit reaches the highest of the "
            "non-members: "
            "those with the lowest loss, since one falls strictly with the other. Whatever sets them apart "
            "is "
            "what sets easy records apart. Rules with references ask instead whether a record is known "
            "better "
            "than models without it know it. Overlap: members that both of two models give away over those "
            "that "
            "either does, among the members of both (Jaccard).",
            "small",
        ),
        bullets(dict.fromkeys(note for rule in page.rules for note in rule.sets.notes), "small"),
    )


def _rule_row(page: ExplanationPage, rule: Rule) -> tuple[str, ...]:
    sets, steady = rule.sets, rule.stability
    cells = (
        f"{rule.title}, FPR {error_rate(round(sets.fpr, 5))}",
        f"{int(sets.sizes[page.target]):,}",
        f"{sets.expected[page.target]:.3g} ({sets.chance_low[page.target]:.0f} to "
        f"{sets.chance_high[page.target]:.0f})",
        shown(sets.times_chance()),
        share(steady.jaccard) if steady else "–",
        percent(steady.chance) if steady and steady.chance is not None else "–",
    )
    if rule.mislabelled is None:
        return cells
    return (*cells, f"{share(rule.mislabelled)}; of all {percent(rule.mislabelled_base or 0.0)}")


def _groups(page: ExplanationPage) -> str:
    parts: list[str] = []
    for kind, title, found in (
        ("class", "Classes", page.by_class),
        ("group", page.group_title, page.by_group),
    ):
        if found is None:
            continue
        verdict = "differ by more than chance" if found.p <= 0.05 else "do not differ beyond chance"
        parts += [
            paragraph(
                f"{title or 'Groups'} {verdict}: a deviation as large as that of {found.groups[0].name} or "
                "any other "
                f"turns up in {100 * found.p:.2g} % of random groupings."
            ),
            figure(group_figure(found, kind)),
            bullets(found.notes, "small"),
        ]
    return section(
        "3", "Classes and groups", *(parts or [paragraph("There are too few records to compare.")])
    )


def _why(page: ExplanationPage) -> str:
    contrasts = headline_contrasts(page)
    parts = [paragraph(f"{apart(page)} All measures but the losses are taken in the features of the models.")]
    if any(difference.percentiles for difference in page.differences):
        parts.append(figure(percentile_figure(page)))
    if contrasts:
        parts.append(
            figure(contrast_figure("differences", "What sets them apart in the shown model", contrasts))
        )
    if page.label_check is not None:
        parts.append(
            paragraph(
                f"The suspicion of a wrong label finds the labels that were replaced with an AUC of "
                f"{page.label_check.auc:.3f}; of as many records as there are wrong labels, the most "
                f"suspected, {share(page.label_check.at_count.precision)} have one."
            )
        )
    if page.logits is not None:
        intro = (
            "Scaled logits of members and others over training. One threshold for all sees what these "
            "distributions "
            "differ in; a threshold of its own for each record sees more."
        )
        parts += [
            f"<h3>{text('Scaled logits over training')}</h3>",
            paragraph(intro),
            _panels(logit_figures(page.logits)),
        ]
    return section("4", "Why", *parts)


def _see(page: ExplanationPage) -> str:
    parts: list[str] = []
    if page.plot is not None:
        panels = _panels(tuple(class_figures(page.plot, page)))
        parts += [
            paragraph(
                f"{int(page.plot.vulnerable.sum()):,} of {len(page.plot.labels):,} members are ringed: the "
                "shown model gives them away. Look whether they lie inside their class or at its edge."
            ),
            figure(plot_figure(page.plot, page)),
            more("One panel per class", panels),
        ]
    if page.attributions is not None:
        parts += _attention(page, page.attributions)
    return section("5", "See", *(parts or [paragraph("Not asked for.")]))


def _attention(page: ExplanationPage, found: Attributions) -> list[str]:
    parts = [
        f"<h3>{text(f'What the answer rests on: {found.method}')}</h3>",
        paragraph("Members closest to the mean of their class:"),
        _strip(found.closest),
        paragraph("Members farthest from it:"),
        _strip(found.farthest),
    ]
    if found.contrasts:
        title = "Members given away against others"
        parts.append(figure(contrast_figure("attention", title, found.contrasts)))
    return parts


def _strip(rows: Int[np.ndarray, "_"]) -> str:
    """A place where the gallery's script draws these records side by side."""
    return f'<ul class="g-strip" data-records="{",".join(map(str, rows.tolist()))}"></ul>'


def _records(page: ExplanationPage) -> str:
    number = len(page.records.ids)
    intro = (
        f"{number:,} of the {page.members:,} members of model {page.target}: those given away, the most and "
        "the least typical of each class, and others at random. Each opens on a page of its own."
    )
    return section("6", "Records", paragraph(intro), gallery.gallery(page.records, page.class_names))


def _rankings(page: ExplanationPage) -> str:
    if not page.rankings:
        return section(
            "7", "Cheap rankings", paragraph("No model gives anybody away by LiRA at this error rate.")
        )
    header = ("Ranking", "Needs", *(f"Top {100 * top.share:g} %" for top in page.rankings[0].top))
    rows = [(r.title, r.cost, *(share(top.precision) for top in r.top)) for r in page.rankings]
    return section(
        "7",
        "Cheap rankings",
        paragraph(
            f"{best_ranking(page)} LiRA names at an FPR of 0.1 %, or the lowest that the non-members carry."
        ),
        table("Precision at the top", header, rows, numeric=range(2, len(header))),
        figure(ranking_figure(page)),
    )


def _defense(page: ExplanationPage) -> str:
    parts = [
        f"<pre><code>{text(line[2:])}</code></pre>" if line.startswith("$ ") else paragraph(line)
        for line in page.defense
    ]
    return section("8", "What can be done", *(parts or [paragraph("No defense was looked at here.")]))


def _repeat(page: ExplanationPage) -> str:
    limits = (
        "Differences are associations within these models; they do not say what would follow if a record "
        "were other.",
        "Intervals over records suppose that records are independent of each other, though they share a "
        "model.",
        "Attributions show what a single answer rests on, by one method of several.",
    )
    return section(
        "9",
        "Repeat",
        f"<pre><code>{text(page.command)}\n{text(page.python_call)}</code></pre>",
        links([("The report of the audit", page.report_link)] if page.report_link else []),
        bullets(limits),
    )


def _panels(figures: tuple[Figure, ...]) -> str:
    return f'<div class="panels">{"".join(figure(one) for one in figures)}</div>'
