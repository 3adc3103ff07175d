"""The rows and the table that the study of decoupling makes of a map of regions."""

from dataclasses import replace
from pathlib import Path

import pytest

from vestige.localization.localization import REWINDING, ROUTING, WEIGHTS, Localization, Part, RegionRow
from vestige.risk.estimate import Estimate
from vestige.studies.part import Settings
from vestige.studies.pptp_parts import parts
from vestige.studies.pptp_regions import MAPPED, region_claims, region_table

NAMES = ("layer1", "layer2", "head")
FIGURES = {  # privacy and generalization of each region
    ROUTING: ((-0.02, 0.01), (0.01, 0.03), (0.08, 0.06)),
    REWINDING: ((0.09, 0.01), (0.05, 0.02), (0.01, 0.03)),
}


def found(half=0.02):
    rows = [
        RegionRow(
            probe=probe,
            words=name,
            metric=metric,
            estimate=Estimate(value=value, low=value - half, high=value + half),
        )
        for probe, regions in FIGURES.items()
        for name, pair in zip(NAMES, regions, strict=True)
        for metric, value in zip(("privacy", "generalization"), pair, strict=True)
    ]
    return Localization(
        defense="label_smoothing:0.3",
        regions=tuple(Part(name=name, parameters=1000) for name in NAMES),
        candidates={"none": (), "all": NAMES},
        rows=tuple(rows),
        folder=Path(),
    )


def test_the_riskiest_region_is_that_of_routed_training_and_is_judged_by_its_interval():
    claim, *_ = region_claims(found(), "x")
    assert "in head alone" in claim.claim
    assert (claim.ours.value, claim.verdict) == (0.08, "reproduced")
    assert "disagree" in claim.note
    assert region_claims(found(half=0.1), "x")[0].verdict == "cannot tell"


def test_whether_risk_and_generalization_lie_together_is_told_for_each_probe():
    _, *rows = region_claims(found(), "x")
    assert {row.claim.rpartition(" by ")[2]: row.ours.value for row in rows} == {
        ROUTING: pytest.approx(1.0),
        REWINDING: pytest.approx(-1.0),
    }


def test_the_table_has_a_line_for_each_region_in_the_order_of_the_network():
    header, _, *lines = region_table(found()).splitlines()
    assert header.startswith("| region | parameters | routing: privacy | routing: generalization |")
    assert [line.split(" | ")[0] for line in lines] == [f"| `{name}`" for name in NAMES]
    assert "+0.080 ± 0.020" in lines[2]


def test_weight_scores_are_told_to_be_ratios():
    scores = [
        RegionRow(probe=WEIGHTS, words=name, metric="privacy", estimate=Estimate(value=2.0)) for name in NAMES
    ]
    header, *_ = region_table(replace(found(), rows=(*found().rows, *scores))).splitlines()
    assert "| weight scores per parameter, 1 = the network's mean: privacy |" in header


def test_every_network_of_the_sweeps_is_mapped():
    swept = {name for name, part in parts(Settings(out=Path("x"))).items() if "crl:1" in part.defenses}
    assert set(MAPPED) == swept
