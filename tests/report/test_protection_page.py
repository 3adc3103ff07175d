"""The page that compares defenses says what the figures say, and nothing that they do not."""

import numpy as np
import pytest

from vestige.report.protection import render_protection
from vestige.report.protection_figures import ProtectionRow, everywhere, front_figure
from vestige.risk.estimate import Estimate

ACCURACY, POWERFUL = ("utility", "test_accuracy"), ("loss-powerful", "advantage")
PLAIN, ADAPTED = ("lira", "tpr@0.01"), ("lira-adaptive", "tpr@0.01")


def near(value, half=0.01):
    return Estimate(value=value, low=value - half, high=value + half)


def row(name, accuracy, advantage, **others):
    estimates = {ACCURACY: near(accuracy), POWERFUL: near(advantage), PLAIN: near(0.1)}
    return ProtectionRow(
        name=name, mechanism=name.partition(":")[0], estimates=estimates | others.pop("more", {})
    )


def page(rows, tmp_path):
    path = render_protection(rows, "lira", 3, None, tmp_path / "page.html", {})
    return path.read_text(encoding="utf-8")


def test_the_answer_names_the_best_within_the_budget(tmp_path):
    rows = [row("none", 0.8, 0.4), row("a:1", 0.75, 0.2), row("a:2", 0.62, 0.05), row("b:1", 0.79, 0.3)]
    said = page(rows, tmp_path)
    assert "a:1 leaks least: the strongest attacker who knows some members gains 0.200, 0.400 without" in said
    assert "a:2: 62" in said  # within 25 %
    assert "Not beaten in both accuracy and leakage by any other: none, b:1, a:1, a:2." in said


def test_it_says_when_nothing_helps(tmp_path):
    said = page([row("none", 0.8, 0.1), row("a:1", 0.8, 0.2), row("b:1", 0.1, 0.0)], tmp_path)
    assert "nothing leaks less than no defense" in said
    assert "no setting keeps enough" in said


@pytest.mark.parametrize(("adapted", "said"), [(0.5, True), (0.105, False)])
def test_an_attacker_who_knows_the_defense_is_named_only_where_clearly_stronger(adapted, said, tmp_path):
    rows = [row("none", 0.8, 0.1), row("a:1", 0.8, 0.2, more={ADAPTED: near(adapted)})]
    assert ("An attacker who asks as training asked" in page(rows, tmp_path)) == said


def test_the_threat_model_of_reweighted_logits_is_stated_only_where_they_are_compared(tmp_path):
    rates = {("lira-inversion", "tpr@0.01"): near(0.09), ("lira-inversion-estimated", "tpr@0.01"): near(0.05)}
    more = rates | {("loss-inversion", "advantage"): near(0.3)}
    plain = row("none", 0.8, 0.1)
    said = page([plain, row("logit_reweighting:0.1", 0.8, 0.2, more=more)], tmp_path)
    assert "holds against an attacker who sees only labels or rounded outputs" in said
    assert "logit_reweighting:0.1 (0.100 as released, 0.090 with class means known, 0.050 with" in said
    only_known = page(
        [plain, row("a:1", 0.8, 0.2, more={("loss-inversion", "advantage"): near(0.3)})], tmp_path
    )
    assert "rounded outputs" in only_known
    assert "as released" not in only_known
    assert "rounded outputs" not in page([plain], tmp_path)


@pytest.mark.parametrize(("gain", "said"), [(0.05, True), (0.005, False)])
def test_a_false_sense_of_privacy_needs_the_whole_interval(gain, said, tmp_path):
    more = {
        ("distance", "auc"): near(0.6),
        ("loss-same-records", "auc"): near(0.6 - gain),
        ("distance", "gain"): near(gain),
    }
    text = page([row("none", 0.8, 0.1), row("a:1", 0.8, 0.2, more=more)], tmp_path)
    assert ("A false sense of privacy: with a:1" in text) == said


def test_only_what_is_not_beaten_has_its_name_written_beside_it():
    rows = [row("none", 0.8, 0.4), row("a:1", 0.75, 0.2), row("worse:1", 0.7, 0.5)]
    front, others = front_figure(rows, POWERFUL, "Advantage").marks
    assert front.joined
    assert front.named
    assert not others.named
    assert front.labels == ("none", "a:1")
    assert not others.joined
    assert others.labels == ("worse:1",)


def test_why_a_defense_failed_is_told_in_the_failure_s_own_words(tmp_path):
    failed = ProtectionRow(
        name="a:1", mechanism="a", estimates={}, failure="Error: caused by <a> loss of memory"
    )
    said = page([row("none", 0.8, 0.1), failed], tmp_path)
    assert "a:1 could not be measured: Error: caused by &lt;a&gt; loss of memory" in said


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("pptp:label_smoothing:0.3/protect=back", "label_smoothing:0.3"),
        ("pptp:label_smoothing:0.3", "label_smoothing:0.3"),
        ("pptp:relax_loss:0.5;upper=0.3/strength=0.5", "relax_loss:0.5/upper=0.3"),
        ("dropout:0.3+pptp:relax_loss:1/protect=head+cutout:4", "dropout:0.3+relax_loss:1+cutout:4"),
        ("label_smoothing:0.3", "label_smoothing:0.3"),
    ],
)  # fmt: skip
def test_the_plain_form_of_a_limited_defense(name, plain):
    assert everywhere(name) == plain


def test_a_line_joins_a_defense_with_itself_in_some_regions_only():
    rows = [row("none", 0.8, 0.4), row("a:1", 0.75, 0.2), row("pptp:a:1/protect=head", 0.78, 0.3)]
    rows.append(row("pptp:b:1", 0.7, 0.5))  # its plain form is not compared
    line, *_ = front_figure(rows, POWERFUL, "Advantage").marks
    assert np.array_equal(line.x, [0.75, 0.78])
    assert np.array_equal(line.y, [0.2, 0.3])
    assert "joins" in front_figure(rows, POWERFUL, "Advantage").caption
    assert "joins" not in front_figure(rows[:2], POWERFUL, "Advantage").caption


def test_what_is_lost_and_gained_stands_on_the_page(tmp_path):
    more = {("utility", "lost"): near(0.05), ("lira-online-fixed", "gained"): near(0.2)}
    more |= {("utility", "train_loss"): near(0.333), ("loss", "auc"): near(0.666)}
    said = page([row("none", 0.8, 0.4), row("a:1", 0.75, 0.2, more=more)], tmp_path)
    assert "Loss disparity" in said
    table = said.partition("<caption>Loss disparity</caption>")[2].partition("</table>")[0]
    assert all(figure in table for figure in ("4.00 <wbr>(3.17 to 5.25)", "0.333 ", "0.666 ", "0.050 "))
    assert "Loss disparity" not in page([row("none", 0.8, 0.4), row("a:1", 0.75, 0.2)], tmp_path)
