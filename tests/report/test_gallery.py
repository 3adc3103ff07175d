"""The gallery: its data, its table for readers without scripts, and its behavior in a real browser."""

import dataclasses
import re
import time

import numpy as np
import pytest
from browsed import PATIENCE_S, watched_page

from vestige.report import gallery as module
from vestige.report.explanation_page import Records
from vestige.report.gallery import MAP_SIDE, SCRIPTS, UNKNOWN, data, gallery, script
from vestige.report.packing import unpack
from vestige.report.shell import POLICY, asset, document
from vestige.report.words import scan

HOSTILE = '<img src=x onerror="window.attacked = 1">'
NAMES = ("bird", HOSTILE, "cat")
FEATURES = (("age", 41.0, 0.5), ("<b>income</b>", 0.0, -2.0), ("height", 1.8, 0.25), ("visits", 3.0, -0.125))


def records(count=30, others=20, side=8, channels=1, map_side=4, seed=0, **changes):
    rng = np.random.default_rng(seed)
    far = rng.random((count, 3)) + np.arange(3)
    labels = np.resize([0, 1, 2], count + others)
    pictured = 100 + np.arange(count + others)
    rows = rng.random(count)
    rows[::5] = np.nan
    given = {
        "ids": pictured[:count],
        "labels": labels[:count],
        "predicted": np.where(np.arange(count) % 7 == 0, (labels[:count] + 1) % 3, labels[:count]),
        "member": np.ones(count, bool),
        "vulnerable": np.arange(count) % 3 == 0,
        "mislabelled": np.arange(count) % 11 == 0,
        "measures": {"Share that gives it away": rng.permutation(count) / count, "Margin": rows},
        "scores": {"LiRA": rng.normal(size=count)},
        "epochs": np.array([0.0, 2.0, 10.0]),
        "fpr": np.linspace(0, 0.2, 3)[:, None] * rng.random(count),
        "tpr": np.linspace(0, 1, 3)[:, None] * rng.random(count),
        "losses": np.array([[2.3], [0.4], [0.002]]) * np.ones(count),
        "loss_epochs": np.array([0.0, 2.0, 10.0]),
        "neighbors": rng.integers(0, count + others, (count, 3)),
        "neighbor_distances": far,
        "pictured_ids": pictured,
        "pictured_labels": labels,
        "pictures": rng.integers(0, 256, (count + others, channels, side, side)).astype(np.uint8),
        "maps": rng.random((count, map_side, map_side)),
    }
    return Records(**(given | changes))


def rows_of_a_table(count=30):
    features = tuple(FEATURES[: 1 + i % 4] for i in range(count))
    return records(count, pictures=None, maps=None, features=features, mislabelled=None)


def undone(packed, name, shape):
    """Changes from pixel to pixel as pixels."""
    return np.cumsum(packed[name].reshape(-1, *shape), -1, dtype=np.uint8)


def test_what_is_packed_is_what_was_given():
    given = records()
    header, packed = unpack(data(given, NAMES))
    for name in ("ids", "labels", "predicted", "pictured_ids", "pictured_labels"):
        assert np.array_equal(packed[name], getattr(given, name))
    for name in ("fpr", "tpr", "losses", "neighbors"):
        np.testing.assert_allclose(packed[name].reshape(getattr(given, name).shape), getattr(given, name))
    np.testing.assert_allclose(packed["distances"].reshape(30, 3), given.neighbor_distances)
    bits = given.vulnerable * 1 + given.mislabelled * 2 + given.member * 4
    assert np.array_equal(packed["marks"], bits)
    titles = [quantity["title"] for quantity in header["quantities"]]
    assert titles == ["Share that gives it away", "Margin", "LiRA"]
    expected = [*given.measures.values(), *given.scores.values()]
    np.testing.assert_allclose(packed["values"].reshape(3, 30), expected, rtol=1e-6)
    assert header["classes"] == list(NAMES)


def test_pictures_return_exactly_and_neighbors_with_them():
    given = records(side=9, channels=3)
    header, packed = unpack(data(given, ()))
    assert header["own_shape"] == header["other_shape"] == [3, 9, 9]
    assert np.array_equal(undone(packed, "own", (3, 9, 9)), given.pictures[:30])
    assert np.array_equal(undone(packed, "others", (3, 9, 9)), given.pictures[packed["embedded"]])
    needed = np.unique(given.neighbors[given.neighbors >= 30])
    assert np.array_equal(np.sort(packed["embedded"]), needed)


def test_pictures_that_do_not_fit_become_smaller_then_fewer(monkeypatch):
    given = records(others=90, neighbors=30 + np.arange(90).reshape(3, 30).T)
    monkeypatch.setattr(module, "BUDGET", 30 * 64 + 60 * 16)
    header, packed = unpack(data(given, ()))
    assert header["own_shape"] == [1, 8, 8]
    assert header["other_shape"] == [1, 4, 4]
    kept = len(packed["embedded"])
    assert 50 < kept < 70
    assert np.array_equal(packed["embedded"][:30], given.neighbors[:, 0])  # the nearest first
    blocks = given.pictures[packed["embedded"]].reshape(kept, 1, 4, 2, 4, 2).mean((3, 5))
    assert np.array_equal(undone(packed, "others", (1, 4, 4)), np.round(blocks))
    monkeypatch.setattr(module, "BUDGET", 30 * 20)
    header, packed = unpack(data(given, ()))
    assert header["own_shape"] == [1, 4, 4]
    assert header["other_shape"] == [1, 2, 2]
    assert 0 < len(packed["embedded"]) < 30


def test_means_over_blocks_that_do_not_divide_the_picture():
    grid = np.arange(35.0).reshape(1, 5, 7)
    slow = [[grid[0, r : r + 3, c : c + 3].mean() for c in (0, 3, 6)] for r in (0, 3)]
    np.testing.assert_allclose(module._averaged(grid, 3)[0], slow)


def test_maps_keep_their_shape_or_shrink_and_their_strongest_cell_is_full():
    given = records(maps=np.concatenate([np.zeros((1, 4, 4)), np.full((29, 4, 4), 0.25)]))
    packed = unpack(data(given, ()))[1]["maps"].reshape(30, 4, 4)
    assert not packed[0].any()  # no evidence anywhere
    assert np.all(packed[1:] == 255)
    header, packed = unpack(data(records(map_side=4 * MAP_SIDE), ()))
    assert header["map_shape"] == [MAP_SIDE, MAP_SIDE]
    assert np.all(packed["maps"].reshape(30, -1).max(1) == 255)


def test_percentiles_count_the_records_below_and_ties_half():
    values = np.array([3.0, 1.0, np.nan, 1.0, 2.0])
    below = [(np.sum(values < v) + np.sum(values <= v)) / 2 / 4 for v in values]
    expected = np.where(np.isnan(values), UNKNOWN, np.round(100 * np.array(below)))
    assert np.array_equal(module._places(values), expected)
    assert np.all(module._places(np.full(3, np.nan)) == UNKNOWN)


def test_rows_of_a_table_keep_their_features():
    given = rows_of_a_table()
    header, packed = unpack(data(given, ()))
    assert "own_shape" not in header
    assert header["kept"] == 4
    for i, row in enumerate(given.features):
        span = slice(4 * i, 4 * i + len(row))
        assert [header["features"][p] for p in packed["feature_places"][span]] == [name for name, *_ in row]
        assert packed["feature_values"][span].tolist() == pytest.approx([value for _, value, _ in row])
        assert packed["attributions"][span].tolist() == [weight for *_, weight in row]
        assert np.isnan(packed["attributions"][span.stop : 4 * (i + 1)]).all()


def test_four_hundred_color_pictures_stay_under_two_and_a_half_megabytes():
    given = records(count=400, others=1600, side=32, channels=3, map_side=8)
    size = len(gallery(given, ()))
    print(f"400 records of noise: {size / 1e6:.2f} MB")
    assert size < 2_500_000


def test_names_from_outside_are_escaped_and_no_word_is_forbidden():
    shown = gallery(records(), NAMES)
    assert HOSTILE not in shown
    assert "&lt;img" in shown
    assert scan(document("t", shown, given=NAMES, styles=("gallery.css",), script=script()), NAMES) == []
    assert [word for name in SCRIPTS for word in scan(asset(name).replace("<", " "))] == []


def test_the_table_without_scripts_begins_with_the_highest_first_measure():
    given = records(count=60)
    table = re.search(r"<noscript>(.*)</noscript>", gallery(given, NAMES))[1]
    found = re.findall(r'<tr><th scope="row">(\d+)</th>', table)
    order = np.argsort(-given.measures["Share that gives it away"])
    assert found == [str(i) for i in given.ids[order][:50]]
    assert "unknown" in table  # a measure that is NaN
    assert "nan" not in table


@pytest.mark.parametrize(
    "given",
    [
        rows_of_a_table(),
        records(measures={}, scores={}),
        records(pictures=None, maps=None),
        records(maps=None, mislabelled=None),
        records(neighbors=np.zeros((30, 0), int), neighbor_distances=np.zeros((30, 0))),
        records(labels=np.full(30, -1), predicted=np.full(30, -1), pictured_labels=np.full(50, -1)),
    ],
    ids=["table", "no numbers", "no pictures", "no maps", "no neighbors", "no labels"],
)
def test_what_is_missing_is_not_offered(given):
    shown = gallery(given, NAMES)
    assert ('name="maps"' in shown) == (given.maps is not None)
    assert ('name="label"' in shown) == (given.mislabelled is not None)
    assert len(unpack(data(given, NAMES))[1]["ids"]) == 30


def body_alone(body):
    """The body under the policy of every page, without the drawing library, which takes long to read."""
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    style = f"<style>{asset('style.css')}{asset('gallery.css')}</style>"
    view = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    return f"<!doctype html><meta charset=utf-8>{view}{policy}{style}{body}<script>{script()}</script>"


@pytest.fixture(scope="module")
def opened(browser, tmp_path_factory):
    """Opens a page of these records; nothing may be asked for or complained of."""
    folder, pages = tmp_path_factory.mktemp("gallery"), []

    def open_(given, address="", **options):
        path = folder / f"{len(pages)}.html"
        strip = '<ul class="g-strip" data-records="7,2"></ul>'
        body = f'<main>{strip}<section>{gallery(given, NAMES)}</section><h2 id="after">After</h2></main>'
        path.write_text(body_alone(body))
        page = watched_page(browser, **options)
        page.goto(path.as_uri() + address)
        page.wait_for_selector(".g-controls" if not address else ".g-record h3", state="visible")
        page.path = path
        pages.append(page)
        return page

    yield open_
    for page in pages:
        assert page.said == []
        assert [url for url in page.asked if url.split("#")[0] != page.path.as_uri()] == []
        assert page.evaluate("window.attacked") is None


@pytest.fixture(scope="module")
def given():
    return records()


@pytest.fixture(scope="module")
def shared(opened, given):
    return opened(given)


@pytest.fixture
def page(shared):
    shared.evaluate("location.hash = 'gallery'")
    shared.wait_for_selector(".g-controls", state="visible")
    shared.evaluate("document.querySelector('.g-controls').reset()")
    shared.fill("[name=find]", "")  # the event that arranges the cards
    shared.select_option("[name=sort]", "0")
    return shared


def listed(page):
    return [int(words) for words in page.locator(".g-card b").all_inner_texts() if words.isdigit()]


def title(page):
    return page.locator(".g-record h3").inner_text().split("class")[0].strip()


def at_record(page, number):
    end = time.monotonic() + PATIENCE_S
    while page.locator(".g-record").is_hidden() or title(page) != f"Record {number}":
        assert time.monotonic() < end, f"record {number} did not open"
        page.wait_for_timeout(10)


def at_gallery(page):
    page.wait_for_selector(".g-list", state="visible")
    assert page.locator(".g-record").is_hidden()


def test_cards_sort_up_and_down_with_unknown_values_last(page, given):
    values = given.measures["Share that gives it away"]
    assert listed(page) == given.ids[np.argsort(-values)].tolist()
    page.select_option("[name=sort]", label="Margin")
    margin = given.measures["Margin"]
    known = ~np.isnan(margin)
    unknown = given.ids[~known].tolist()
    assert listed(page) == given.ids[known][np.argsort(-margin[known])].tolist() + unknown
    page.click("[data-do=turn]")
    assert listed(page) == given.ids[known][np.argsort(margin[known])].tolist() + unknown
    assert page.locator(".g-value").last.inner_text() == "unknown"
    page.select_option("[name=sort]", "id")
    assert listed(page) == sorted(given.ids.tolist())
    page.click("[data-do=turn]")
    assert listed(page) == sorted(given.ids.tolist(), reverse=True)


def test_filters_and_their_count(page, given):
    def shown(mask):
        assert sorted(listed(page)) == given.ids[mask].tolist()
        assert page.locator(".g-count").inner_text().startswith(f"{mask.sum()} of 30 records")

    page.select_option("[name=class]", "1")
    shown(given.labels == 1)
    page.select_option("[name=class]", "")
    page.select_option("[name=who]", "away")
    shown(given.vulnerable)
    page.select_option("[name=who]", "others")
    page.check("[name=wrong]")
    shown(~given.vulnerable & (given.predicted != given.labels))
    page.select_option("[name=who]", "")
    page.check("[name=label]")
    shown((given.predicted != given.labels) & given.mislabelled)
    page.uncheck("[name=wrong]")
    page.uncheck("[name=label]")
    page.fill("[name=find]", "12")
    shown(given.ids // 10 == 12)


def test_search_opens_a_record_or_says_that_it_is_not_here(page):
    page.fill("[name=find]", "117")
    page.keyboard.press("Enter")
    at_record(page, 117)
    page.go_back()
    at_gallery(page)
    page.fill("[name=find]", "999")
    page.keyboard.press("Enter")
    assert "999 is not among" in page.locator(".g-count").inner_text()


def test_enter_opens_a_card_and_escape_returns_to_it(page):
    card = page.locator(".g-card a").nth(4)
    card.focus()
    name = card.locator("b").inner_text()
    page.keyboard.press("Enter")
    at_record(page, name)
    assert page.evaluate("location.hash") == f"#record-{name}"
    assert page.evaluate("document.activeElement.tagName") == "H3"
    page.keyboard.press("Escape")
    at_gallery(page)
    assert page.evaluate("document.activeElement.getAttribute('href')") == f"#record-{name}"


def test_next_and_previous_follow_the_order_and_back_returns_to_the_gallery(page):
    page.select_option("[name=class]", "2")
    order = listed(page)
    page.locator(".g-card a").nth(1).click()
    at_record(page, order[1])
    assert page.locator(".g-place").inner_text() == f"2 of {len(order)}"
    page.click("text=Next")
    at_record(page, order[2])
    page.click("text=Previous")
    at_record(page, order[1])
    page.keyboard.press("ArrowLeft")
    at_record(page, order[0])
    assert page.locator("span.g-step").inner_text() == "‹ Previous"  # no link at the beginning
    page.go_back()
    at_gallery(page)
    page.go_forward()
    at_record(page, order[0])
    page.click(".g-back")
    at_gallery(page)


def test_another_address_leaves_the_record_and_goes_there(page):
    page.locator(".g-card a").first.click()
    page.wait_for_selector(".g-record", state="visible")
    page.evaluate("location.hash = 'after'")
    at_gallery(page)
    top = page.evaluate("document.getElementById('after').getBoundingClientRect().top")
    assert 0 <= top < page.viewport_size["height"]


def test_a_row_of_records_elsewhere_is_drawn_and_browser_back_returns_to_it(page):
    links = page.locator(".g-strip a")
    assert links.locator("b").all_inner_texts() == ["107", "102"]
    assert links.first.locator("canvas").count() == 3  # the picture, and the picture with its map
    links.nth(1).click()
    at_record(page, 102)
    page.go_back()
    at_gallery(page)
    assert page.evaluate("document.activeElement.closest('.g-strip') !== null")
    links.nth(1).click()
    at_record(page, 102)
    page.click(".g-back")
    at_gallery(page)
    assert page.evaluate("document.activeElement.closest('.g-list') !== null")


def test_an_address_opens_a_record_with_all_that_is_known(opened, given):
    page = opened(given, "#record-105")
    assert title(page) == "Record 105"
    text = page.locator(".g-record").inner_text()
    assert f"{given.scores['LiRA'][5]:.3g}".replace("-", "−") in text
    assert page.locator(".g-numbers tr", has_text="Margin").inner_text().split()[-2:] == [
        "unknown",
        "unknown",
    ]
    path, loss = page.locator(".g-chart").all()
    assert f"Epoch 10: FPR {100 * given.fpr[-1, 5]:.1f}" in path.get_attribute("aria-label")
    assert path.locator("circle").count() == 3
    assert "0.002 nats" in loss.get_attribute("aria-label")
    assert "logarithmic" in loss.text_content()
    near = page.locator(".g-near li")
    assert near.locator("b").all_inner_texts() == [str(given.pictured_ids[n]) for n in given.neighbors[5]]
    assert near.locator("a").count() == (given.neighbors[5] < 30).sum()
    assert page.locator(".g-portrait canvas").count() == 3  # the picture, and the picture with its map


def pixels_of(canvas, side):
    picture = f"document.querySelector('{canvas}').getContext('2d').getImageData(0, 0, {side}, {side})"
    return f"Array.from({picture}.data)"


def test_the_drawn_pixels_are_the_records(opened, given):
    page = opened(given, "#record-104")
    pixels = pixels_of(".g-portrait canvas", 8)
    seen = np.reshape(page.evaluate(pixels), (8, 8, 4))
    assert np.array_equal(seen[:, :, 0], given.pictures[4, 0])


def test_a_map_is_strongest_where_its_cells_are(opened):
    maps = np.zeros((30, 4, 4))
    maps[:, 0, 3] = 1.0
    page = opened(records(maps=maps), "#record-104")
    alpha = pixels_of(".g-portrait .g-map", 64)
    cover = np.reshape(page.evaluate(alpha), (64, 64, 4))[:, :, 3]
    assert cover[:8, -8:].min() > 180  # top right
    assert cover[32:].max() == cover[:, :32].max() == 0


def test_cards_are_drawn_near_the_window_and_with_maps_when_asked(opened):
    page = opened(records(count=300), viewport={"width": 700, "height": 600})
    page.wait_for_selector(".g-card canvas")
    drawn = page.locator(".g-card canvas").count()
    assert 0 < drawn < 150
    assert page.locator(".g-card .g-map:visible").count() == 0
    page.check("[name=maps]")
    page.wait_for_selector(".g-card .g-map", state="visible")
    page.uncheck("[name=maps]")
    assert page.locator(".g-card .g-map:visible").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_does_not_scroll_sideways(opened, scheme):
    for given in (records(), rows_of_a_table()):
        page = opened(given, viewport={"width": 390, "height": 844}, color_scheme=scheme)
        for address in ("gallery", "record-103"):
            page.evaluate(f"location.hash = '{address}'")
            page.wait_for_timeout(50)
            assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_rows_of_a_table_show_their_strongest_features(opened):
    given = rows_of_a_table()
    page = opened(given)
    card = page.locator(".g-card", has=page.locator("[href='#record-103']"))
    card.scroll_into_view_if_needed()
    card.locator(".g-features").wait_for()
    assert card.locator(".g-features b").all_inner_texts() == ["41", "0", "1.8"]  # three of four
    page.evaluate("location.hash = 'record-103'")
    at_record(page, 103)
    rows = page.locator(".g-strongest tbody tr")
    assert rows.locator("th").all_inner_texts() == ["age", "<b>income</b>", "height", "visits"]
    sides = rows.locator("i").evaluate_all("all => all.map((one) => [one.className, one.style.width])")
    assert sides == [["for", "12.5%"], ["against", "50%"], ["for", "6.25%"], ["against", "3.125%"]]
    assert page.locator("[name=maps], [name=label]").count() == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"fpr": np.full((3, 30), np.nan)},
        {"losses": np.full((3, 30), np.nan)},
        {"losses": np.zeros((3, 30))},
        {"losses": np.array([[2.0], [0.1], [0.0]]) * np.ones(30)},
        {"epochs": np.array([5.0]), "fpr": np.full((1, 30), 0.1), "tpr": np.full((1, 30), 0.9)},
        {"losses": np.full((1, 30), 1.5), "loss_epochs": np.array([5.0])},
        {"measures": {}, "scores": {}},
        {"pictures": None, "maps": None},
    ],
    ids=["no path", "no loss", "zero", "floored", "one point", "one loss", "no numbers", "no pictures"],
)
def test_a_record_of_which_little_is_known_still_has_its_page(opened, changes):
    page = opened(dataclasses.replace(records(), **changes), "#record-101")
    drawn = page.locator(".g-record").inner_html()
    assert "NaN" not in drawn
    assert "Infinity" not in drawn
    assert "undefined" not in drawn


def test_paper_shows_the_first_fifty_without_controls(opened):
    page = opened(records(count=80))
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".g-card:visible").count() == 50
    assert page.locator(".g-card:visible canvas").count() >= 50
    assert page.locator(".g-controls").is_hidden()


def test_without_scripts_there_is_a_table(browser, given, tmp_path):
    path = tmp_path / "plain.html"
    path.write_text(body_alone(gallery(given, NAMES)))
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(path.as_uri())
    assert page.locator("noscript tbody tr").count() == 30
    assert page.locator(".g-controls").is_hidden()
