"""The pages about regions and defenses in a real browser: what is cut off, hidden or printed over."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
import synthetic_regions as made
from browsed import watched_page

from vestige.report.protection import render_protection
from vestige.report.protection_figures import LossRanks, ProtectionRow
from vestige.report.region_page import render_regions

DEFENSES = (
    "none", "label_smoothing:0.3", "relax_loss:0.5", "pptp:label_smoothing:0.3/protect=head",
    "logit_reweighting:0.3", "label_smoothing:0.1+dropout:0.5", "dp_sgd:noise=0.1/delta=1e-5",
)  # fmt: skip
MEASURED = (
    *(("utility", name) for name in ("train_accuracy", "test_accuracy", "ece", "train_loss", "test_loss")),
    *(("utility", "lost"), ("lira-online-fixed", "gained"), ("loss", "gained"), ("loss", "auc")),
    *(("lira-online-fixed", name) for name in ("auc", "tpr@0.01", "tpr@0.001", "worst_tpr", "worst_fpr")),
    *(("lira-adaptive", "tpr@0.01"), ("lira-inversion", "tpr@0.01"), ("rmia-online", "auc")),
    *((name, "advantage") for name in ("loss-average", "loss-powerful", "loss-adaptive", "loss-inversion")),
    *(("label-only", "advantage"), ("lira-online-fixed", "high_share")),
    *(("lira-online-fixed@canaries", name) for name in ("auc", "tpr@0.01", "tpr@0.001")),
)
BOXES = (
    "all => all.map(one => { const r = one.getBoundingClientRect(); return [r.x, r.y, r.right, r.bottom] })"
)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    crowded = made.page()
    tried = tuple(
        replace(one, accuracy=made.estimate(0.8 + 0.001 * place, 0.3), auc=made.estimate(0.6, 0.2))
        for place, one in enumerate(crowded.tried)
    )
    rows = [
        ProtectionRow(
            name=name,
            mechanism=name.partition(":")[0],
            estimates={key: made.estimate(-0.111 - 0.01 * place, 0.1) for key in MEASURED},
        )
        for place, name in enumerate(DEFENSES)
    ]
    ranks = LossRanks(names=DEFENSES, values=np.full((len(DEFENSES),) * 2, 0.5))
    return {
        "regions": render_regions(replace(crowded, tried=tried), folder / "regions.html"),
        "defenses": render_protection(rows, "lira-online-fixed", 3, ranks, folder / "defenses.html", {}),
    }


@pytest.fixture
def opened(browser, files):
    pages = []

    def at(name, width):
        page = watched_page(browser, viewport={"width": width, "height": 900})
        page.goto(files[name].as_uri())
        page.wait_for_selector(f"#figure-{'agreement' if name == 'regions' else 'loss-ranks'} .xtick text")
        pages.append(page)
        return page

    yield at
    for page in pages:
        page.context.close()


def overlapping(boxes):
    return [
        (one, other)
        for place, one in enumerate(boxes)
        for other in boxes[:place]
        if one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
    ]


def test_names_beside_points_hide_one_another_nowhere(opened):
    page = opened("regions", 1280)
    names = page.locator("#figure-protections .annotation-text")
    assert sorted(names.all_text_contents()) == sorted(one.words for one in made.page().tried)
    assert overlapping(names.evaluate_all(BOXES)) == []


def test_intervals_lie_below_every_point(opened):
    page = opened("regions", 1280)
    order = page.locator("#figure-protections .trace").evaluate_all(
        "all => all.map(one => [one.querySelectorAll('.errorbar').length > 0, "
        "one.querySelectorAll('.point').length > 0 && !one.querySelector('.errorbar')])"
    )
    bars = [place for place, (bar, _) in enumerate(order) if bar]
    points = [place for place, (_, point) in enumerate(order) if point]
    assert max(bars) < min(points)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize(("name", "key"), [("regions", "agreement"), ("defenses", "loss-ranks")])
def test_names_along_a_grid_do_not_touch(opened, name, key, width):
    page = opened(name, width)
    for axis in "xy":
        ticks = page.locator(f"#figure-{key} .{axis}tick text")
        assert ticks.count() == (3 if name == "regions" else len(DEFENSES))
        angle = float(re.search(r"rotate\(([-\d.]+)", ticks.first.get_attribute("transform") + "rotate(0")[1])
        boxes = ticks.evaluate_all(BOXES)
        if 0 < angle < 90:  # the boxes of slanted names overlap where the names do not
            apart = (boxes[1][0] - boxes[0][0]) * math.sin(math.radians(angle))
            lines = ticks.evaluate_all("all => all.map(one => one.querySelectorAll('tspan.line').length)")
            assert apart >= 13 * max(1, *lines)
        else:
            assert overlapping(boxes) == []


def test_every_table_of_the_comparison_fits_at_1280(opened):
    page = opened("defenses", 1280)
    cut = page.locator(".scroll").evaluate_all(
        "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.ariaLabel)"
    )
    assert cut == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_a_narrow_screen_is_told_that_the_map_goes_on(opened):
    hint = "p.sideways"
    assert opened("regions", 390).locator(hint).is_visible()
    assert "scroll it sideways to see all 3 regions" in opened("regions", 390).locator(hint).inner_text()
    assert not opened("regions", 1280).locator(hint).is_visible()
