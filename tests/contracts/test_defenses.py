"""What every registered defense must do, and whatever is registered later with it."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from vestige.core.record import content_hash, plain
from vestige.data.dataset import Dataset
from vestige.defenses.catalog import DEFENSES, PRESETS
from vestige.defenses.conflict import DefenseConflict
from vestige.defenses.defense import Defense, compose
from vestige.defenses.gaussian_noise import GaussianNoiseDefense
from vestige.defenses.label_smoothing import LabelSmoothing
from vestige.defenses.writing import from_text
from vestige.models.catalog import ModelSpec, build
from vestige.signals.measure import Observation
from vestige.training import engines, sequential, stacked
from vestige.training.engine import Job, Material
from vestige.training.recipe import Recipe
from vestige.training.treating import ready

# A defense whose first parameter alone says nothing needs an example of its own.
EXAMPLES = {
    "selena": "selena:3/left_out=1",
    "dp_sgd": "dp_sgd:noise=1/delta=1e-3",
    "pptp": "pptp:label_smoothing:0.3/protect=back",
    "cwrf": "cwrf:label_smoothing:0.3",
}
NESTED = {"pptp", "cwrf"}  # the first parameter is a defense, so that there is no grid of numbers
OTHER_LOSS = {"relax_loss", "crl", *NESTED}  # takes the place of cross-entropy, or needs it plain
ONE_AT_A_TIME = {"spatial_dropout": "Conv2d", "crl": "learns centers", "cwrf": "trained again"}
NAMES = sorted(DEFENSES)
SAMPLES, CLASSES, SHAPE = 40, 3, (1, 6, 6)
OBSERVE = Observation(checkpoints=(0, 3))
CPU = torch.device("cpu")


def example(name):
    values = [value for value in DEFENSES[name].grid if np.isfinite(value)]
    return from_text(EXAMPLES.get(name) or f"{name}:{values[len(values) // 2]:g}")


def recipe(name):
    model = "convnet-1" if name == "spatial_dropout" else "mlp-8"
    return Recipe(model=ModelSpec(model), epochs=30 if name == "early_stopping" else 3, batch_size=8)


def material():
    inputs = np.random.default_rng(0).normal(size=(SAMPLES, *SHAPE)).astype(np.float32)
    return Material.of(Dataset(inputs, np.arange(SAMPLES) % CLASSES, CLASSES, "toy"), CPU)


def silent(_):
    return None


def trained(r, engine):
    generator = np.random.default_rng(1)
    job = Job((0, 1), tuple(np.sort(generator.permutation(SAMPLES)[:n]) for n in (21, 17)), 5)
    return engines.named(engine)(r, material(), ready(r, material(), job, engine), OBSERVE, silent)


def choice(r):
    return engines.choose(r, build(r.model, SHAPE, CLASSES), 2, CPU)


@pytest.mark.parametrize("name", NAMES)
def test_a_defense_is_named_documented_and_a_frozen_value(name):
    (defense,) = example(name).defenses
    assert isinstance(defense, Defense)
    assert defense.name == name
    assert defense.paper
    assert defense.part
    assert 10 < len(defense.meaning) < 110
    assert bool(defense.grid) != (name in NESTED)
    assert DEFENSES[name].__doc__
    assert dataclasses.replace(defense) == defense
    assert hash(defense) == hash(dataclasses.replace(defense))
    assert plain(defense)["type"] == type(defense).__name__
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(defense, dataclasses.fields(defense)[0].name, None)


@pytest.mark.parametrize("name", NAMES)
def test_it_returns_another_recipe_and_leaves_the_given_one_alone(name):
    given = recipe(name)
    before = content_hash(given)
    edited = example(name)(given)
    assert isinstance(edited, Recipe)
    assert content_hash(given) == before != content_hash(edited)
    assert content_hash(example(name)(given)) == content_hash(edited)


@pytest.mark.parametrize("name", NAMES)
def test_every_value_of_its_grid_is_a_recipe_of_its_own(name):
    first = dataclasses.fields(DEFENSES[name])[0].name
    given = dataclasses.replace(recipe(name), epochs=100)
    (usual,) = example(name).defenses
    values = DEFENSES[name].grid or [LabelSmoothing(amount=amount) for amount in LabelSmoothing.grid]
    edited = [dataclasses.replace(usual, **{first: value})(given) for value in values]
    assert len({content_hash(one) for one in edited}) == len(edited)


@pytest.mark.parametrize("name", NAMES)
def test_it_trains_and_the_fast_engine_agrees_with_the_reference(name):
    edited = example(name)(recipe(name))
    chosen = choice(edited).engine
    ours = trained(edited, chosen)
    weights = [one.weights for one in ours]
    assert all(bool(value.isfinite().all()) for one in weights for value in one.values())
    undefended = trained(recipe(name), "sequential")
    assert any(
        one.keys() != other.weights.keys() or any(not torch.equal(one[k], other.weights[k]) for k in one)
        for one, other in zip(weights, undefended, strict=True)
    )
    if chosen != "stacked":
        reason = stacked.unsupported(build(edited.model, SHAPE, CLASSES), edited)
        assert edited.privacy or ONE_AT_A_TIME[name] in reason
        return
    for one, other in zip(weights, trained(edited, "sequential"), strict=True):
        for key, value in other.weights.items():
            torch.testing.assert_close(one[key], value, atol=5e-5, rtol=1e-3, check_stride=False)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["before", "after"])
@pytest.mark.parametrize(
    "other", [LabelSmoothing(amount=0.1), GaussianNoiseDefense(std=0.1)], ids=lambda defense: defense.name
)
@pytest.mark.parametrize("name", NAMES)
def test_it_goes_with_smoothing_and_noise_or_says_why_not(name, other, order):
    pair = [*example(name).defenses, other]
    if name == other.name or (other.name == "label_smoothing" and name in OTHER_LOSS):
        with pytest.raises(DefenseConflict, match=rf"(?s)(?=.*{name})(?=.*{other.name})"):
            compose(*(pair[i] for i in order))(recipe(name))
        return
    both = compose(*(pair[i] for i in order))(recipe(name))
    assert content_hash(both) not in {content_hash(one(recipe(name))) for one in pair}


@pytest.mark.parametrize("name", NAMES)
def test_any_two_compose_in_both_orders_or_in_neither(name):
    def outcome(*texts):
        try:
            return content_hash(compose(*(d for t in texts for d in example(t).defenses))(given))
        except DefenseConflict:
            return None

    given = Recipe(model=ModelSpec("convnet-1"), epochs=100)
    for other in NAMES:
        if {name, other} == {"early_stopping", "cwrf"}:  # what is trained on with is counted from the epochs
            assert outcome("early_stopping", "cwrf") is not None
            assert outcome("cwrf", "early_stopping") is None
            continue
        assert (outcome(name, other) is None) == (outcome(other, name) is None)


def test_none_is_the_plain_recipe_bit_for_bit():
    given = recipe("none")
    assert from_text("none")(given) is given
    one, two = (
        sequential.train(r, material(), Job((0,), (np.arange(20),), 5), OBSERVE, silent)
        for r in (given, from_text("none")(given))
    )
    assert all(torch.equal(two[0].weights[k], v) for k, v in one[0].weights.items())


def test_what_presets_name_is_registered():
    assert {text.partition(":")[0] for texts in PRESETS.values() for text in texts} <= set(DEFENSES)


def test_every_defense_is_documented():
    page = Path(__file__).resolve().parents[2] / "docs" / "defenses.md"
    rows = re.findall(r"^\| `(\w+)` \|.*\| (.+) \|$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert {name: paper for name, paper in rows if name in DEFENSES} == {
        name: defense.paper for name, defense in DEFENSES.items()
    }
