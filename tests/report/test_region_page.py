"""The page about regions: what is drawn, what is said, and that nothing of the user's breaks it."""

import io
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import synthetic_regions as made
from synthetic_regions import NAMES, estimate, probe

from vestige.report.figure import Line, Points
from vestige.report.region_figures import agreement_figure, protections_figure
from vestige.report.region_map import region_map
from vestige.report.region_page import render_regions
from vestige.report.region_rows import RegionBox, shares_of
from vestige.report.region_terminal import region_table
from vestige.report.words import scan
from vestige.risk.estimate import unsupported


@pytest.fixture
def page():
    return made.page()


def test_the_page_says_everything_and_nothing_forbidden(page, tmp_path):
    written = render_regions(page, tmp_path / "report.html").read_text()
    for said in (*page.answer, page.caution, page.agreement, *page.method, "Scores of weights, added up"):
        assert said in written
    assert scan(re.sub(r"(?s)^.*?<main>", "", written)) == []
    assert "<b>mine</b>" not in written
    assert "&lt;b&gt;mine&lt;/b&gt;" in written


def drawn(kind, svg):
    return [float(value) for value in re.findall(rf'<rect class="{kind}"[^>]*fill-opacity="([\d.]+)"', svg)]


def test_more_risk_is_darker_and_what_lies_below_0_is_blank(page):
    svg = region_map(page.boxes, page.probes[:1])
    risk = drawn("risk", svg)
    assert risk[0] > risk[1] > risk[2] == 0
    assert risk[1] < 0.3 * 0.1  # its interval holds 0
    assert drawn("use", svg)[2] == max(drawn("use", svg))
    assert "Rewinding to epoch 0: risk in layer1, accuracy in head" in svg


def test_boxes_are_wider_with_more_parameters_and_inside_the_drawing(page):
    svg = region_map(page.boxes, page.probes)
    places = [
        (float(x), float(width))
        for x, width in re.findall(r'<rect class="box" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', svg)
    ]
    widths = [width for _, width in places]
    assert widths == sorted(widths, reverse=True)
    assert all(x + width < later for (x, width), (later, _) in pairwise(places))
    assert sum(places[-1]) < 940


def test_many_regions_fit_too(page):
    boxes = tuple(RegionBox(name=f"stage{n}", parameters=10**n) for n in range(12))
    few = probe("Routing", (0.1, 0.2, 0.3), (0.1, 0.2, 0.3))
    many = replace(few, privacy=few.privacy * 4, generalization=few.generalization * 4)
    svg = region_map(boxes, (many,))
    ends = [
        float(x) + float(w)
        for x, w in re.findall(r'<rect class="box" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', svg)
    ]
    assert len(ends) == 12
    assert max(ends) < 940


def test_shares_are_of_what_lies_above_0():
    found = shares_of((estimate(0.3), estimate(-0.5), estimate(0.1), unsupported("")))
    np.testing.assert_allclose(found, [0.75, 0.0, 0.25, 0.0])
    np.testing.assert_array_equal(shares_of((estimate(-0.1), estimate(0.0))), [0.0, 0.0])


def test_weight_scores_are_shaded_by_what_lies_above_1_and_show_their_shares(page):
    svg = region_map(page.boxes, page.probes[1:2])
    risk = drawn("risk", svg)
    assert risk[0] == 0 < risk[1] < risk[2]
    assert all(figure in svg for figure in (">0.400×<", ">12.5×<", ">60\xa0%<", ">share of risk<", ">fit<"))
    assert svg.count('class="figure clear"') == 5  # all but a fit of 1


def test_what_is_called_risky_is_framed(page):
    svg = region_map(page.boxes, page.probes)
    assert svg.count('class="called"') == sum(len(one.risky) for one in page.probes) == 5
    assert "Weight scores: risk in head, fit in head, called risky layer2, head" in svg


def test_shares_are_of_what_lies_above_neutral():
    found = shares_of((estimate(1.3), estimate(0.5), estimate(1.1)), 1.0)
    np.testing.assert_allclose(found, [0.75, 0.0, 0.25])


def test_none_and_all_are_marked_and_every_protection_is_drawn_and_written_once(page):
    figure = protections_figure(page)
    marks = {mark.name: mark for mark in figure.marks if isinstance(mark, Points)}
    assert marks["protect=none"].labels == ("none",)
    assert set(marks["from the output backward"].labels) == {"head", "layer2..head"}
    assert sorted(label for mark in marks.values() for label in mark.labels) == sorted(
        one.words for one in page.tried
    )
    lines = {mark.name: mark for mark in figure.marks if isinstance(mark, Line)}
    assert lines["from the output backward"].y.tolist() == [0.9, 0.78, 0.72, 0.8]  # from none to all
    assert marks["protect=none"].y[0] == 0.9  # leakage runs upward
    assert list(marks)[-2:] == ["protect=all", "protect=none"]  # on top of all others
    assert [row[0] for row in figure.table.rows] == [one.words for one in page.tried]


def test_long_intervals_leave_the_points_half_of_an_axis(page):
    wide = tuple(replace(one, accuracy=estimate(one.accuracy.value, 5.0)) for one in page.tried)
    figure = protections_figure(replace(page, tried=wide))
    assert figure.x.high - figure.x.low < 2.3 * (0.81 - 0.6)
    assert figure.x.low < 0.6 < 0.81 < figure.x.high


def test_both_rank_correlations_are_in_the_numbers(page):
    figure = agreement_figure(page)
    assert figure.table.header == ("probe", "other", "spearman", "kendall")
    assert figure.table.rows[1][:3] == ("Rewinding to epoch 0", "Weight scores", 0.5)


def test_the_terminal_has_a_line_per_region_and_marks_what_is_risky(page):
    risk, use = _written(NAMES, page.probes, 140)
    assert risk["layer1"] == ["+0.100*", "0.400×", "+0.050*"]
    assert risk["head"] == ["-0.200", "12.5×*", "+0.000"]
    assert use["layer1"] == ["+0.000", "0.500×", "-0.020"]


def test_no_figure_is_torn_apart_at_six_regions_in_80_columns():
    names = ("stem", "stage1.block1", "stage1.block2", "stage2.block1", "stage2.block2", "head")
    six = (-0.123, 0.5) * 3
    probes = [
        replace(probe(name, six[:3], six[:3]), privacy=tuple(map(estimate, six)), risky=names,
                generalization=tuple(map(estimate, six)))
        for name in ("Rewinding to epoch 0", "Rewinding to epoch 15", "Rewinding to epoch 45", "Retraining",
                     "Weight scores", "Routing")
    ]  # fmt: skip
    for table in _written(names, probes, 80):
        assert [len(table[name]) for name in names] == [6] * 6


def _written(names, probes, width):
    """The cells of both tables by region."""
    from rich.console import Console

    written = io.StringIO()
    Console(width=width, file=written).print(region_table(names, probes))
    lines = written.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    rows = [line.split() for line in lines if line.split() and line.split()[0] in names]
    return [{row[0]: row[1:] for row in part} for part in (rows[: len(names)], rows[len(names) :])]
