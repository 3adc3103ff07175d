import numpy as np
import pytest

from vestige.report.dynamics_figures import association_figures, curve_figures
from vestige.report.figure import Line
from vestige.report.plotly_page import draw


def test_every_curve_that_is_there_is_drawn_once(make_dynamics):
    found = make_dynamics()
    figures = [f for central in (True, False) for f in curve_figures(found, central=central)]
    assert sorted(line.name for f in figures for line in f.marks) == sorted(c.title for c in found.curves)
    assert len({f.key for f in figures}) == len(figures)
    early = next(f for f in figures if f.key == "curve-early")
    assert [line.name for line in early.marks] == ["Title of recall", "Title of precision"]


def test_absent_curves_and_values_are_left_out(make_dynamics):
    found = make_dynamics()
    assert curve_figures(make_dynamics(curves=()), central=True) == ()
    line = next(m for f in curve_figures(found, central=False) for m in f.marks if "entropy" in m.name)
    curve = found.curve("entropy")
    assert line.x.tolist() == list(curve.epochs[1:])  # the first has no value
    assert line.y.tolist() == [e.value for e in curve.estimates[1:]]
    assert np.all(line.low <= line.y)
    figure = next(f for f in curve_figures(found, central=False) if f.key == "curve-entropy")
    assert figure.table.rows[0][2:] == ("", "", "")
    assert f"at epoch {curve.epochs[1]:g}" in figure.alt


def test_a_unit_that_ends_another_goes_without_saying(make_dynamics):
    speed = next(f for f in curve_figures(make_dynamics(), central=True) if f.key == "curve-speed")
    assert speed.y.title == "Plane units per epoch"


def test_one_figure_per_outcome_and_one_line_per_measure(make_dynamics):
    final, entry = association_figures(make_dynamics())
    assert [m.name for m in final.marks] == ["Measure epoch_learned", "Measure memorization"]
    assert [m.name for m in entry.marks] == ["Measure epoch_learned"]
    line = final.marks[1]
    assert isinstance(line, Line)
    assert line.x == pytest.approx(np.arange(1, 11))
    assert np.all(np.diff(line.y) > 0)
    assert association_figures(make_dynamics(associations=())) == ()
    assert "Measure memorization" in draw(final)
