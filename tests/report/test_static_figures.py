"""Figures as files for print."""

import struct
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
import synthetic_explanation as made

from vestige.core.errors import InputError
from vestige.report.explanation_figures import explanation_sheets, group_figure
from vestige.report.explanation_panels import class_figures
from vestige.report.figure import Area, Axis, Figure, Grid, Line, Points, Table

pytest.importorskip("matplotlib", reason="Matplotlib is not installed")
from matplotlib import image

from vestige.report import static_figures

HEAD = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def page():
    return made.image_page()


def figure_of(*marks, **axes):
    plain = {"x": Axis(title="across"), "y": Axis(title="up")}
    return Figure(
        key="one",
        title="One",
        caption="",
        alt="",
        marks=marks,
        table=Table(header=(), rows=()),
        **(plain | axes),
    )


def line(**changes):
    given = {"name": "line", "x": np.array([1.0, 10.0]), "y": np.array([0.0, 1.0]), "color": "accent"}
    return Line(**(given | changes))


def size(path):
    """Width and height in pixels, as the file itself says."""
    head = path.read_bytes()[:24]
    assert head[:8] == HEAD
    return struct.unpack(">II", head[16:24])


def words(path):
    """The texts of an SVG, which names the outlines of each in a comment."""
    parser = ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True))
    root = ElementTree.fromstring(path.read_text(), parser)
    return {node.text.strip() for node in root.iter() if node.tag is ElementTree.Comment}


def test_a_figure_for_print_is_white_and_fine_enough(page, tmp_path):
    path = static_figures.draw(group_figure(page.by_class, "class"), tmp_path / "deep" / "one.png")
    assert size(path)[0] == round(static_figures.WIDTH * static_figures.PIXELS_PER_INCH)
    pixels = image.imread(path)
    assert np.all(pixels[[0, 0, -1, -1], [0, -1, 0, -1], :3] == 1.0)
    assert pixels.min() < 0.5


def test_an_svg_names_rows_and_axes(page, tmp_path):
    path = static_figures.draw(group_figure(page.by_class, "class"), tmp_path / "one.svg")
    assert {"plane", "car", "bird", "cat", "share given away"} <= words(path)


def test_equal_figures_are_equal_files(page, tmp_path):
    for suffix in (".svg", ".png"):
        one, other = (
            static_figures.draw(group_figure(page.by_class, "class"), tmp_path / f"{name}{suffix}")
            for name in ("one", "other")
        )
        assert one.read_bytes() == other.read_bytes()


def test_every_sheet_of_a_page_is_drawn(page, tmp_path):
    for sheet in explanation_sheets(page):
        path = tmp_path / f"{sheet.key}.png"
        static_figures.draw_panels(sheet.figures, path) if len(sheet.figures) > 1 else static_figures.draw(
            sheet.figures[0], path
        )
        assert min(size(path)) > 150
    assert not list(tmp_path.glob(".*"))  # nothing half written


def test_panels_stand_in_rows(page, tmp_path):
    panels = tuple(class_figures(page.plot, page))
    wide = size(static_figures.draw_panels(panels, tmp_path / "wide.png", columns=4))
    tall = size(static_figures.draw_panels(panels, tmp_path / "tall.png", columns=1))
    assert wide[0] == 4 * tall[0]
    assert tall[1] > 3 * wide[1] / 1.5


def test_an_empty_corner_of_the_panels_stays_white(page, tmp_path):
    panels = tuple(class_figures(page.plot, page))[:3]
    pixels = image.imread(static_figures.draw_panels(panels, tmp_path / "three.png", columns=2))
    height, width = pixels.shape[:2]
    assert pixels[int(0.55 * height) : int(0.85 * height), int(0.55 * width) :, :3].min() == 1.0


def test_a_logarithmic_axis_and_a_band_are_drawn(tmp_path):
    banded = line(low=np.array([0.0, 0.5]), high=np.array([0.5, 1.0]))
    log = Axis(title="epoch", log=True, low=1.0, high=10.0)
    drawn = static_figures.draw(figure_of(banded, x=log), tmp_path / "log.png").read_bytes()
    assert drawn != static_figures.draw(figure_of(line(), x=log), tmp_path / "plain.png").read_bytes()


def test_areas_and_points_are_drawn(tmp_path):
    both = np.array([0.2, 0.8])
    points = Points(
        name="points",
        labels=("a", "b"),
        x=both,
        y=both,
        x_low=both - 0.1,
        x_high=both + 0.1,
        y_low=both,
        y_high=both,
        color="blue",
    )
    area = Area(name="area", x=both, y=both, color="amber")
    path = static_figures.draw(figure_of(area, points), tmp_path / "both.svg")
    assert {"area", "points"} <= words(path)


def test_a_mark_without_a_drawing_is_named(tmp_path):
    grid = Grid(rows=("a",), columns=("b",), values=np.ones((1, 1)), low=0.0, high=1.0)
    with pytest.raises(TypeError, match="Grid"):
        static_figures.draw(figure_of(grid), tmp_path / "grid.png")
    assert not list(tmp_path.iterdir())


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"\.png or \.svg"):
        static_figures.draw(figure_of(line()), tmp_path / "one.pdf")


def test_its_absence_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(InputError, match=r"vestige\[explain\]"):
        static_figures.draw(figure_of(line()), tmp_path / "one.png")


@pytest.mark.parametrize("channels", [1, 3])
def test_a_gallery_shows_each_picture_plain_and_under_its_map(channels, tmp_path):
    pictures = np.full((2, channels, 8, 8), 128, np.uint8)
    maps = np.zeros((2, 4, 4))
    maps[:, :2] = 1.0  # strong above, weak below
    rows = {"closest": np.array([0]), "farthest": np.array([1])}
    pixels = image.imread(static_figures.gallery(pictures, maps, rows, tmp_path / "gallery.png"))[..., :3]
    middle = pixels[:, pixels.shape[1] // 2]
    colorful = np.ptp(middle, axis=1) > 0.1
    gray = (np.ptp(middle, axis=1) < 0.01) & (np.abs(middle[:, 0] - 0.5) < 0.05)
    assert gray.sum() > 60  # the plain lines
    assert colorful.sum() > 60  # the lines under maps
    covered = middle[colorful]
    assert covered[0, 0] > covered[0, 2]  # red where the map is strong
