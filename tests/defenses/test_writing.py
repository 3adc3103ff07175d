"""Defenses as they are written on the command line."""

import dataclasses
import math
import sys

import pytest

from vestige.core.errors import InputError
from vestige.core.record import content_hash
from vestige.data.transforms import Compose, GaussianNoise, HorizontalFlip, RandomCrop
from vestige.defenses.catalog import DEFENSES, PRESETS
from vestige.defenses.confidence_penalty import ConfidencePenalty
from vestige.defenses.conflict import DefenseConflict
from vestige.defenses.defense import compose
from vestige.defenses.dropout import Dropout
from vestige.defenses.gaussian_noise import GaussianNoiseDefense
from vestige.defenses.label_smoothing import LabelSmoothing
from vestige.defenses.mixup import MixupDefense
from vestige.defenses.own import OwnDefense
from vestige.defenses.random_crop import RandomCropDefense
from vestige.defenses.relax_loss import RelaxLossDefense
from vestige.defenses.weight_decay import WeightDecay
from vestige.defenses.writing import from_text
from vestige.models.catalog import ModelSpec
from vestige.training.losses import CrossEntropy
from vestige.training.optimizers import SAM, SGD
from vestige.training.recipe import Recipe


def recipe(**changes):
    return Recipe(**{"model": ModelSpec("convnet"), **changes})


@pytest.mark.parametrize(
    ("text", "defenses"),
    [
        ("none", ()),
        ("label_smoothing:0.1", (LabelSmoothing(amount=0.1),)),
        ("label_smoothing:1e-2 + random_crop:4", (LabelSmoothing(amount=0.01), RandomCropDefense(padding=4))),
        ("gaussian_noise:0.1,low=0,high=1", (GaussianNoiseDefense(std=0.1, low=0.0, high=1.0),)),
        ("gaussian_noise:std=0.1/high=1", (GaussianNoiseDefense(std=0.1, high=1.0),)),
        ("mixup:inf", (MixupDefense(alpha=math.inf),)),
        ("confidence_penalty:1e+1+dropout:.5", (ConfidencePenalty(weight=10.0), Dropout(rate=0.5))),
        (
            "relax_loss:0.8,0.3,tabular,detach=true",
            (RelaxLossDefense(level=0.8, upper=0.3, form="tabular", detach=True),),
        ),
        ("none+weight_decay:0.01", (WeightDecay(amount=0.01),)),
        ("my_package.defenses:soften", (OwnDefense(reference="my_package.defenses:soften"),)),
    ],
)
def test_a_text_names_defenses_in_their_order(text, defenses):
    assert from_text(text) == compose(*defenses)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("label_smothing:0.1", "did you mean label_smoothing"),
        ("mixupp:inf", "did you mean mixup"),
        ("kaya", "is not known; known: confidence_penalty"),
        ("", "defense='' is not known"),
        ("label_smoothing", "amount is missing; write for example label_smoothing:0.9"),
        ("label_smoothing:1.5", "amount=1.5 must lie between 0.0 and 1.0"),
        ("label_smoothing:much", "amount='much' must be a number"),
        ("label_smoothing:0.1,0.2", "'0.2' is one parameter too many"),
        ("label_smoothing:0.1,amount=0.2", "amount is given twice"),
        ("label_smoothing:amont=0.1", "did you mean amount"),
        ("random_crop:1.5", "padding='1.5' must be a whole number"),
        ("random_crop:0", "padding=0 must be at least 1"),
        ("relax_loss:1,detach=perhaps", "must be true or false"),
        ("relax_loss:1,form=sound", "one of image, tabular"),
        ("mixup:0", "alpha=0.0"),
        ("early_stopping:0", "epochs=0"),
        ("gaussian_noise:0.1,low=1,high=0", "low=1.0 must be below high=0.0"),
        ("dp_sgd:noise=1", "delta is missing"),
        ("dp_sgd:delta=1e-5", "give either noise"),
        ("selena:5,left_out=5", "left_out=5 must lie between"),
        ("label_smoothing:0.1+label_smoothing:0.2", "label_smoothing would displace label_smoothing"),
    ],
)
def test_bad_texts_are_refused_with_a_remedy(text, message):
    with pytest.raises(InputError, match=message):
        from_text(text)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_can_be_read_and_hold_eight_mechanisms(name):
    found = [from_text(text) for text in PRESETS[name]]
    assert len({one.name for one in found}) == 8
    assert len(set(found)) == len(found)
    assert all(2 <= sum(other.name == one.name for other in found) <= 4 for one in found)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("label_smoothing:0.1+relax_loss:1", ("label_smoothing", "relax_loss")),
        ("relax_loss:1+label_smoothing:0.1", ("label_smoothing", "relax_loss")),
        ("relax_loss:1+confidence_penalty:0.1", ("confidence_penalty", "relax_loss")),
        ("relax_loss:1+mixup:1", ("relax_loss", "mixup")),
        ("mixup:1+relax_loss:1", ("relax_loss", "mixup")),
        ("relax_loss:1+distillation:2", ("relax_loss", "distillation")),
        ("distillation:2+disturb_label:0.1", ("distillation", "disturb_label")),
        ("selena+distillation:2", ("selena", "distillation")),
        ("dp_sgd:1,1e-5+mixup:1", ("dp_sgd", "mixup")),
        ("mixup:1+dp_sgd:1,1e-5", ("dp_sgd", "mixup")),
        ("distillation:2+dp_sgd:1,1e-5", ("dp_sgd", "distillation")),
        ("selena+dp_sgd:1,1e-5", ("dp_sgd", "selena")),
        ("dp_sgd:1,1e-5+relax_loss:1", ("dp_sgd", "relax_loss")),
        ("dropout:0.1+spatial_dropout:0.2", ("dropout", "spatial_dropout")),
    ],
)
def test_impossible_pairs_name_both(text, names):
    with pytest.raises(DefenseConflict) as caught:
        from_text(text)(recipe())
    assert all(name in str(caught.value) for name in names)


@pytest.mark.parametrize(
    ("text", "changes", "message"),
    [
        ("label_smoothing:0.2", {"loss": CrossEntropy(label_smoothing=0.1)}, "label_smoothing=0.1"),
        ("weight_decay:0.1", {"optimizer": SGD(weight_decay=0.01)}, "weight_decay=0.01"),
        ("weight_decay:0.1", {"optimizer": SAM(base=SGD(weight_decay=0.01))}, "weight_decay=0.01"),
        ("dropout:0.1", {"model": ModelSpec("mlp", (("dropout", 0.5),))}, "dropout=0.5"),
        ("random_crop:2", {"augmentation": Compose((HorizontalFlip(), RandomCrop()))}, "random_crop repeats"),
    ],
)
def test_what_the_recipe_holds_already_is_not_displaced_in_silence(text, changes, message):
    with pytest.raises(DefenseConflict, match=message):
        from_text(text)(recipe(**changes))


def test_what_may_stand_together_does():
    found = from_text(
        "label_smoothing:0.1+confidence_penalty:0.2+distillation:3+mixup:1+random_crop:4+cutout:8+weight_decay:0.01"
        "+gaussian_noise:0.1+early_stopping:5+dropout:0.2"
    )(recipe(augmentation=HorizontalFlip()))
    assert found.loss == CrossEntropy(label_smoothing=0.1, confidence_penalty=0.2)
    assert [type(step).__name__ for step in found.augmentation.transforms] == [
        "HorizontalFlip", "RandomCrop", "Cutout", "GaussianNoise",
    ]  # fmt: skip
    assert found.augmentation.transforms[-1] == GaussianNoise(0.1)
    assert (found.optimizer.weight_decay, found.epochs, found.targets.temperature) == (0.01, 5, 3.0)
    assert dict(found.model.options) == {"dropout": 0.2, "spatial_dropout": 0.2}
    assert found.mixing.alpha == 1.0


def test_early_stopping_must_stop_something():
    with pytest.raises(InputError, match="epochs=40 stops nothing: the recipe trains for 40"):
        from_text("early_stopping:40")(recipe())


def no_place(shape, num_classes):
    raise AssertionError("never built")


def a_place(shape, num_classes, *, dropout=0.0):
    raise AssertionError("never built")


def test_a_model_needs_a_place_for_dropout():
    with pytest.raises(InputError, match="give your function an option dropout"):
        from_text("dropout:0.5")(recipe(model=ModelSpec(f"{__name__}:no_place")))
    with pytest.raises(InputError, match="the model mlp has no option spatial_dropout; choose another"):
        from_text("spatial_dropout:0.5")(recipe(model=ModelSpec("mlp")))
    found = from_text("dropout:0.5")(recipe(model=ModelSpec(f"{__name__}:a_place")))
    assert found.model.options == (("dropout", 0.5),)


def soften(given):
    return dataclasses.replace(given, loss=CrossEntropy(label_smoothing=0.3))


def nothing(given):
    return None


def failing(given):
    raise RuntimeError("too hot")


def test_a_defense_of_ones_own_is_hashed_by_its_result():
    own = from_text(f"{__name__}:soften+random_crop:2")
    same = from_text("label_smoothing:0.3+random_crop:2")
    assert content_hash(own(recipe())) == content_hash(same(recipe())) != content_hash(recipe())
    assert own.name == f"{__name__}:soften+random_crop"


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("nothing", "returned a NoneType; return a vestige Recipe"),
        ("failing", "failed with RuntimeError"),
        ("sofen", "did you mean soften"),
    ],
)
def test_a_defense_of_ones_own_that_fails_says_so(function, message):
    with pytest.raises(InputError, match=message):
        from_text(f"{__name__}:{function}")(recipe())


def test_a_missing_module_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(InputError, match="module 'nowhere' is not found"):
        from_text("nowhere.defenses:soften")(recipe())


def test_every_name_is_that_of_its_defense():
    assert all(defense.name == name for name, defense in DEFENSES.items())
