import dataclasses

import pytest

from vestige.report.motion import motion
from vestige.risk.estimate import Estimate


@pytest.fixture(scope="module")
def exposure(material, make_audit):
    return make_audit(material).exposure


def test_the_words_hold_the_numbers(exposure, make_dynamics):
    words = motion(exposure, make_dynamics())
    assert f"Of 600 records, {exposure.high} (" in words
    assert f"half of them were there to stay by epoch {exposure.half_by_epoch:g}." in words
    assert "At epoch 5 (95 % interval 4.5 to 5.5), 17 % of the way through training" in words
    assert "half of its final value at epoch 5 (95 % interval 4.5 to 5.5)." in words
    assert (
        "Between epochs 20 and 30 most became vulnerable: per epoch, 80 % of the records that were not so"
        in words
    )


def test_the_closest_measure_speaks_for_hardness(exposure, make_dynamics):
    words = motion(exposure, make_dynamics())
    assert "Hard records go with exposure: ordered by measure memorization" in words
    assert (
        "final advantage of 0.00, the hardest of 0.63 (rank correlation 0.70, 95 % interval 0.65 to 0.75)"
        in words
    )
    turned = [
        dataclasses.replace(a, rank_correlation=Estimate(value=-0.7, low=-0.8, high=-0.6))
        for a in make_dynamics().associations
    ]
    assert "Easy records go with exposure" in motion(exposure, make_dynamics(associations=tuple(turned)))
    unsure = [
        dataclasses.replace(a, rank_correlation=Estimate(value=0.1, low=-0.1, high=0.3)) for a in turned
    ]
    assert "cannot be told" in motion(exposure, make_dynamics(associations=tuple(unsure)))


def test_what_is_absent_is_not_spoken_of(exposure, make_dynamics):
    bare = motion(exposure, make_dynamics(figures=(), curves=(), associations=()))
    assert bare.endswith(f"by epoch {exposure.half_by_epoch:g}.")
    none = dataclasses.replace(exposure, high=0, half_by_epoch=None)
    assert motion(none, make_dynamics(figures=(), curves=(), associations=())) == (
        "None of the 600 records ends in High."
    )
