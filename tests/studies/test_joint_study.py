"""The study of the joint attack: parts, draws on a small population, and what follows from figures."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vestige.attacks.catalog import by_name
from vestige.attacks.joint import Joint
from vestige.audits.step import silent
from vestige.core.errors import InputError
from vestige.defenses.writing import from_text
from vestige.studies import joint
from vestige.studies.joint import DRAWS, MANY_DRAWS, Part, draws, parts, trials
from vestige.studies.joint_claims import (
    GOALS,
    METRICS,
    bootstrapped,
    claims,
    extra_figures,
    figures,
    same_seconds,
)
from vestige.studies.joint_population import TARGETS, trained
from vestige.studies.joint_rates import FPRS, PUBLISHED, Trial, attacks_of, rates
from vestige.studies.part import Settings

SMALL = {"dataset": "digits", "samples": 200, "model": "mlp-8", "epochs": 2, "models": 24, "seed": 1}
ATTACKS = (by_name("student-t"), Joint(landmarks=40), Joint(landmarks=40, kernel="embeddings"))


@pytest.fixture(scope="module")
def population(tmp_path_factory):
    return trained(SMALL, tmp_path_factory.mktemp("joint"), 1, silent)


def test_each_draw_has_targets_and_references_of_its_own(population):
    trial = Trial(references=4, attacks=ATTACKS)
    one, other = (rates(population, trial, draw) for draw in (0, 1))
    assert len(one) == len(ATTACKS) * TARGETS
    assert set(one.target) != set(other.target)
    assert one[["auc", "tpr@0.001", "foreign"]].notna().all(axis=None)
    again = rates(population, trial, 0)
    pd.testing.assert_frame_equal(one, again)


def test_targets_may_hold_another_share_of_the_candidates(tmp_path):
    found = trained(SMALL, tmp_path, 1, silent, share=0.2)
    assert found.member[:TARGETS].mean() == pytest.approx(0.2, abs=0.03)
    assert found.member[TARGETS:].mean() == pytest.approx(0.5, abs=0.03)
    table = rates(found, Trial(references=4, attacks=ATTACKS[:1]), 0, fixed_targets=True)
    assert set(table.target) == set(range(TARGETS))


def test_any_number_of_processes_gives_the_same_tables(population, tmp_path, monkeypatch):
    usual, timed = (Trial(references=4, attacks=ATTACKS[:2], timed=timed) for timed in (False, True))
    monkeypatch.setattr(joint, "trials", lambda part: (timed, usual))
    monkeypatch.setattr(joint, "DRAWS", 2)
    here = joint._tables(population, Part(options={}, references=(4,)), 1, silent)
    assert [sorted(set(table.draw)) for table in here] == [[0], [0], [1]]
    elsewhere = dataclasses.replace(population, folder=tmp_path)
    there = joint._tables(elsewhere, Part(options={}, references=(4,)), 2, silent)
    for one, other in zip(here[1:], there[1:], strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_the_main_table_is_drawn_most_often():
    part = parts(Settings(out=Path("x")))["location30"]
    found = {trial.name: draws(part, trial) for trial in trials(part)}
    assert [found[f"{count} references"] for count in part.references] == [MANY_DRAWS] * len(part.references)
    assert found["8 references, shuffled coins"] == DRAWS
    assert found["8 references, timed"] == 1


def test_fewer_candidates_are_known(population):
    table = rates(population, Trial(references=4, attacks=ATTACKS[:2], known=0.5), 0)
    assert set(table.trial) == {"4 references, 50% known"}


def test_a_threshold_of_references_names_about_its_share_of_others(population):
    trial = Trial(references=8, attacks=ATTACKS[:1], calibrated=True)
    table = rates(population, trial, 0)
    assert set(table.trial) == {"8 references, thresholds of references"}
    assert abs(table["fpr@reference 0.01"].mean() - 0.01) < 0.02
    assert (table["tpr@reference 0.01"] >= table["tpr@reference 0.001"]).all()


def test_the_bound_stands_beside_the_parts_and_time_beside_the_rates(population):
    whole = Joint(landmarks=40)
    table = rates(population, Trial(references=4, attacks=(whole,), bounded=whole), 0)
    assert list(dict.fromkeys(table.attack)) == ["joint", "joint-known-others"]
    assert set(table.trial) == {"4 references, part by part"}
    assert len(table) == 2 * TARGETS
    timed = rates(population, Trial(references=4, attacks=ATTACKS[2:], timed=True), 0)
    assert (timed.seconds > 0).all()


def test_what_takes_many_hours_runs_only_where_it_is_named():
    assert "cifar10 wide" not in parts(Settings(out=Path("x")))
    (wide,) = parts(Settings(out=Path("x"), parts=("cifar10 wide",))).values()
    assert [trial.references for trial in trials(wide)] == [4, 16]


def test_the_same_seconds_buy_more_references_for_a_cheap_attack():
    _, table = made_up(2.0)
    found = same_seconds("location30", "joint-stacked", table, 0.3)  # 4 * 0.3 + 10 s against 32 * 0.3 + 0.5 s
    assert "with 4 references over student-t with 32" in found.claim
    assert found.ours.value == pytest.approx(2.0, abs=0.01)
    dear = same_seconds("location30", "joint-stacked", table, 100.0)
    assert "with 4 references over student-t with 4" in dear.claim
    assert "10 s" not in extra_figures(table, 0.3)
    assert "| 4 | `joint-stacked` | 1.2 | 10.0 | 0.2000 |" in extra_figures(table, 0.3)


def test_the_bootstrap_keeps_targets_together_and_covers_the_ratio():
    random = np.random.default_rng(0)
    level = random.uniform(0.1, 0.3, size=(DRAWS, 16))
    table = pd.DataFrame(
        {
            "trial": "t",
            "attack": attack,
            "draw": draw,
            "target": target,
            "tpr@0.001": level[draw, target] * factor,
        }
        for attack, factor in (("ours", 2.0), ("other", 1.0))
        for draw in range(DRAWS)
        for target in range(16)
    )
    assert bootstrapped(table, "t", "ours", "other") == (pytest.approx(2.0), pytest.approx(2.0))
    noisy = table.assign(**{"tpr@0.001": table["tpr@0.001"] * random.uniform(0.8, 1.2, len(table))})
    low, high = bootstrapped(noisy, "t", "ours", "other")
    assert 1.8 < low < 2.0 < high < 2.2


def made_up(gain):
    """Every published attack has 0.1, ours as many times more; nulls are even."""
    part = parts(Settings(out=Path("x")))["location30"]
    rows = []
    for trial in trials(part):
        for attack in trial.attacks:
            level = 0.1 * (1 if attack.name in PUBLISHED else gain) if not trial.shuffled else 0.001
            count = draws(part, trial)
            for draw in range(count):
                figure = {"auc": 0.5 if trial.shuffled else 0.9, "tpr@0.01": level, "tpr@0.001": level}
                extra = {f"{what}@reference {rate:g}": rate for what in ("tpr", "fpr") for rate in FPRS}
                cost = {"seconds": 10.0 if attack.name.startswith("joint") else 0.5}
                wobble = 1e-4 * (draw - (count - 1) / 2)
                known = {"trial": trial.name, "attack": attack.name, "draw": draw, "target": 0}
                rows.append(
                    {
                        **known,
                        **{k: v + wobble for k, v in figure.items()},
                        "foreign": 0.5 + wobble,
                        **(extra if trial.calibrated else {}),
                        **(cost if trial.timed else {}),
                    }
                )
    return part, pd.DataFrame(rows)


@pytest.mark.parametrize(("gain", "verdict"), [(2.5, "reproduced"), (1.1, "contradicted")])
def test_verdicts_follow_from_the_figures(gain, verdict):
    part, table = made_up(gain)
    rows = claims("location30", part.references, "joint-stacked", table, GOALS)
    judged = [row for row in rows if "best published" in row.claim and row.bound != "–"]
    assert len(judged) == len(GOALS)
    assert {row.verdict for row in judged} == {verdict}
    assert {row.verdict for row in rows if "another model's coins" in row.claim} == {"reproduced"}
    assert any("shuffled" in row.setting for row in rows)


def test_figures_have_a_line_for_each_trial_and_attack():
    part, table = made_up(2.0)
    lines = figures(table).splitlines()
    assert len(lines) == 2 + sum(len(trial.attacks) for trial in trials(part) if not trial.timed)
    assert lines[0].count("|") == 3 + len(METRICS)


def test_every_part_ends_with_the_attack_that_is_judged():
    for part in parts(Settings(out=Path("x"))).values():
        from_text(part.options.get("defense", "none"))
        assert attacks_of(part.kernel)[-1].name.startswith("joint")
        assert np.all(np.diff(part.references) > 0)
    with pytest.raises(InputError, match="cifar10"):
        parts(Settings(out=Path("x"), parts=("cifar",)))
