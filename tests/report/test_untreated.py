"""The tables of treated and untreated members, and the sentence above them."""

import pytest

from vestige.report.protection import render_protection
from vestige.report.protection_figures import ProtectionRow
from vestige.report.untreated import TITLE, untreated
from vestige.report.words import scan
from vestige.risk.estimate import Estimate

HEADLINE = "lira-online-fixed"


def estimate(value, half=0.01):
    return Estimate(value=value, low=value - half, high=value + half)


def row(name="pre_identification:0.1", change=0.05, half=0.01, compared=True):
    keys = {}
    for group, before in (("untreated", 0.02), ("treated", 0.5)):
        for metric in ("tpr@0.01", "auc"):
            moved = change if group == "untreated" and metric == "tpr@0.01" else 0.0
            keys[HEADLINE, f"{metric}_{group}"] = estimate(before + moved)
            if compared:
                keys[HEADLINE, f"{metric}_{group}_before"] = estimate(before)
                keys[HEADLINE, f"{metric}_{group}_change"] = estimate(moved, half)
    keys["utility", "test_accuracy"] = estimate(0.9)
    return ProtectionRow(name=name, mechanism="pre_identification", estimates=keys)


def plain(parts):
    return "".join(parts).replace("\u00a0", " ")


def test_more_exposed_needs_the_whole_interval():
    said = plain(untreated([row()], HEADLINE))
    assert "became more exposed, by a whole interval, with pre_identification:0.1" in said
    assert "TPR at 1 % FPR 2 % before, 7 % after" in said
    assert "Here no defense made" in plain(untreated([row(half=0.06)], HEADLINE))
    assert "Here no defense made" in plain(untreated([row(change=-0.05)], HEADLINE))


def test_both_groups_stand_in_tables_before_after_and_change():
    text = plain(untreated([row()], HEADLINE))
    assert f"<caption>{TITLE}</caption>" in text
    assert "<caption>Members that were treated</caption>" in text
    assert text.count("TPR at 1 %, before") == text.count("AUC, change") == 2
    assert "0.050 (0.040 to 0.060)" in text.replace("<wbr>", "")
    assert "A dropped record still counts as a member" in text


def test_without_a_treatment_nothing_is_said_and_without_none_no_change():
    assert untreated([ProtectionRow(name="none", mechanism="none", estimates={})], HEADLINE) == []
    text = plain(untreated([row(compared=False)], HEADLINE))
    assert "a change cannot be told" in text
    assert "before" not in text.partition("<table>")[2]


@pytest.mark.parametrize("treated", [True, False])
def test_the_page_holds_the_table_where_somebody_is_treated(tmp_path, treated):
    use = {("utility", "test_accuracy"): estimate(0.9)}
    rows = [ProtectionRow(name="none", mechanism="none", estimates=use), *([row()] if treated else [])]
    text = render_protection(rows, HEADLINE, 1, None, tmp_path / "page.html", {}).read_text(encoding="utf-8")
    assert (TITLE in text) == treated


def test_no_word_is_one_that_no_audit_can_carry():
    for rows in ([row()], [row(half=0.06)], [row(compared=False)]):
        assert scan("".join(untreated(rows, HEADLINE))) == []
