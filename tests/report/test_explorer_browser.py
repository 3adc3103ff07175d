"""The explorer in a real browser, from the file, with the network cut."""

import dataclasses
import statistics

import numpy as np
import pytest
from browsed import until, watched_page

from vestige.report.explorer import explorer, script
from vestige.report.page import render
from vestige.report.shell import asset
from vestige.risk.exposure import exposure
from vestige.risk.plane import Plane

HOSTILE = '<img src=x onerror="window.attacked = 1">'
WIDE, TALL = 1100, 900
READBACK = "Multiple readback operations"  # a hint about the pixels that these tests read


@pytest.fixture(scope="module")
def report(material, arrays, make_audit, make_dynamics, tmp_path_factory):
    result = dataclasses.replace(make_audit(material), dynamics=make_dynamics())
    named = dataclasses.replace(arrays, class_names=(HOSTILE, *arrays.class_names[1:]))
    return render(result, named, tmp_path_factory.mktemp("report") / "report.html")


def opened(browser, path, **options):
    """A page of the file; what it asks for and complains of is kept in `asked` and `said`."""
    page = watched_page(browser, **({"viewport": {"width": WIDE, "height": TALL}} | options))
    page.goto(path.as_uri())
    until(page, "!!window.vestigeExplorer")
    return page


@pytest.fixture(scope="module")
def shared(browser, report):
    page = opened(browser, report)
    yield page
    foreign = [url for url in page.asked if not url.startswith(("data:", "blob:", report.as_uri()))]
    assert foreign == []
    assert [line for line in page.said if READBACK not in line] == []
    page.context.close()


@pytest.fixture
def page(shared):
    """The open page as it was at first."""
    shared.evaluate("document.querySelector('.explorer [data-do=clear]').click()")
    for choice in ("[name=x-view][value=dots]", "[name=x-color][value=region]"):
        shared.evaluate(f"document.querySelector('{choice}').click()")
    shared.evaluate("vestigeExplorer.at(vestigeExplorer.records.last)")
    return shared


def state(page, name):
    return page.evaluate(f"vestigeExplorer.{name}")


def picture(page):
    return page.evaluate("document.querySelector('.x-canvas').toDataURL()")


def settled(page, checkpoint):
    until(page, f"vestigeExplorer.time === {checkpoint}")


def click_at(page, place):
    box = page.locator(".x-canvas").bounding_box()
    page.locator(".x-canvas").click(position=place)
    assert box["width"] > place["x"]


def test_the_script_reads_what_python_counted(page, arrays):
    plane = arrays.plane
    for name in ("hits_in", "hits_out"):
        read = page.evaluate(f"Array.from(vestigeExplorer.records.{name})")
        assert np.array_equal(np.reshape(read, plane.hits_in.shape), getattr(plane, name))
    codes = page.evaluate("Array.from(vestigeExplorer.records.region_codes)")
    assert np.array_equal(np.reshape(codes, plane.regions.shape), plane.regions)


def test_every_dot_lies_within_its_own_lattice_step(page, arrays):
    plane = arrays.plane
    for axis, share, trials in (("x", plane.fpr, plane.n_out), ("y", plane.tpr, plane.n_in)):
        read = np.reshape(page.evaluate(f"Array.from(vestigeExplorer.records.{axis})"), share.shape)
        assert np.all(np.abs(read - share) <= 0.46 / trials + 1e-6)
        assert len(np.unique(read[-1])) > 0.9 * read.shape[1]  # they do not coincide


def test_play_runs_to_the_end(page):
    page.evaluate("vestigeExplorer.at(0)")
    page.select_option(".x-speed select", "4")
    before = picture(page)
    page.click("[data-do=play]")
    until(page, "vestigeExplorer.time > 0.3 && vestigeExplorer.time % 1 !== 0")
    assert state(page, "playing")
    settled(page, 8)
    assert not state(page, "playing")
    assert page.locator(".x-epoch").inner_text() == "Epoch 30"
    assert picture(page) != before


def test_scrubbing_changes_what_is_drawn(page, arrays):
    last = picture(page)
    slider = page.locator(".x-time input")
    slider.fill("2")
    settled(page, 2)
    assert picture(page) != last
    assert slider.get_attribute("aria-valuetext") == "Epoch 2"
    counted = np.bincount(arrays.plane.regions[2], minlength=5)
    assert f"Low {counted[0]}" in page.locator(".x-shares-text").inner_text()


def test_the_keyboard_steps_and_plays(page):
    page.focus(".x-canvas")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")  # two presses at once are two steps
    settled(page, 6)
    page.keyboard.press("Home")
    settled(page, 0)
    page.keyboard.press("ArrowRight")
    settled(page, 1)
    page.keyboard.press(" ")
    assert state(page, "playing")
    page.keyboard.press(" ")
    assert not state(page, "playing")


def test_a_click_chooses_the_record_there(page, arrays):
    plane = arrays.plane
    points = np.stack([plane.fpr[-1], plane.tpr[-1]], 1)
    apart = np.abs(points[:, None] - points).max(2)
    np.fill_diagonal(apart, 1.0)
    position = int(apart.min(1).argmax())  # nobody else is near
    click_at(page, page.evaluate(f"vestigeExplorer.point({arrays.ids[position]})"))
    assert state(page, "selected") == arrays.ids[position]
    card = page.locator(".x-card").inner_text().replace("\u00a0", " ")
    assert f"{plane.hits_in[-1, position]} of {plane.n_in[-1, position]} models" in card
    assert f"{plane.hits_out[-1, position]} of {plane.n_out[-1, position]} models" in card
    assert plane.partition.shown[plane.regions[-1, position]] in card
    assert f"{arrays.difficulty[position]:.2f} nats" in card
    assert f"Record {arrays.ids[position]}" in page.locator(".x-status").inner_text()
    assert page.locator(".x-card canvas.x-picture").count() == 1


def test_records_that_hide_each_other_are_listed(page, arrays):
    plane = arrays.plane
    crowd = np.flatnonzero((plane.hits_in[-1] == 0) & (plane.hits_out[-1] == 0))
    click_at(page, page.evaluate(f"vestigeExplorer.point({arrays.ids[crowd[0]]})"))
    title = page.locator(".x-list h4").inner_text()
    assert title.endswith("records here")
    number = int(title.split()[0])
    assert number > 1
    assert page.locator(".x-list li").count() == min(number, 50)
    assert state(page, "selected") in arrays.ids[crowd]


def test_filters_change_the_count_and_the_density(page, arrays):
    plane = arrays.plane
    page.click(".x-filters summary")
    page.select_option("[data-filter=label]", "3")
    assert state(page, "shown") == (arrays.labels == 3).sum()
    page.check("[data-filter=vulnerable]")
    both = (arrays.labels == 3) & (plane.first_exposed >= 0)
    assert state(page, "shown") == both.sum()
    assert f"{both.sum()} of 600 records shown" in page.locator(".x-count").inner_text()
    page.locator("[name=x-view][value=density]").check(force=True)
    few = picture(page)
    page.click("[data-do=clear]")
    assert state(page, "shown") == 600
    assert picture(page) != few
    page.select_option("[data-filter=end]", str(plane.regions[-1, 0]))
    assert state(page, "shown") == (plane.regions[-1] == plane.regions[-1, 0]).sum()
    page.click("[data-do=clear]")
    page.locator("[data-filter=from]").fill("50")
    harder = (arrays.difficulty[:, None] > arrays.difficulty).mean(1)
    assert state(page, "shown") == (np.floor(100 * harder + 1e-9) >= 50).sum()
    page.click(".x-filters summary")


def test_colors_come_with_their_legend(page, arrays):
    assert "Emerging" in state(page, "legend")
    region = picture(page)
    page.locator("[name=x-color][value=class]").check(force=True)
    assert arrays.class_names[5] in state(page, "legend")
    assert picture(page) != region
    page.locator("[name=x-color][value=difficulty]").check(force=True)
    assert "easiest" in state(page, "legend")


def test_density_counts_the_records_of_a_cell(page, arrays):
    plane = arrays.plane
    page.locator("[name=x-view][value=density]").check(force=True)
    assert state(page, "view") == "density"
    assert "logarithmic" in state(page, "legend")
    position = int(plane.advantage[-1].argmax())
    place = page.evaluate(f"vestigeExplorer.cell({arrays.ids[position]})")
    same = (plane.hits_in[-1] == plane.hits_in[-1, position]) & (
        plane.hits_out[-1] == plane.hits_out[-1, position]
    )
    page.locator(".x-canvas").hover(position=place)
    page.wait_for_selector(".x-tip:not([hidden])")
    assert page.locator(".x-tip").inner_text().split()[0] == str(same.sum())
    click_at(page, place)
    assert state(page, "selected") in arrays.ids[same]


def test_search_pins_and_unknown_numbers(page, arrays):
    for number in arrays.ids[:6]:
        page.fill(".x-search input", str(number))
        page.click(".x-search button")
        assert state(page, "selected") == number
        page.click(".x-do-pin")
    assert state(page, "pins") == arrays.ids[:5].tolist()
    assert "unpin one first" in page.locator(".x-status").text_content()
    page.fill(".x-search input", "123456789")
    page.keyboard.press("Enter")
    assert "There is no record 123456789" in page.locator(".x-status").text_content()
    for number in arrays.ids[:5]:
        page.click(f"[aria-label='Unpin record {number}']")
    assert state(page, "pins") == []


def test_names_from_outside_are_only_text(page):
    page.locator("[name=x-color][value=class]").check(force=True)
    assert HOSTILE in state(page, "legend")
    assert page.evaluate("window.attacked") is None


def test_closed_parts_draw_when_they_open(page):
    page.evaluate("document.querySelectorAll('details.more').forEach((d) => (d.open = true))")
    until(
        page,
        "Array.from(document.querySelectorAll('details.more .js-plotly-plot')).every((p) =>"
        " p.querySelector('.main-svg').getBoundingClientRect().width > 600)",
    )


def test_a_phone_does_not_scroll_sideways(page):
    page.set_viewport_size({"width": 390, "height": 844})
    until(page, "document.documentElement.scrollWidth <= 390")  # the plots follow a moment later
    page.locator(".x-list button").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator(".x-card h4").inner_text().startswith("Record")
    page.set_viewport_size({"width": WIDE, "height": TALL})


def test_reduced_motion_jumps(page):
    page.emulate_media(reduced_motion="reduce")
    page.select_option(".x-speed select", "4")
    page.evaluate("window.times = []; vestigeExplorer.at(5)")
    page.click("[data-do=play]")
    page.evaluate("window.noting = setInterval(() => window.times.push(vestigeExplorer.time), 20)")
    settled(page, 8)
    page.evaluate("clearInterval(window.noting)")
    page.emulate_media(reduced_motion="no-preference")
    assert {6, 7} <= set(page.evaluate("window.times")) <= {5, 6, 7, 8}


def test_dark_follows_the_system_and_print_uses_light_paper(page):
    corner = "Array.from(document.querySelector('.x-canvas').getContext('2d').getImageData(2, 2, 1, 1).data)"
    assert min(page.evaluate(corner)[:3]) > 240
    page.emulate_media(color_scheme="dark")
    until(page, f"Math.max(...{corner}.slice(0, 3)) < 64")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert min(page.evaluate(corner)[:3]) > 240
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.emulate_media(color_scheme="light")


def test_one_checkpoint_shows_the_plane_without_a_player(browser, arrays, tmp_path):
    plane = arrays.plane
    rows = {name: getattr(plane, name)[-1:] for name in ("hits_in", "hits_out", "n_in", "n_out", "epochs")}
    page = opened(browser, alone(arrays, dataclasses.replace(plane, **rows), tmp_path))
    assert not page.locator("[data-do=play]").is_visible()
    page.locator(".x-list button").first.click()
    assert page.said == []
    page.context.close()


def alone(arrays, plane, folder):
    """A page with nothing but the explorer of this plane."""
    found = exposure(plane, arrays.ids, arrays.labels, attack="made up")
    given = dataclasses.replace(arrays, plane=plane)
    style = asset("style.css") + asset("explorer.css")
    body = f"{explorer(found, given, plane)}<script>{script()}</script>"
    page = f"<!doctype html><meta charset=utf-8><style>{style}</style>{body}"
    path = folder / "explorer.html"
    path.write_text(page, encoding="utf-8")
    return path


def many(arrays, samples):
    rng = np.random.default_rng(0)
    trials = np.full((12, samples), 32, np.int32)
    hits = (rng.beta(0.3, 3.0, samples) * np.linspace(0, 32, 12)[:, None]).astype(np.int32)
    hits = hits + rng.binomial(2, 0.1, hits.shape).astype(np.int32)
    low = rng.binomial(32, 0.03, hits.shape).astype(np.int32)
    epochs = np.arange(12, dtype=float)
    plane = Plane(hits_in=np.minimum(hits, 32), hits_out=low, n_in=trials, n_out=trials, epochs=epochs)
    ids = np.arange(samples)
    return dataclasses.replace(
        arrays, plane=plane, ids=ids, labels=ids % 10, difficulty=rng.random(samples), inputs=None
    )


@pytest.mark.parametrize(
    ("samples", "view", "most"), [(5000, "dots", 16.0), (50_000, "density", 30.0)], ids=["dots", "density"]
)
def test_motion_stays_smooth(browser, arrays, tmp_path, samples, view, most):
    given = many(arrays, samples)
    page = opened(browser, alone(given, given.plane, tmp_path))
    assert state(page, "view") == view
    medians = []
    for _ in range(3):  # the best of three: a busy machine slows some of them
        page.evaluate(
            "vestigeExplorer.costs.length = 0; for (let i = 0; i < 60; i++) vestigeExplorer.at(i * 0.17)"
        )
        medians.append(statistics.median(page.evaluate("vestigeExplorer.costs")))
    print(f"{samples} samples, {view}: medians {', '.join(f'{one:.1f}' for one in medians)} ms")
    assert min(medians) < most
    page.context.close()
