"""Distillation, SELENA and DP-SGD as defenses: what they edit, and what they refuse."""

import pytest

from vestige.core.errors import InputError
from vestige.core.record import content_hash
from vestige.defenses.defense import Defense, compose
from vestige.defenses.distillation import Distillation
from vestige.defenses.dp_sgd import DPSGDDefense
from vestige.defenses.label_smoothing import LabelSmoothing
from vestige.defenses.selena import Selena
from vestige.models.catalog import ModelSpec
from vestige.training.privacy import DPSGD
from vestige.training.recipe import Conflict, Recipe
from vestige.training.targets import Distilled, SplitTaught

PLAIN = Recipe(model=ModelSpec("mlp-9"))
PRIVATE = DPSGDDefense(noise=1.0, delta=1e-5)


def test_each_edits_its_own_part():
    assert Distillation(temperature=5.0)(PLAIN).targets == Distilled(temperature=5.0)
    assert Selena(submodels=8, left_out=3)(PLAIN).targets == SplitTaught(submodels=8, left_out=3)
    assert PRIVATE(PLAIN).privacy == DPSGD(noise=1.0, delta=1e-5)
    for defense in (Distillation(temperature=5.0), Selena(), PRIVATE):
        assert isinstance(defense, Defense)
        assert content_hash(defense(PLAIN)) != content_hash(PLAIN)


def test_smoothing_goes_with_a_teacher_and_with_privacy():
    for other in (Distillation(temperature=5.0), Selena(), PRIVATE):
        assert compose(LabelSmoothing(amount=0.2), other)(PLAIN).loss.label_smoothing == 0.2


@pytest.mark.parametrize(
    "pair",
    [
        (Distillation(temperature=5.0), Selena()),
        (Distillation(temperature=5.0), PRIVATE),
        (Selena(), PRIVATE),
    ],
)
def test_what_cannot_both_hold_is_refused_in_either_order(pair):
    for one, other in (pair, pair[::-1]):
        with pytest.raises(Conflict):
            compose(one, other)(PLAIN)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DPSGDDefense(noise=1.0), "delta is missing"),
        (lambda: DPSGDDefense(delta=1e-5), "either noise"),
        (lambda: DPSGDDefense(noise=-1.0, delta=1e-5), "noise=-1"),
        (lambda: DPSGDDefense(noise=1.0, delta=1e-5, clip=0.0), "clip"),
        (lambda: DPSGDDefense(noise=1.0, delta=1e-5, accountant="gdp"), "accountant"),
        (lambda: Distillation(temperature=0.0), "temperature"),
        (lambda: Selena(submodels=4, left_out=4), "left_out"),
    ],
)
def test_values_out_of_range_are_refused_by_name(make, message):
    with pytest.raises(InputError, match=message):
        make()
