"""The option `defense`: applied last, refused in one line before training, part of the population's key."""

import dataclasses

import numpy as np
import pytest

import vestige
from vestige.audits.options import Options, from_toml
from vestige.audits.preparation import prepare
from vestige.core.errors import InputError
from vestige.data.transforms import GaussianNoise, HorizontalFlip
from vestige.defenses.conflict import DefenseConflict
from vestige.designs.design import factor_from
from vestige.models.catalog import ModelSpec
from vestige.training.losses import CrossEntropy
from vestige.training.recipe import Recipe

BASE = Options(dataset="iris", models=4, epochs=3)


def prepared(defense="none", **changes):
    return prepare(dataclasses.replace(BASE, defense=defense, **changes))


def test_it_edits_the_recipe_and_the_key():
    plain, edited = prepared(), prepared("label_smoothing:0.1+gaussian_noise:0.2")
    assert edited.plan.recipe.loss == CrossEntropy(label_smoothing=0.1)
    assert edited.plan.recipe.augmentation == GaussianNoise(0.2)
    assert edited.plan.choice.engine == "stacked"
    assert edited.plan.key != plain.plan.key
    assert plain.plan.key == prepare(BASE).plan.key


def test_it_edits_a_recipe_given_from_python():
    given = Recipe(model=ModelSpec("mlp-4"), epochs=5)
    found = prepare(dataclasses.replace(BASE, epochs=None, defense="early_stopping:2"), recipe=given)
    assert found.plan.recipe.epochs == 2
    assert found.plan.observation.checkpoints == (0, 1, 2)


@pytest.mark.parametrize(
    ("defense", "changes", "message"),
    [
        ("label_smothing:0.1", {}, "did you mean label_smoothing"),
        ("random_crop:4", {}, r"works on images, but a sample has shape \(4,\)"),
        ("cutout:4", {}, r"works on images, but a sample has shape \(4,\)"),
        ("spatial_dropout:0.5", {}, "has no option spatial_dropout"),
        ("early_stopping:3", {}, "stops nothing"),
        ("weight_decay:0.1", {"weight_decay": 0.01}, "would displace weight_decay=0.01"),
        ("mixup:1+relax_loss:1", {}, "relax_loss and mixup cannot be combined"),
        ("dp_sgd:1", {}, "delta is missing"),
    ],
)
def test_bad_defenses_are_refused_before_training(defense, changes, message):
    with pytest.raises(InputError, match=message):
        prepared(defense, **changes)


def test_a_conflict_is_an_error_of_its_own_kind():
    with pytest.raises(DefenseConflict):
        prepared("distillation:2+disturb_label:0.5")


def test_crop_and_cutout_are_fine_for_images():
    images = np.random.default_rng(0).normal(size=(40, 1, 8, 8)).astype(np.float32)
    options = Options(models=4, epochs=3, defense="random_crop:2+cutout:3", augmentation="flip")
    recipe = prepare(options, (images, np.arange(40) % 3), "mlp-4").plan.recipe
    assert recipe.augmentation.transforms[0] == HorizontalFlip()
    assert len(recipe.augmentation.transforms) == 3


def test_a_config_file_may_hold_one(tmp_path):
    path = tmp_path / "audit.toml"
    path.write_text('dataset = "iris"\ndefense = "mixup:1"\n')
    assert from_toml(path).defense == "mixup:1"


def test_defenses_vary_as_levels_of_a_design():
    found = factor_from("defense=none,gaussian_noise:0.1/low=0,label_smoothing:0.1+dropout:0.3")
    assert found.levels == ("none", "gaussian_noise:0.1/low=0", "label_smoothing:0.1+dropout:0.3")


@pytest.mark.parametrize("defense", ["early_stopping:2", "mixup:1+disturb_label:0.2"])
def test_a_defended_audit_runs(tmp_path, defense):
    options = {"models": 4, "epochs": 4, "jobs": 1, "attack": ("loss",), "checkpoints": 3}
    audit = vestige.audit("iris", defense=defense, out=tmp_path / "run", **options)
    assert np.isfinite(audit.result.headline.auc.value)
