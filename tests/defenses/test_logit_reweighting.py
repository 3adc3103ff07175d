"""Logit reweighting as a defense: what it edits, how it is written, and what it refuses."""

import pytest

from vestige.core.errors import InputError
from vestige.core.record import content_hash
from vestige.defenses.conflict import DefenseConflict
from vestige.defenses.defense import compose
from vestige.defenses.logit_reweighting import LogitReweightingDefense
from vestige.defenses.writing import from_text
from vestige.models.catalog import ModelSpec
from vestige.training.output import LogitReweighting
from vestige.training.recipe import Recipe

PLAIN = Recipe(model=ModelSpec("mlp-9"))


def test_it_edits_the_output_alone():
    edited = LogitReweightingDefense()(PLAIN)
    assert edited.output == LogitReweighting(weight=0.1)
    assert content_hash(vars(edited) | {"output": None}) == content_hash(vars(PLAIN))


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("logit_reweighting", LogitReweighting()),
        ("logit_reweighting:0.05", LogitReweighting(weight=0.05)),
        ("logit_reweighting:hard=yes", LogitReweighting(hard=True)),
        (
            "logit_reweighting:0.3/clamp=false/fallback=error",
            LogitReweighting(weight=0.3, clamp=False, fallback="error"),
        ),
    ],
)
def test_it_is_written_with_its_parameters(text, output):
    assert from_text(text)(PLAIN).output == output


def test_it_goes_with_any_defense_in_either_order_and_not_with_itself():
    for other in ("label_smoothing:0.1", "selena:4/left_out=1", "dp_sgd:noise=1/delta=1e-5", "mixup:1"):
        one, two = (from_text(t)(PLAIN) for t in (f"logit_reweighting+{other}", f"{other}+logit_reweighting"))
        assert one == two
        assert one.output == LogitReweighting()
    with pytest.raises(DefenseConflict, match="displace logit_reweighting"):
        from_text("logit_reweighting:0.1+logit_reweighting:0.2")
    twice = LogitReweightingDefense()(PLAIN)
    with pytest.raises(DefenseConflict, match="output="):
        compose(LogitReweightingDefense(weight=0.3))(twice)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weight": 2}, "weight=2"),
        ({"weight": -0.1}, "weight=-0.1"),
        ({"fallback": "mean"}, "fallback='mean'"),
    ],
)
def test_values_out_of_range_are_refused_by_name(options, message):
    with pytest.raises(InputError, match=f"logit_reweighting {message}"):
        LogitReweightingDefense(**options)
