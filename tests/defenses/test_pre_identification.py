"""Pre-identification as it is written, and what it refuses to stand beside."""

import pytest

from vestige.core.errors import InputError
from vestige.core.record import content_hash
from vestige.defenses.conflict import DefenseConflict
from vestige.defenses.pre_identification import PreIdentification
from vestige.defenses.writing import from_text
from vestige.models.catalog import ModelSpec
from vestige.training.recipe import Recipe
from vestige.training.treatment import Treatment

PLAIN = Recipe(model=ModelSpec("mlp-9"))


def test_every_option_can_be_written():
    written = "pre_identification:0.05/action=down_weight/flag=memorization/strength=0.2/folds=3"
    expected = Treatment(share=0.05, action="down_weight", flag="memorization", strength=0.2, folds=3)
    assert from_text(written)(PLAIN).treatment == expected
    assert from_text("pre_identification")(PLAIN).treatment == Treatment()
    assert from_text("pre_identification:0.2")(PLAIN).treatment == Treatment(share=0.2)


def test_a_recipe_without_it_hashes_as_before():
    assert PLAIN.treatment is None
    assert content_hash(PLAIN) == content_hash(Recipe(model=ModelSpec("mlp-9"), treatment=None))
    assert content_hash(PreIdentification()(PLAIN)) != content_hash(PLAIN)


def test_it_goes_with_augmentation_smoothing_and_stopping():
    text = "pre_identification:0.1/action=smooth+gaussian_noise:0.1+label_smoothing:0.1+mixup:1"
    made = from_text(text)(PLAIN)
    assert made.treatment == Treatment(action="smooth")
    assert made.mixing is not None


@pytest.mark.parametrize(
    ("options", "other"),
    [
        ("", "dp_sgd:noise=1/delta=1e-5"),
        ("", "distillation:2"),
        ("", "selena"),
        ("/action=relabel", "disturb_label:0.1"),
        ("/action=smooth", "relax_loss:0.5"),
        ("/action=down_weight", "label_smoothing:0.1"),
        ("/action=down_weight", "confidence_penalty:0.1"),
    ],
)
def test_what_it_cannot_go_with_is_refused_in_either_order(options, other):
    ours, name = f"pre_identification:0.1{options}", other.partition(":")[0]
    for text in (f"{ours}+{other}", f"{other}+{ours}"):
        with pytest.raises(DefenseConflict, match=rf"pre_identification and {name} cannot be combined"):
            from_text(text)(PLAIN)


def test_it_displaces_no_other_treatment():
    with pytest.raises(DefenseConflict, match="would displace treatment"):
        PreIdentification()(PreIdentification(share=0.2)(PLAIN))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pre_identification:1.5", "share=1.5"),
        ("pre_identification:0.1/flag=loss", "flag='loss'"),
        ("pre_identification:0.1/act=drop", "act.*action"),
        ("pre_identification:0.1/action=relabel/flag=neighbors", "relabel"),
    ],
)
def test_bad_parameters_are_refused_by_name(text, message):
    with pytest.raises(InputError, match=message):
        from_text(text)
