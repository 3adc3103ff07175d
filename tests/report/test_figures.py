import numpy as np
import pytest

from vestige.report.figure import Line
from vestige.report.figures import auc_figure, roc_figure
from vestige.report.plane_figures import advantage_figure, shares_figure


def test_roc_is_gray_where_the_sample_cannot_carry_the_rate(arrays):
    figure = roc_figure(arrays.curves)
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
