"""The claims of the regularization study on made-up figures: every defense is found, verdicts follow."""

from pathlib import Path

import numpy as np
import pytest

from vestige.core.errors import InputError
from vestige.designs.protection import MeasuredRow, Protection
from vestige.report.protection_figures import LossRanks
from vestige.risk.estimate import Estimate
from vestige.studies.regularization import CIFAR10, DEFENSES, FASHION, NOISY_LABELS, PAIRED, Settings, parts
from vestige.studies.regularization_claims import CLAIMS
from vestige.studies.regularization_figures import figures

ADVANTAGE = {
    "none": 0.25,
    "label_smoothing:0.1": 0.27,
    "label_smoothing:0.5": 0.31,
    "label_smoothing:0.9": 0.45,
}


def made_up(defenses, advantage=None, folder=Path()):
    rows = []
    for defense in ("none", *defenses):
        powerful = (advantage or ADVANTAGE).get(defense, 0.1)
        figures = {
            ("loss-powerful", "advantage"): powerful,
            ("utility", "test_accuracy"): 0.7,
            ("distance", "auc"): 0.65,
            ("distance", "gain"): -0.002 if defense == "none" else 0.006,
            ("wrong-classes", "spread_members"): 0.02,
            ("wrong-classes", "spread_non_members"): 0.03,
        }
        for seed in range(3):
            for (attack, metric), value in figures.items():
                estimate = Estimate(value=value + 1e-4 * seed, low=value - 1e-3, high=value + 1e-3)
                rows.append(
                    MeasuredRow(defense=defense, seed=seed, attack=attack, metric=metric, estimate=estimate)
                )
    return Protection(tuple(rows), folder)


def test_every_claim_finds_its_defenses_and_holds_where_it_should(tmp_path):
    rows = CLAIMS["noisy digits"](made_up(DEFENSES, folder=tmp_path))
    assert {row.verdict for row in rows} == {"reproduced"}
    assert {row.verdict for row in CLAIMS["wrong labels"](made_up(NOISY_LABELS))} == {"observed"}
    distances = CLAIMS["paired distances"](made_up(PAIRED))
    assert [row.verdict for row in distances].count("reproduced") == 4
    images = CLAIMS["fashion"](made_up(FASHION, {"none": 0.2, "label_smoothing:0.2": 0.3}))
    images += CLAIMS["cifar10"](made_up(CIFAR10, {"none": 0.2}))
    assert {row.verdict for row in images} == {"reproduced", "observed"}


def test_a_claim_that_fails_says_so(tmp_path):
    rows = CLAIMS["noisy digits"](
        made_up(DEFENSES, {"none": 0.25, "label_smoothing:0.9": 0.1}, folder=tmp_path)
    )
    verdicts = {row.claim: row.verdict for row in rows}
    assert verdicts["powerful advantage, smoothing 0.9 less none"] == "contradicted"


def test_rank_correlations_are_read_where_they_were_written(tmp_path):
    names = ("none", "early_stopping:8", "early_stopping:15", "dropout:0.8")
    LossRanks(names=names, values=np.arange(16.0).reshape(4, 4) / 16).table.to_parquet(
        tmp_path / "loss_ranks.parquet"
    )
    rows = CLAIMS["noisy digits"](made_up(DEFENSES, folder=tmp_path))
    found = {row.claim: row.ours.value for row in rows if row.claim.startswith("rank")}
    assert list(found.values()) == [0.0, 1 / 16, 14 / 16]


def test_the_figures_are_a_table_with_a_line_per_defense():
    lines = figures(made_up(("dropout:0.5",)).summary).splitlines()
    assert lines[0] == "| defense | test accuracy | best threshold | distance AUC |"
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["`none`", "`dropout:0.5`"]
    assert "0.700 ±" in lines[2]
    assert len({line.count("|") for line in lines}) == 1


def test_at_least_eight_mechanisms_meet_images():
    for defenses in (FASHION, CIFAR10):
        assert len({name.partition(":")[0] for name in defenses}) >= 8


def test_the_parts_are_checked_before_anything_runs(tmp_path):
    assert list(parts(Settings(out=tmp_path, parts=("fashion",)))) == ["fashion"]
    with pytest.raises(InputError, match="noisy digits"):
        parts(Settings(out=tmp_path, parts=("noisy digit",)))
