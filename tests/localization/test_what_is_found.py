"""Ranks, agreement, the recommended protection and what is called risky."""

from pathlib import Path

import numpy as np
import pytest

from vestige.localization.agreement import agreement, ranks, sentence
from vestige.localization.answer import answer
from vestige.localization.localization import ROUTING, WEIGHTS, Localization, Part, RegionRow, chosen
from vestige.localization.order import order_of
from vestige.localization.page import probe_maps
from vestige.localization.populations import protections
from vestige.risk.estimate import Estimate

NAMES = ("front", "middle", "back")


def test_the_largest_value_comes_first_and_equal_ones_share_a_place():
    assert ranks(np.array([0.1, 0.4, 0.4, -0.2])) == (3, 1, 1, 4)


def test_probes_that_turn_each_other_round_disagree_wholly():
    rows = {"a": np.array([1.0, 2.0, 3.0]), "b": np.array([3.0, 2.0, 1.0]), "c": np.array([1.0, 1.0, 1.0])}
    found = agreement(rows)
    assert found.spearman[0, 1] == pytest.approx(-1)
    assert found.kendall[0, 1] == pytest.approx(-1)
    assert found.kendall[0, 0] == pytest.approx(1)
    assert np.isnan(found.kendall[0, 2])
    assert np.isnan(found.spearman[0, 2])


def near(value, half=0.01):
    return Estimate(value=value, low=value - half, high=value + half)


def said_of(**probes):
    """The sentence on probes whose regions have these estimates; the last probe decides."""
    values = {name: np.array([one.value for one in row]) for name, row in probes.items()}
    orders = {name: order_of(dict(zip(NAMES, row, strict=True)), 0.0) for name, row in probes.items()}
    return sentence(values, orders, list(probes)[-1])


FRONT = (near(0.3), near(0.2), near(0.1))
BACK = FRONT[::-1]
CHANCE = (near(0.02, 0.1), near(0.01, 0.1), near(0.0, 0.1))  # in the order of FRONT
DOUBTFUL = (near(0.3, 0.4), near(0.2), near(0.1))  # first by value, but another is risky


def test_a_region_is_first_only_by_its_whole_interval():
    assert order_of({"a": near(0.3), "b": near(0.2)}, 0.0).first == "a"
    close = order_of({"a": near(0.3, 0.1), "b": near(0.2, 0.05), "c": near(0.0)}, 0.0)
    assert (close.above, close.rivals, close.first) == (("a", "b"), ("a", "b"), None)
    assert close.doubt == ", in no clear order"
    hidden = order_of({"a": near(0.3, 0.4), "b": near(0.1)}, 0.0)
    assert (hidden.above, hidden.rivals, hidden.first) == (("b",), ("a", "b"), None)
    assert hidden.doubt == ", though a may hold more"


def test_a_figure_without_an_interval_may_come_first_but_lies_nowhere_for_certain():
    order = order_of({"a": Estimate(value=0.5), "b": near(0.2), "c": Estimate(value=None)}, 0.0)
    assert (order.above, order.rivals) == (("b",), ("a", "b"))
    assert order_of({"a": Estimate(value=0.5)}, 0.0).rivals == ()


def test_probes_agree_where_all_put_the_same_region_first_by_its_interval():
    said = said_of(retraining=FRONT, routing=FRONT)
    assert said.startswith("The probes agree that most privacy risk lies in front.")
    assert "By routing, which decides, front is first, and middle and back are risky too" in said
    assert "by retraining front is first, and middle and back are risky too (rank correlation +1.00)" in said


def test_probes_disagree_where_none_may_put_the_same_region_first():
    said = said_of(retraining=FRONT, routing=BACK)
    assert said.startswith("The probes disagree on where most privacy risk lies.")
    assert "(rank correlation -1.00)" in said


@pytest.mark.parametrize("other", [CHANCE, DOUBTFUL])
def test_the_same_largest_figure_is_no_agreement_where_it_may_be_chance(other):
    said = said_of(retraining=other, routing=FRONT)
    assert said.startswith("There is no clear order that all probes share")
    assert "agree" not in said


def test_every_doubt_is_told():
    said = said_of(rewinding=CHANCE, retraining=DOUBTFUL, routing=FRONT)
    assert "by rewinding no region is risky, so the order may be chance (rank correlation +1.00)" in said
    assert "by retraining middle and back are risky, though front may hold more" in said


def test_there_is_no_order_where_no_probe_calls_a_region_risky():
    said = said_of(retraining=CHANCE, routing=CHANCE)
    assert said.startswith("There is no clear order: no probe calls a region risky.")


def test_a_probe_without_order_has_no_rank_correlation():
    assert "nan" not in said_of(retraining=(near(0.1),) * 3, routing=FRONT)


def test_protections_are_each_region_suffixes_and_prefixes_once():
    assert protections("abcd") == (
        "all", "a", "b", "c", "d", "c..d", "b..d", "a..b", "a..c",
    )  # fmt: skip


def test_the_largest_gain_within_the_budget_is_chosen():
    regions = {"x": ("a",), "y": ("a", "b"), "z": ("b",)}
    assert chosen({"x": (0.1, 0.0), "y": (0.3, 0.02), "z": (0.2, 0.01)}, regions) == "z"
    assert chosen({"y": (0.1, 0.0), "x": (0.1, 0.0)}, regions) == "x"  # the smaller of equals
    assert chosen({"x": (-0.1, 0.0), "y": (0.0, -0.1)}, regions) is None
    assert chosen({"x": (0.5, 0.011)}, regions) is None


def row(probe, words, metric, value, half=0.01):
    estimate = Estimate(value=value, low=value - half, high=value + half)
    return RegionRow(probe=probe, words=words, metric=metric, estimate=estimate)


def localization(privacy, generalization, candidates=None, halves=(0.01, 0.01, 0.01)):
    half = dict(zip(NAMES, halves, strict=True))
    words = candidates or {"none": (), "all": NAMES, **{name: (name,) for name in NAMES}}
    gains = {**dict.fromkeys(words, 0.0), **dict(zip(NAMES, privacy, strict=True))}
    lost = {**dict.fromkeys(words, 0.0), **dict(zip(NAMES, generalization, strict=True))}
    rows = [
        one
        for word in words
        for one in (
            row(ROUTING, word, "privacy", gains[word], half.get(word, 0.01)),
            row(ROUTING, word, "generalization", lost[word]),
            row(ROUTING, word, "accuracy", 0.8 - lost[word]),
            row(ROUTING, word, "auc", 0.9 - gains[word]),
        )
    ]
    scored = [
        row(WEIGHTS, name, metric, value)
        for metric, values in (("privacy", (0.5, 1.0, 2.0)), ("privacy_share", (0.6, 0.3, 0.1)))
        for name, value in zip(NAMES, values, strict=True)
    ]
    parts = tuple(Part(name=name, parameters=10) for name in NAMES)
    return Localization(
        defense="label_smoothing:0.3",
        regions=parts,
        candidates=words,
        rows=(*scored, *rows),
        folder=Path("x"),
    )


def test_a_region_is_risky_by_its_whole_interval():
    found = localization((0.005, 0.02, -0.2), (0.0, 0.0, 0.0))
    assert found.risky(ROUTING) == ("middle",)
    assert found.risky(WEIGHTS) == ("back",)


def test_weight_scores_are_ranked_and_judged_by_the_same_figure():
    found = localization((0.0, 0.1, 0.2), (0.0, 0.0, 0.0))
    assert list(found.ranks[WEIGHTS]) == [3, 2, 1]  # its share would put the front first
    assert found.order(WEIGHTS, "privacy").first == "back" == found.risky(WEIGHTS)[0]
    assert found.agreement.spearman[0, 1] == pytest.approx(1.0)
    shown = next(probe for probe in probe_maps(found) if probe.is_ratio)
    assert shown.neutral == 1.0
    assert [one.value for one in shown.privacy] == [0.5, 1.0, 2.0]
    assert [one.value for one in shown.shares] == [0.6, 0.3, 0.1]


def test_the_answer_says_where_and_what_is_best():
    found = localization((0.0, 0.1, 0.2), (0.3, -0.1, 0.05))
    where, best = answer(found)
    assert (
        "most privacy risk lies in back: the defense there alone lowers AUC by 0.200 (0.190 to 0.210)"
        in where
    )
    assert (
        "most generalization lies in front: the defense there alone lowers accuracy by 0.300 (0.290 to 0.310)"
        in where
    )
    assert "protect=middle leaks least" in best  # back costs 5 points
    assert "accuracy 0.900 and AUC 0.800" in best


def test_what_may_be_chance_is_said_to_be_so():
    where, best = answer(localization((0.0, 0.005, 0.002), (0.001, 0.0, 0.0)))
    assert "privacy risk lies clearly in no single region: most in middle" in where
    assert where.count("which may be chance") == 2
    assert "though AUC falls by 0.005 (-0.005 to 0.015) only, which may be chance" in best


def test_a_region_that_surely_holds_risk_is_named_though_another_may_hold_more():
    where, _ = answer(localization((0.3, 0.1, 0.0), (0.0, 0.0, 0.0), halves=(0.5, 0.01, 0.01)))
    assert (
        "privacy risk lies clearly in middle, where the defense alone lowers AUC by 0.100 (0.090 to 0.110), "
        "though front may hold more" in where
    )
    assert "in no single region: most" not in where


def test_regions_whose_intervals_overlap_are_named_without_order():
    where, _ = answer(localization((0.3, 0.29, 0.0), (0.0, 0.0, 0.0)))
    assert (
        "privacy risk lies clearly in front and middle, where the defense alone lowers AUC by 0.300" in where
    )
    assert "(0.280 to 0.300), in no clear order" in where


def test_a_defense_that_lowers_nothing_is_not_recommended():
    where, best = answer(localization((-0.1, -0.2, 0.0), (-0.1, -0.1, -0.1)))
    assert "privacy risk lies in no single region" in where
    assert "generalization lies in no single region" in where
    assert "no protection lowers the AUC" in best


def test_missing_figures_have_no_value():
    found = localization((0.0, 0.1, 0.2), (0.0, 0.0, 0.0))
    assert np.isnan(found.values("retraining", "privacy")).all()
    assert found.table["value"].notna().all()
    assert list(found.ranks[ROUTING]) == [3, 2, 1]
