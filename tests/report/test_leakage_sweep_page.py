"""The page of a sweep: what it says, and that no word is used that it may not use."""

import numpy as np

from vestige.leakage.slope import log_log_slope
from vestige.report.leakage_sweep import LIMITED, SHOWN, render_sweep
from vestige.report.leakage_sweep_figures import SweepCurve, SweepPage, SweepPlot, SweepRow, sweep_figure
from vestige.report.words import scan

X = np.array([40.0, 80.0, 160.0])
VALUES = np.array([[16.0, 4.0, 1.0], [8.0, 2.0, 0.5]])
PLOT = SweepPlot(
    option="size",
    axis="size",
    x=X,
    fixed="weight=0.1",
    curves=(SweepCurve(statistic="mean", values=VALUES, slope=log_log_slope(X, VALUES.mean(0))),),
)


def page(**changed):
    given = {
        "dataset": "digits",
        "unit": "nats",
        "facts": (("Model", "ridge"),),
        "randomness": "The release is all parameters with noise.",
        "exact": True,
        "known_laws": True,
        "seeds": 2,
        "plots": (PLOT,),
        "rows": (SweepRow(name="size=40", values=dict.fromkeys((*SHOWN, *LIMITED), 0.125)),),
        "notes": ("A note.",),
    }
    return SweepPage(**{**given, **changed})


def test_the_figure_holds_values_bands_and_the_fitted_line():
    found = sweep_figure(PLOT, 0, "nats")
    mean, fit = found.marks
    assert np.array_equal(mean.y, [12.0, 3.0, 0.75])
    assert (np.array_equal(mean.low, VALUES[1]), np.array_equal(mean.high, VALUES[0])) == (True, True)
    assert np.allclose(fit.y, mean.y)  # an exact power of -2
    assert (found.x.log, found.y.log) == (True, True)
    assert "slope -2.00" in found.caption
    assert len(found.table.rows) == 6


def test_without_a_slope_no_line_is_drawn():
    bare = SweepPlot(
        option="size", axis="size", x=X[:2], fixed="", curves=(
            SweepCurve(statistic="max", values=VALUES[:1, :2], slope=None),
        ),
    )  # fmt: skip
    found = sweep_figure(bare, 1, "bits")
    assert len(found.marks) == 1
    assert found.marks[0].low is None
    assert "No power fitted" in found.caption


def test_the_page_names_threat_model_adversary_and_limits(tmp_path):
    text = render_sweep(page(), tmp_path / "a.html").read_text()
    for words in (
        "knows every record of the training set but one",
        "TPR at 0.1",
        "reconstruction",
        "A note.",
    ):
        assert words in text
    assert "best attack there can be" in text
    assert scan(text, ("digits",)) == []
    limits = render_sweep(
        page(known_laws=False, exact=False, plots=(), seeds=1), tmp_path / "b.html"
    ).read_text()
    assert "may stay below" in limits
    assert "nothing to draw" in limits
    assert "estimated" in limits
