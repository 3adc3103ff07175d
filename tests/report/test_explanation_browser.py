"""The page of an explanation in a real browser, from the file, with the network cut."""

import pytest
import synthetic_explanation as made
from browsed import until, watched_page

from vestige.report.explanation import render_explanation

CARDS = "document.querySelectorAll('.g-list .g-card').length"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("explanation")
    pages = {"image": made.image_page(), "table": made.table_page()}
    return {kind: render_explanation(page, folder / f"{kind}.html") for kind, page in pages.items()}


@pytest.fixture(scope="module")
def shared(browser, files):
    """A page of each kind; at the end neither must have asked for anything or complained of anything."""
    pages = {kind: _opened(browser, path) for kind, path in files.items()}
    yield pages
    for page in pages.values():
        assert [url for url in page.asked if not url.startswith(("data:", "blob:", "file:"))] == []
        assert page.said == []
        page.context.close()


@pytest.fixture
def opened(shared):
    """The open page of a kind, as it was at first."""
    for page in shared.values():
        page.evaluate("location.hash = 'section-1'")
        page.emulate_media(media="screen", color_scheme="light")
        page.set_viewport_size({"width": 1100, "height": 900})
        until(page, "document.querySelector('.g-record').hidden")
    return shared.__getitem__


def _opened(browser, path):
    page = watched_page(browser, viewport={"width": 1100, "height": 900})
    page.goto(path.as_uri())
    until(page, f"{CARDS} === {made.RECORDS}")
    return page


def test_the_extremes_are_shown_plain_and_under_their_maps(opened):
    page, shown = opened("image"), made.image_page()
    strips = page.locator(".g-strip")
    assert strips.count() == 2
    for strip, rows in zip(
        strips.all(), (shown.attributions.closest, shown.attributions.farthest), strict=True
    ):
        assert strip.locator("li").count() == len(rows)
        assert strip.locator("canvas:not(.g-map)").count() == 2 * len(rows)
        assert strip.locator("canvas.g-map").count() == len(rows)
        assert strip.locator("b").all_inner_texts() == [str(shown.records.ids[row]) for row in rows]


def test_the_extremes_of_a_table_lead_to_their_records(opened):
    page, shown = opened("table"), made.table_page()
    first = shown.attributions.closest[0]
    assert page.locator(".g-strip canvas").count() == 0
    page.locator(".g-strip a").first.click()
    until(page, "!document.querySelector('.g-record').hidden")
    told = page.locator(".g-record").inner_text()
    assert f"Record {shown.records.ids[first]}" in told
    assert all(name in told for name, _, _ in shown.records.features[first])


def test_a_picture_of_the_extremes_opens_its_record_and_back_returns(opened):
    page, record = opened("image"), made.image_page().records.ids[made.RECORDS - 6]
    page.locator(".g-strip").nth(1).locator("a").first.click()
    until(page, "!document.querySelector('.g-record').hidden")
    assert f"Record {record}" in page.locator(".g-record h3").inner_text()
    page.go_back()
    until(page, "document.querySelector('.g-record').hidden")


@pytest.mark.parametrize("kind", ["image", "table"])
def test_an_address_leads_to_a_record(opened, kind):
    record = made.image_page().records.ids[5] if kind == "image" else made.table_page().records.ids[5]
    page = opened(kind)
    page.evaluate(f"location.hash = 'record-{record}'")
    until(page, "!document.querySelector('.g-record').hidden")
    assert f"Record {record}" in page.locator(".g-record h3").inner_text()
    assert page.locator(".g-record svg").count() == 2


def test_the_page_fits_a_phone(opened):
    page = opened("image")
    page.set_viewport_size({"width": 390, "height": 800})
    until(page, "document.documentElement.scrollWidth <= 390")
    page.evaluate("document.querySelector('.g-card a').click()")
    until(page, "!document.querySelector('.g-record').hidden")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_page_is_dark_where_the_reader_asks_for_it(opened):
    page, paper = opened("image"), "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(paper) not in (light, "rgba(0, 0, 0, 0)")


def test_paper_shows_no_controls(opened):
    page = opened("image")
    assert page.locator(".g-controls").is_visible()
    page.emulate_media(media="print")
    assert not page.locator(".g-controls").is_visible()
    assert page.locator(".g-strip canvas").first.is_visible()
