"""Ranks, agreement, the recommended protection and what is called risky."""

from pathlib import Path

import numpy as np
import pytest

from vestige.localization.agreement import agreement, ranks, sentence
from vestige.localization.answer import answer
from vestige.localization.localization import ROUTING, WEIGHTS, Localization, Part, RegionRow, chosen
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


def test_the_sentence_names_who_differs():
    rows = {"rewinding": np.array([3.0, 2.0, 1.0]), ROUTING: np.array([1.0, 2.0, 3.0])}
    said = sentence(rows, NAMES, ROUTING, ["rewinding"])
    assert "disagree" in said
    assert (
        "By routing back comes first; front by rewinding (rank correlation -1.00, which calls none risky)"
        in said
    )
    assert "The probes agree" in sentence({"x": rows[ROUTING], ROUTING: rows[ROUTING]}, NAMES, ROUTING, [])


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


def localization(privacy, generalization, candidates=None):
    words = candidates or {"none": (), "all": NAMES, **{name: (name,) for name in NAMES}}
    gains = {**dict.fromkeys(words, 0.0), **dict(zip(NAMES, privacy, strict=True))}
    lost = {**dict.fromkeys(words, 0.0), **dict(zip(NAMES, generalization, strict=True))}
    rows = [
        one
        for word in words
        for one in (
            row(ROUTING, word, "privacy", gains[word]),
            row(ROUTING, word, "generalization", lost[word]),
            row(ROUTING, word, "accuracy", 0.8 - lost[word]),
            row(ROUTING, word, "auc", 0.9 - gains[word]),
        )
    ]
    scored = [
        row(WEIGHTS, name, "relative", value) for name, value in zip(NAMES, (0.5, 1.0, 2.0), strict=True)
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
