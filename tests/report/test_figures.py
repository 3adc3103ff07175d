import dataclasses

import numpy as np
import pytest
import synthetic_audit

from vestige.report.figure import Dots, Line
from vestige.report.figures import auc_figure, roc_figure
from vestige.report.plane_figures import MOST_CELLS, advantage_figure, plane_figure, shares_figure
from vestige.risk.exposure import ranking
from vestige.risk.plane import Plane
from vestige.risk.region import REGIONS


def dots(marks):
    return [m for m in marks if isinstance(m, Dots)]


def test_every_frame_holds_every_sample_once(arrays):
    figure = plane_figure(arrays, arrays.plane)
    assert len(figure.frames) == len(synthetic_audit.EPOCHS)
    for checkpoint, frame in enumerate(figure.frames):
        circles = dots(frame.marks)
        assert [c.name for c in circles[-1:]] == ["most exposed"]
        regions = arrays.plane.regions[checkpoint]
        counted = [int(c.count.sum()) for c in circles[:-1]]
        assert counted == [int((regions == r).sum()) for r in range(len(REGIONS))]
        assert [type(m) for m in frame.marks] == [type(m) for m in figure.frames[0].marks]


def test_rings_follow_the_most_exposed(arrays):
    figure = plane_figure(arrays, arrays.plane)
    top = ranking(arrays.plane)[:10]
    first = figure.frames[0].marks[-1]
    assert np.array_equal(first.y, arrays.plane.tpr[0, top])
    assert first.text[0].startswith(f"record {arrays.ids[top[0]]} (place ")


def test_too_many_circles_are_merged(make_arrays, material):
    rng = np.random.default_rng(0)
    trials = rng.integers(100, 200, (1, 9000)).astype(np.int32)
    hits = rng.integers(0, 100, (2, 1, 9000)).astype(np.int32)
    plane = Plane(hits_in=hits[0], hits_out=hits[1], n_in=trials, n_out=trials, epochs=np.zeros(1))
    arrays = dataclasses.replace(
        make_arrays(material, plane=None), plane=plane, ids=np.arange(9000), labels=None
    )
    circles = dots(plane_figure(arrays, plane).marks)[:-1]
    assert sum(c.count.sum() for c in circles) == 9000
    assert sum(len(c.x) for c in circles) <= 51**2
    assert len(np.unique(np.stack([hits[0, 0] / trials[0], hits[1, 0] / trials[0]]), axis=1).T) > MOST_CELLS


def test_roc_is_gray_where_the_sample_cannot_carry_the_rate(arrays):
    figure = roc_figure(arrays)
    headline = arrays.curves[0]
    lowest = headline.fpr[headline.supported].min()
    lines = {m.name: m for m in figure.marks if isinstance(m, Line)}
    assert lines[headline.attack].x.min() == lowest
    gray = lines[f"{headline.attack} (not supported)"]
    assert gray.color == "muted"
    assert gray.x.max() == pytest.approx(lowest)
    assert np.all(lines[headline.attack].low <= lines[headline.attack].high)


def test_roc_curve_meets_the_table(arrays, material, make_audit):
    summary = make_audit(material).headline
    curve = arrays.curves[0]
    for rate in summary.rates[:3]:
        at = int(np.argmin(np.abs(np.log(curve.fpr / rate.fpr))))
        assert curve.fpr[at] == pytest.approx(rate.fpr)
        if rate.supported:
            assert curve.tpr[at] == pytest.approx(rate.tpr.value, abs=0.002)


def test_csv_tables_hold_what_is_drawn(arrays, material, make_audit):
    figure = shares_figure(arrays.plane)
    assert all(sum(row[1:]) == pytest.approx(1) for row in figure.table.rows)
    attacks = make_audit(material).attacks
    rows = auc_figure(attacks).table.rows
    assert {row[0]: row[1] for row in rows} == {a.attack: a.auc.value for a in attacks}
    falling = advantage_figure(arrays, arrays.plane).marks[0].y
    assert np.all(np.diff(falling) <= 0)
