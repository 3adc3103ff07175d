"""The claims of the study of vulnerable samples on made-up figures: defenses are found, verdicts follow."""

from pathlib import Path

import pytest

from vestige.core.errors import InputError
from vestige.defenses.writing import from_text
from vestige.designs.protection import MeasuredRow, Protection
from vestige.risk.estimate import Estimate
from vestige.studies.regularization_figures import figures
from vestige.studies.vulnerable_claims import COLUMNS, DEFENSE_CLAIMS, REWEIGHTED
from vestige.studies.vulnerable_samples import (
    CIFAR10,
    DIGITS_DEFENSES,
    LOCATION,
    WRONG_LABELS,
    Settings,
    parts,
)

LISTS = {"digits": DIGITS_DEFENSES, "wrong labels": WRONG_LABELS, "location30": LOCATION, "cifar10": CIFAR10}
LIRA = "lira-online-fixed"
USUAL = {
    ("loss", "auc"): 0.6,
    ("loss", "advantage"): 0.2,
    ("loss", "tpr@0.01"): 0.011,
    (LIRA, "tpr@0.01"): 0.1,
    ("utility", "train_accuracy"): 1.0,
    ("utility", "test_accuracy"): 0.9,
}
OWN = {
    "label_smoothing:0.1": {("loss", "auc"): 0.65},
    "weight_decay:0.005": {("loss", "advantage"): 0.1},
    REWEIGHTED: {("loss", "auc"): 0.55, ("loss", "advantage"): 0.1, ("lira-inversion", "tpr@0.01"): 0.08},
}


def made_up(defenses, changes=None):
    rows = []
    for defense in ("none", *defenses):
        values = {**USUAL, **OWN.get(defense, {}), **(changes or {}).get(defense, {})}
        if defense.startswith("pre_identification"):
            values |= {
                (LIRA, f"tpr@0.01_{who}{when}"): 0.1
                for who in ("treated", "untreated")
                for when in ("", "_before")
            }
        for seed in range(3):
            for (attack, metric), value in values.items():
                estimate = Estimate(value=value, low=value - 1e-3, high=value + 1e-3)
                rows.append(
                    MeasuredRow(defense=defense, seed=seed, attack=attack, metric=metric, estimate=estimate)
                )
    return Protection(tuple(rows), Path())


@pytest.mark.parametrize("name", LISTS)
def test_every_claim_finds_its_figures_and_none_is_contradicted(name):
    rows = DEFENSE_CLAIMS[name](made_up(LISTS[name]))
    assert {row.verdict for row in rows} <= {"reproduced", "observed"}
    assert all(row.ours.value is not None for row in rows)


@pytest.mark.parametrize(
    ("defense", "key", "value", "claim"),
    [
        ("label_smoothing:0.1", ("loss", "auc"), 0.59, "label smoothing"),
        ("weight_decay:0.005", ("loss", "advantage"), 0.3, "weight decay"),
        (REWEIGHTED, ("loss", "auc"), 0.7, "gap/2"),
        (REWEIGHTED, ("loss", "auc"), 0.5, "gap/2"),
        (REWEIGHTED, ("loss", "advantage"), 0.01, "advantage less gap"),
        (REWEIGHTED, ("utility", "test_accuracy"), 0.8, "test accuracy"),
    ],
)
def test_a_figure_on_the_wrong_side_contradicts_its_claim(defense, key, value, claim):
    rows = DEFENSE_CLAIMS["digits"](made_up(DIGITS_DEFENSES, {defense: {key: value}}))
    wrong = [row.claim for row in rows if row.verdict == "contradicted"]
    assert any(claim in one for one in wrong)


@pytest.mark.parametrize("name", LISTS)
def test_every_defense_is_one_that_can_be_written(name):
    for defense in LISTS[name]:
        assert from_text(defense).name != "none"


def test_the_table_shows_what_was_measured():
    text = figures(made_up(WRONG_LABELS).summary, COLUMNS)
    assert "LiRA, undone, at 1 %" in text
    assert "LiRA TPR at 0.1 %" not in text
    assert len(text.splitlines()) == 3 + len(WRONG_LABELS)


def test_an_unknown_part_is_named(tmp_path):
    with pytest.raises(InputError, match="digit"):
        parts(Settings(out=tmp_path, parts=("digit",)))
