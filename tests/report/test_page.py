import dataclasses
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import synthetic_audit
from rich.console import Console

from vestige.core.errors import InputError, ValidityError
from vestige.report.arrays import ReportArrays
from vestige.report.page import html, render
from vestige.report.terminal import summary
from vestige.report.words import scan
from vestige.risk.identity import Fact
from vestige.risk.verdict import parse_policy

EDITIONS = {
    "exceeds": {"policy": parse_policy("tpr@0.01<=0.02", "the owner", "agreed")},
    "within": {"policy": parse_policy("auc<=0.9")},
    "cannot tell": {"policy": parse_policy("tpr@0.0001<=0.02")},
    "not tested": {},
}
VOID = {"meta", "input", "br", "wbr"}


class Outline(HTMLParser):
    """Open tags, ids, links and text outside scripts; fails on tags that do not match."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.attributes, self.text = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, name, value) for name, value in attrs]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.text.append(data)


def outline(page):
    found = Outline()
    found.feed(page)
    assert found.open == []
    return found


@pytest.mark.parametrize("word", EDITIONS)
def test_every_verdict_renders_whole_without_promises_or_requests(material, arrays, make_audit, word):
    result = make_audit(material, **EDITIONS[word])
    assert result.verdict.word == word
    page = html(result, arrays)
    found = outline(page)
    assert len(found.ids) == len(set(found.ids))
    assert scan(page) == []
    text = " ".join(" ".join(found.text).split())
    assert result.verdict.sentence in text.replace("\u00a0", " ")
    assert result.claim.sentence in text.replace("\u00a0", " ")
    for tag, name, value in found.attributes:
        if name in ("src", "href") or tag in ("link", "iframe", "object"):
            assert value.startswith(("#", "data:text/csv")), (tag, name, value)
    assert "default-src 'none'" in page


def test_the_library_is_in_the_page_exactly_once(material, arrays, make_audit):
    page = html(make_audit(material), arrays)
    assert page.count("plotly.js v") == 1
    assert "cdn.plot.ly/plotly" not in page
    assert len(page) < 8e6


def test_a_failed_control_stands_in_place_of_the_claim(material, arrays, make_audit):
    result = make_audit(material, broken=True)
    found = outline(html(result, arrays))
    answer = " ".join(found.text).split("What was asked")[0]
    assert "A validity control failed." in answer
    assert "named" not in answer.split("Speaks against")[0]


def test_figures_have_words_numbers_and_an_order(material, arrays, make_audit, make_dynamics):
    result = dataclasses.replace(make_audit(material), dynamics=make_dynamics())
    page = html(result, arrays)
    outline(page)
    figures = re.findall(r"<figure id=\"figure-([\w-]+)\"[^>]*>(.*?)</figure>", page, re.DOTALL)
    keys = [key for key, _ in figures]
    central = ["early", "speed", "hazard"]
    further = ["displacement", "entropy", "surprise"]
    assert keys == [
        *("controls", "roc", "auc", "advantage", "plane", "flow"),
        *(f"curve-{name}" for name in central),
        *("hardness-final_advantage", "hardness-entry_epoch"),
        *("regions", "center", "trajectories", "accuracy"),
        *(f"curve-{name}" for name in further),
    ]
    for key, body in figures:
        assert re.search(r'role="img" aria-label="[^"]{20,}"', body), key
        assert "data:text/csv;base64," in body


def test_section_seven_begins_with_the_explorer_then_words(material, arrays, make_audit, make_dynamics):
    result = dataclasses.replace(make_audit(material), dynamics=make_dynamics())
    section = html(result, arrays).split('id="section-7"')[1].split("</section>")[0]
    explorer, words = section.index('id="figure-plane"'), section.index("of the way through training")
    assert explorer < words < section.index('id="figure-flow"') < section.index('<details class="more"')
    assert "definition of surprise" in section
    assert "A note to the reader." in section
    assert "0.7 <wbr>(0.65 to 0.75)" in section


def test_unknown_parts_are_left_out_without_labels_plane_or_accuracy(make_arrays, make_audit):
    found = synthetic_audit.material(targets=2, samples=80)
    arrays = make_arrays(found, labels=None, plane=None, class_names=(), accuracy=())
    result = dataclasses.replace(make_audit(found), exposure=None, accuracies=())
    page = html(result, arrays)
    outline(page)
    assert "Not tested: no plane was counted." in page
    assert 'id="figure-plane"' not in page


def test_one_checkpoint_has_a_plane_but_no_history(make_arrays, make_audit, material):
    plane = material.plane
    rows = {name: getattr(plane, name)[-1:] for name in ("hits_in", "hits_out", "n_in", "n_out", "epochs")}
    single = dataclasses.replace(plane, **rows)
    found = dataclasses.replace(material, plane=single)
    page = html(make_audit(found), make_arrays(found, labels=None, accuracy=()))
    outline(page)
    assert 'id="figure-plane"' in page
    assert 'id="figure-regions"' not in page
    assert 'id="figure-flow"' not in page


def test_render_writes_one_file(material, arrays, make_audit, tmp_path):
    path = render(make_audit(material), arrays, tmp_path / "run" / "report.html")
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_names_from_outside_are_escaped_and_not_judged(material, arrays, make_audit):
    result = make_audit(material)
    named = dataclasses.replace(result.identity, dataset="<script>alert(1)</script> certified.csv")
    page = html(dataclasses.replace(result, identity=named), arrays)
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_a_forbidden_word_stops_the_page(material, arrays, make_audit):
    result = make_audit(material)
    promise = dataclasses.replace(result, warnings=("This model is certified.",))
    with pytest.raises(ValidityError, match="certified"):
        html(promise, arrays)


def test_recipe_words_are_the_users_own(material, arrays, make_audit):
    result = dataclasses.replace(make_audit(material), recipe=(Fact(name="Loss", value="certified_loss"),))
    assert "certified_loss" in html(result, arrays)


def test_arrays_of_another_length_are_refused(arrays):
    with pytest.raises(InputError, match="ids has 3 entries"):
        ReportArrays(curves=arrays.curves, plane=arrays.plane, ids=np.arange(3), labels=None)
    with pytest.raises(InputError, match="difficulty has 3 entries"):
        dataclasses.replace(arrays, difficulty=np.zeros(3))


@pytest.mark.parametrize("word", EDITIONS)
def test_the_terminal_needs_at_most_15_lines_and_makes_no_promises(material, make_audit, word):
    result = make_audit(material, **EDITIONS[word])
    result = dataclasses.replace(result, warnings=tuple(f"Warning number {i}." for i in range(9)))
    console = Console(width=120, file=io.StringIO(), force_terminal=False)
    console.print(summary(result))
    shown = console.file.getvalue()
    assert len(shown.splitlines()) <= 15
    assert f"Verdict: {word}" in shown
    assert shown.splitlines()[-1].startswith("Report: ")
    assert "Report: vestige-runs/location30/report.html" in shown
    assert "6 more warnings" in shown
    assert scan(shown) == []
