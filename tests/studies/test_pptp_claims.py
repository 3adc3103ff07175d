"""The claims of the study of decoupling on made-up figures: every defense is found, verdicts follow."""

from dataclasses import replace
from pathlib import Path

import pytest

from vestige.core.errors import InputError
from vestige.defenses.writing import from_text
from vestige.designs.protection import MeasuredRow, Protection
from vestige.risk.estimate import Estimate
from vestige.studies.matched import TPR
from vestige.studies.part import Settings
from vestige.studies.pptp_claims import AUC, CLAIMS
from vestige.studies.pptp_parts import CIFAR10_SWEPT, PRINCIPLES, SWEPT, parts, swept
from vestige.studies.regularization_claims import ACCURACY

EVERY = parts(Settings(out=Path("x"), parts=tuple(CLAIMS)))


def made_up(defenses, leaks):
    """leaks: the AUC of a defense, by its text; accuracy is 0.7 less a tenth of what AUC lies above 0.7."""
    rows = []
    for defense in ("none", *defenses):
        for seed in range(3):
            auc = leaks(defense) + 0.001 * seed
            for key, value in ((AUC, auc), (ACCURACY, 0.7 - 0.1 * (auc - 0.7))):
                estimate = Estimate(value=value, low=value - 1e-3, high=value + 1e-3)
                rows.append(
                    MeasuredRow(defense=defense, seed=seed, attack=key[0], metric=key[1], estimate=estimate)
                )
    return Protection(tuple(rows), Path())


@pytest.mark.parametrize("name", EVERY)
def test_every_defense_can_be_read_and_every_part_has_claims(name):
    for text in EVERY[name].defenses:
        assert from_text(text).name
    assert name in CLAIMS
    assert set(CLAIMS) == set(EVERY)


def test_a_sweep_has_each_strength_everywhere_and_in_regions():
    found = swept(SWEPT)
    assert len(found) == len(set(found)) == 3 * sum(len(values) for values in SWEPT.values())
    assert set(swept(CIFAR10_SWEPT)) < set(found)
    assert "pptp:crl:0.3/protect=head" in found


@pytest.mark.parametrize("name", ["noisy digits", "digit images"])
@pytest.mark.parametrize("helps", [True, False])
def test_verdicts_follow_from_the_figures(name, helps):
    """Everything in the back or the head leaks 0.2 less than everywhere, or 0.2 more."""

    def leaks(text):
        routed = any(word in text for word in ("back", "head", "auto"))
        return 0.9 - (0.2 if helps else -0.05) * routed

    rows = CLAIMS[name](made_up(EVERY[name].defenses, leaks))
    judged = [row for row in rows if "LiRA AUC" in row.claim and "most" in row.bound]
    assert judged
    assert {row.verdict for row in judged} == {"reproduced" if helps else "contradicted"}


def test_what_else_was_tried_stands_beside_the_defense_everywhere_and_in_regions():
    defenses = EVERY["location30"].defenses
    found = with_rates(made_up(defenses, lambda text: 0.8 if "rate" in text else 0.9))
    rows = CLAIMS["location30"](found)
    claims = [row.claim for row in rows]
    for how in ("everywhere", "in regions", *(f"in regions by {name}" for name in PRINCIPLES)):
        assert any(claim.startswith(f"label_smoothing {how} over none: TPR") for claim in claims)
    ratios = {row.claim: row.ours.value for row in rows}
    rate = "in regions by a learning rate of their own over none: TPR at 1 % of LiRA, at equal accuracy"
    assert ratios[f"confidence_penalty {rate}"] == pytest.approx(0.5)


def with_rates(found):
    """The same with a TPR: 0.1 above an AUC of 0.85, else 0.05."""
    aucs = [row for row in found.rows if row.metric == "auc"]
    rows = [
        replace(row, metric=TPR[1], estimate=Estimate(value=0.1 if row.estimate.value > 0.85 else 0.05))
        for row in aucs
    ]
    return Protection((*found.rows, *rows), Path())


def test_the_part_for_a_gpu_runs_only_where_it_is_named():
    assert set(EVERY) - set(parts(Settings(out=Path("x")))) == {"cifar10 resnet18"}
    assert EVERY["cifar10 resnet18"].options["samples"] == 30_000


def test_an_unknown_part():
    with pytest.raises(InputError, match="part='locaton30' is not known; did you mean location30"):
        parts(Settings(out=Path("x"), parts=("locaton30",)))
