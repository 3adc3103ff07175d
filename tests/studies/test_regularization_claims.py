"""The claims of the regularization study on made-up figures: every defense is found, verdicts follow."""

from pathlib import Path

import pytest

from vestige.core.errors import InputError
from vestige.designs.protection import MeasuredRow, Protection
from vestige.risk.estimate import Estimate
from vestige.studies.regularization import DEFENSES, IMAGE_DEFENSES, Settings, parts
from vestige.studies.regularization_claims import CLAIMS, NOISY_LABELS, advantages

ADVANTAGE = {
    "none": 0.25,
    "label_smoothing:0.1": 0.27,
    "label_smoothing:0.5": 0.31,
    "label_smoothing:0.9": 0.45,
}


def made_up(defenses, advantage=None):
    rows = []
    for defense in ("none", *defenses):
        powerful = (advantage or ADVANTAGE).get(defense, 0.1)
        figures = {
            ("loss-powerful", "advantage"): powerful,
            ("utility", "test_accuracy"): 0.7,
            ("distance", "gain"): -0.002 if defense == "none" else 0.006,
        }
        for seed in range(3):
            for (attack, metric), value in figures.items():
                estimate = Estimate(value=value + 1e-4 * seed, low=value - 1e-3, high=value + 1e-3)
                rows.append(
                    MeasuredRow(defense=defense, seed=seed, attack=attack, metric=metric, estimate=estimate)
                )
    return Protection(tuple(rows), Path())


def test_every_claim_finds_its_defenses_and_holds_where_it_should():
    rows = CLAIMS["noisy digits"](made_up(DEFENSES))
    assert {row.verdict for row in rows} == {"reproduced"}
    assert len(advantages(made_up(DEFENSES), "noisy digits")) == len(DEFENSES) + 1
    assert len(CLAIMS["wrong labels"](made_up(NOISY_LABELS))) == 2
    fashion = CLAIMS["fashion"](made_up(IMAGE_DEFENSES, {"none": 0.2, "label_smoothing:0.2": 0.3}))
    assert {row.verdict for row in fashion} == {"reproduced"}


def test_a_claim_that_fails_says_so():
    rows = CLAIMS["noisy digits"](made_up(DEFENSES, {"none": 0.25, "label_smoothing:0.9": 0.1}))
    verdicts = {row.claim: row.verdict for row in rows}
    assert verdicts["powerful advantage, smoothing 0.9 less none"] == "contradicted"


def test_the_parts_are_checked_before_anything_runs(tmp_path):
    assert list(parts(Settings(out=tmp_path, parts=("fashion",)))) == ["fashion"]
    with pytest.raises(InputError, match="noisy digits"):
        parts(Settings(out=tmp_path, parts=("noisy digit",)))
