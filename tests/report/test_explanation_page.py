"""The page of an explanation: what it says, and that it says no more."""

import dataclasses
import re

import pytest
import synthetic_explanation as made

from vestige.core.errors import ValidityError
from vestige.report.explanation import CONTENTS, explanation_html, render_explanation
from vestige.report.plotly_page import library
from vestige.report.words import scan

HOSTILE = '<img src=x onerror="window.attacked = 1">'


@pytest.fixture(scope="module")
def page():
    return made.image_page()


@pytest.fixture(scope="module")
def html(page):
    return explanation_html(page)


def said(html):
    """What a reader reads: no scripts, styles or tags."""
    bare = re.sub(r"<(script|style)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", bare).replace("\u00a0", " ").split())


def part(html, number):
    found = re.search(rf'<section aria-labelledby="section-{number}">(.*?)</section>', html, re.DOTALL)
    assert found
    return found.group(1)


def rule_of(page, key):
    return next(rule for rule in page.rules if rule.key == key)


def test_every_entry_of_the_contents_leads_to_a_section(html):
    for number, name in enumerate(CONTENTS, 1):
        assert f'<a href="#section-{number}">{name}</a>' in html
        assert part(html, number)
    assert html.count("<section ") == len(CONTENTS)


def test_no_name_is_given_twice(html):
    names = re.findall(r'\bid="([^"]+)"', html.replace(library(), ""))
    assert len(names) == len(set(names))


def test_the_page_asks_for_nothing_from_elsewhere(html):
    own = html.replace(library(), "")
    assert "default-src 'none'" in own
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', own)


def test_the_answer_counts_the_shown_model(page, html):
    sets = rule_of(page, "reference").sets
    found = int((sets.named & sets.member)[page.target].sum())
    assert f"Model {page.target} gives away {found} of its {page.members} members" in said(part(html, 1))
    assert "more than chance explains" in said(part(html, 1))


def test_a_rule_near_chance_is_called_so(page):
    shown = said(part(explanation_html(made.changed(page, headline="global")), 1))
    assert "no more than chance explains" in shown


def test_the_answer_names_what_sets_them_apart_the_most(page, html):
    first = max(page.differences[0].contrasts, key=lambda one: abs(one.dominance.value))
    assert f"{first.measure.lower()} ({first.dominance.value:+.2f})" in said(part(html, 1))


def test_wrong_labels_are_told_only_where_they_are_known(page, html):
    assert "known to be wrong" in said(part(html, 1))
    silent = tuple(dataclasses.replace(rule, mislabelled=None, mislabelled_base=None) for rule in page.rules)
    other = explanation_html(made.changed(page, rules=silent))
    assert "known to be wrong" not in said(part(other, 1))
    assert "wrong label" not in said(part(other, 2))


def test_rules_keep_their_names(page, html):
    assert "“LiRA”" in said(part(html, 2))
    named = explanation_html(made.changed(page, headline="lira"))
    assert "“LiRA” decides" in said(part(named, 2))


def test_each_rule_stands_beside_its_chance(page, html):
    shown = said(part(html, 2))
    for rule in page.rules:
        sets, t = rule.sets, page.target
        assert (
            f"{sets.sizes[t]} {sets.expected[t]:.3g} ({sets.chance_low[t]:.0f} to {sets.chance_high[t]:.0f})"
        ) in shown


def test_two_rules_are_enough(page):
    fewer = [rule for rule in page.rules if rule.key != "lira"]
    html = explanation_html(made.changed(page, rules=tuple(fewer), rankings=()))
    assert "Three" not in said(part(html, 2))
    assert "No model gives anybody away by LiRA" in said(part(html, 7))


def test_what_is_missing_is_left_out(page):
    bare = made.changed(
        page,
        by_class=None,
        by_group=None,
        label_check=None,
        rankings=(),
        logits=None,
        plot=None,
        attributions=None,
        differences=(),
        defense=(),
        report_link="",
    )
    html = explanation_html(bare)
    assert "<figure id=" not in html
    assert all(said(part(html, number)) for number in range(1, 10))


@pytest.mark.parametrize("kind", ["image", "table"])
def test_galleries_hold_places_for_the_extremes(kind):
    page = made.image_page() if kind == "image" else made.table_page()
    shown = part(explanation_html(page), 5)
    for rows in (page.attributions.closest, page.attributions.farthest):
        assert f'data-records="{",".join(map(str, rows))}"' in shown


def test_commands_are_set_as_code(html):
    assert "<pre><code>vestige audit digits --defense logit-reweighting</code></pre>" in part(html, 8)
    assert "<p>Reweighted outputs name fewer.</p>" in part(html, 8)


def test_nothing_of_the_users_runs(page):
    named = made.changed(page, title=HOSTILE, class_names=(HOSTILE, *page.class_names[1:]), dataset=HOSTILE)
    bare = re.sub(r"<(script|style)\b.*?</\1>", " ", explanation_html(named), flags=re.DOTALL)
    assert "<img" not in bare


def test_no_forbidden_word_of_the_pages_own(page, html):
    assert scan(html) == []
    with pytest.raises(ValidityError, match="certified"):
        explanation_html(made.changed(page, notes=("This model is certified.",)))


def test_the_users_own_words_are_not_judged(page):
    first, *rest = page.by_group.groups
    groups = dataclasses.replace(page.by_group, groups=(dataclasses.replace(first, name="certified"), *rest))
    html = explanation_html(made.changed(page, by_group=groups))
    assert "certified" in said(part(html, 3))


def test_the_page_is_small_beside_its_library(page, tmp_path):
    path = render_explanation(page, tmp_path / "report.html")
    assert path.stat().st_size - len(library().encode()) < 1_000_000
