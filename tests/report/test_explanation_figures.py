"""The figures of an explanation, as data."""

import dataclasses

import numpy as np
import pytest
import synthetic_explanation as made

from vestige.report.explanation_figures import (
    MOST_GROUPS,
    contrast_figure,
    explanation_sheets,
    group_figure,
    headline_contrasts,
    percentile_figure,
    ranking_figure,
)
from vestige.report.explanation_panels import CHECKPOINTS, class_figures, logit_figures, plot_figure
from vestige.report.figure import Dots, Intervals, Points


@pytest.fixture(scope="module")
def page():
    return made.image_page()


def only(figure, kind):
    return [mark for mark in figure.marks if isinstance(mark, kind)]


def test_each_sheet_has_a_name_of_its_own(page):
    keys = [sheet.key for sheet in explanation_sheets(page)]
    assert len(keys) == len(set(keys))
    assert {"by-class", "by-group", "places", "differences", "scaled-logits", "plane-by-class"} <= set(keys)


def test_nothing_to_show_makes_no_sheet(page):
    bare = made.changed(
        page, by_class=None, by_group=None, differences=(), rankings=(), logits=None, plot=None
    )
    assert explanation_sheets(made.changed(bare, attributions=None)) == ()


def test_rules_lie_on_opposite_sides_of_the_average(page):
    """A calibrated rule names records that are hard elsewhere, one threshold names easy ones."""
    places = {}
    for mark in only(percentile_figure(page), Points):
        places[mark.name] = dict(zip(mark.labels, mark.x, strict=True))["Out-of-fold loss"]
    assert places["Above its references"] > 0.6
    assert places["One threshold for all"] < 0.4


def test_the_largest_difference_stands_on_top(page):
    contrasts = headline_contrasts(page)
    sizes = [abs(one.dominance.value) for one in contrasts]
    assert sizes == sorted(sizes, reverse=True)
    (mark,) = only(contrast_figure("differences", "Title", contrasts), Intervals)
    assert mark.rows[-1] == contrasts[0].measure
    assert mark.value[-1] == contrasts[0].dominance.value


def test_the_most_exposed_group_stands_on_top_and_many_are_cut(page):
    found = page.by_class
    (mark,) = only(group_figure(found, "class"), Intervals)
    assert mark.rows[-1] == found.groups[0].name
    assert list(mark.value) == sorted(mark.value)
    many = dataclasses.replace(found, groups=found.groups * 20)
    assert len(only(group_figure(many, "class"), Intervals)[0].rows) == MOST_GROUPS


def test_a_group_axis_begins_at_none_and_holds_every_interval(page):
    axis = group_figure(page.by_class, "class").x
    assert axis.low == 0.0
    assert axis.high > max(group.mean.high for group in page.by_class.groups)


def test_distributions_run_from_the_first_to_the_last_checkpoint(page):
    found = page.logits
    long = dataclasses.replace(
        found,
        epochs=np.arange(20.0),
        members=np.repeat(found.members[:1], 20, 0),
        nonmembers=np.repeat(found.nonmembers[:1], 20, 0),
        auc=np.linspace(0.5, 0.9, 20),
        advantage=np.zeros(20),
    )
    figures = logit_figures(long)
    assert len(figures) == CHECKPOINTS
    assert "Epoch 0: AUC 0.500" in figures[0].title
    assert "Epoch 19: AUC 0.900" in figures[-1].title
    members, others = figures[-1].marks
    assert np.array_equal(members.y, long.members[-1])
    assert np.array_equal(others.y, long.nonmembers[-1])


def test_panels_of_classes_share_out_the_members(page):
    plot = page.plot
    figures = list(class_figures(plot, page))
    assert [figure.title for figure in figures] == list(page.class_names)
    drawn = [only(figure, Dots) for figure in figures]
    assert sum(len(plain.x) for plain, _ in drawn) == len(plot.labels)
    assert sum(len(ringed.x) for _, ringed in drawn) == plot.vulnerable.sum()
    assert all(ringed.ringed and not plain.ringed for plain, ringed in drawn)


def test_the_plane_draws_the_given_away_last(page):
    marks = only(plot_figure(page.plot, page), Dots)
    assert [mark.ringed for mark in marks] == [False] * 4 + [True]
    assert np.array_equal(marks[-1].x, page.plot.points[page.plot.vulnerable, 0])


def test_rankings_are_drawn_against_chance(page):
    *rankings, chance = ranking_figure(page).marks
    assert [mark.name for mark in rankings] == [ranking.title for ranking in page.rankings]
    assert list(rankings[0].y) == [top.precision.value for top in page.rankings[0].top]
    assert list(chance.y) == [top.chance for top in page.rankings[0].top]
