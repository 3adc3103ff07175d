"""Options that change the data or the rule: what reaches the plan, and what does not."""

import numpy as np
import pytest

from vestige.audits.options import Options
from vestige.audits.preparation import prepare
from vestige.core.errors import InputError
from vestige.models.catalog import ModelSpec
from vestige.training.optimizers import SAM, SGD
from vestige.training.recipe import Recipe

SMALL = {"dataset": "digits", "samples": 120, "models": 4, "epochs": 2, "device": "cpu"}


def prepared(**changes):
    return prepare(Options(**{**SMALL, **changes}))


def test_noisy_data_keep_the_preset_of_the_data_set():
    noisy, clean = prepared(input_noise=0.3, label_noise=0.1), prepared()
    assert noisy.plan.dataset.name == "digits+input_noise0.3+label_noise0.1"
    assert noisy.plan.recipe == clean.plan.recipe
    assert noisy.plan.recipe.model == ModelSpec("mlp-128-128")
    assert noisy.plan.key != clean.plan.key
    assert (noisy.plan.membership.mask == clean.plan.membership.mask).all()


def test_noise_comes_after_the_subset_and_from_the_seed():
    noisy, clean = prepared(label_noise=0.25), prepared()
    changed = noisy.plan.dataset.targets != clean.plan.dataset.targets
    assert changed.sum() == 30
    assert (changed == noisy.mislabelled).all()
    assert clean.mislabelled is None
    assert (noisy.plan.dataset.ids == clean.plan.dataset.ids).all()
    assert prepared(label_noise=0.25, seed=1).plan.dataset.fingerprint() != noisy.plan.dataset.fingerprint()


def test_a_data_set_from_python_is_made_harder_too():
    inputs = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    options = Options(models=4, epochs=1, input_noise=0.5, device="cpu")
    noise = prepare(options, (inputs, np.arange(40) % 2)).plan.dataset.inputs - inputs
    assert noise.std() == pytest.approx(0.5, rel=0.2)


def test_sam_takes_the_preset_of_sgd_and_its_own_radius():
    assert prepared(optimizer="sam").plan.recipe.optimizer == SAM(base=SGD(lr=0.05), rho=0.05)
    rule = prepared(optimizer="sam", rho=0.2, lr=0.1, momentum=0.5, weight_decay=0.01).plan.recipe.optimizer
    assert rule == SAM(base=SGD(lr=0.1, momentum=0.5, weight_decay=0.01), rho=0.2)


def test_how_the_plane_is_cut_is_no_part_of_the_key():
    assert prepared(operating_point="0.1", regions="grid:10").plan.key == prepared().plan.key


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rho": 0.1}, "rho=0.1 is the radius of SAM"),
        ({"optimizer": "adam", "rho": 0.1}, "optimizer='adam'"),
        ({"optimizer": "sam", "rho": -1.0}, "rho=-1.0 must be"),
        ({"input_noise": -0.1}, "input_noise=-0.1 must be at least 0"),
        ({"label_noise": 1.1}, "label_noise=1.1 must lie between"),
        ({"input_noise": float("inf")}, "input_noise=inf must be"),
    ],
)
def test_bad_values_are_named(changes, message):
    with pytest.raises(InputError, match=message):
        prepared(**changes)


def test_a_radius_beside_a_whole_recipe_is_refused():
    with pytest.raises(InputError, match="rho= is given beside recipe="):
        prepare(Options(**{**SMALL, "epochs": None}, rho=0.1), recipe=Recipe(model=ModelSpec("mlp-8")))
