"""The page about regions: what is drawn, what is said, and that nothing of the user's breaks it."""

import io
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from vestige.report.region_figures import agreement_figure, protections_figure
from vestige.report.region_map import region_map
from vestige.report.region_page import render_regions
from vestige.report.region_rows import (
    ProbeMap,
    ProtectionTried,
    RegionBox,
    RegionPage,
    WeightFigures,
    shares_of,
)
from vestige.report.region_terminal import region_table
from vestige.report.words import scan
from vestige.risk.estimate import Estimate, unsupported

NAMES = ("layer1", "layer2", "head")


def estimate(value, half=0.01):
    return Estimate(value=value, low=value - half, high=value + half)


def probe(name, risks, uses, is_share=False):
    return ProbeMap(
        name=name,
        meaning="what it means.",
        privacy=tuple(map(estimate, risks)),
        generalization=tuple(map(estimate, uses)),
        risky=tuple(n for n, risk in zip(NAMES, risks, strict=True) if risk > 0.01),
        is_share=is_share,
    )


def tried(words, regions, accuracy, auc):
    return ProtectionTried(
        words=words, regions=regions, accuracy=estimate(accuracy), auc=estimate(auc), tpr=unsupported("few"),
        loss_auc=estimate(0.6), privacy=estimate(0.9 - auc), generalization=estimate(0.8 - accuracy),
    )  # fmt: skip


@pytest.fixture
def page():
    return RegionPage(
        title="Where risk and generalization live: mlp on <b>mine</b>",
        dataset="<b>mine</b>",
        model="mlp",
        defense="label_smoothing:0.3",
        answer=("Most lies in layer2.", "protect=head leaks least."),
        boxes=tuple(
            RegionBox(name=name, parameters=size) for name, size in zip(NAMES, (400, 100, 4), strict=True)
        ),
        probes=(
            probe("Rewinding to epoch 0", (0.1, 0.005, -0.2), (0.0, 0.02, 0.3)),
            probe("Weight scores", (0.5, 0.3, 0.2), (0.4, 0.3, 0.3), is_share=True),
            probe("Routing", (0.05, 0.15, 0.0), (-0.02, 0.01, 0.0)),
        ),
        tried=(
            tried("none", 0, 0.8, 0.9), tried("all", 3, 0.75, 0.8), tried("layer1", 1, 0.6, 0.85),
            tried("layer2", 1, 0.7, 0.7), tried("head", 1, 0.81, 0.78), tried("layer2..head", 2, 0.8, 0.72),
            tried("layer1..layer2", 2, 0.65, 0.8),
        ),
        suffixes=("none", "head", "layer2..head", "all"),
        prefixes=("none", "layer1", "layer1..layer2", "all"),
        weights=tuple(
            WeightFigures(name=name, relative=estimate(2.0), correlation=estimate(0.9)) for name in NAMES
        ),
        correlations=np.array([[1.0, 0.5, -0.5], [0.5, 1.0, 0.5], [-0.5, 0.5, 1.0]]),
        kendall=np.array([[1.0, 0.3, np.nan], [0.3, 1.0, 0.3], [np.nan, 0.3, 1.0]]),
        agreement="The probes disagree.",
        caution="The choice was made on the targets that it is judged by.",
        method=("How it was done.",),
        facts=(("Data", "mine"),),
    )  # fmt: skip


def test_the_page_says_everything_and_nothing_forbidden(page, tmp_path):
    written = render_regions(page, tmp_path / "report.html").read_text()
    for said in (*page.answer, page.caution, page.agreement, *page.method, "Scores of single weights"):
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


def test_none_and_all_are_marked_and_every_protection_is_drawn_and_written(page):
    figure = protections_figure(page)
    marks = {mark.name: mark for mark in figure.marks}
    assert marks["protect=none"].labels == ("none",)
    assert marks["from the output backward"].labels == page.suffixes
    assert {label for mark in figure.marks for label in mark.labels} == {one.words for one in page.tried}
    assert marks["protect=none"].y[0] == 0.9  # leakage runs upward
    assert [row[0] for row in figure.table.rows] == [one.words for one in page.tried]


def test_both_rank_correlations_are_in_the_numbers(page):
    figure = agreement_figure(page)
    assert figure.table.header == ("probe", "other", "spearman", "kendall")
    assert figure.table.rows[1][:3] == ("Rewinding to epoch 0", "Weight scores", 0.5)


def test_the_terminal_has_a_line_per_probe_and_marks_what_is_risky(page):
    from rich.console import Console

    written = io.StringIO()
    Console(width=140, file=written).print(region_table(NAMES, page.probes))
    lines = written.getvalue().splitlines()
    assert "+0.100*, +0.000" in next(line for line in lines if line.startswith("Rewinding"))
    assert "50 %*, 40 %" in next(line for line in lines if line.startswith("Weight"))
