"""Critical weights: which they are, and that they stay at their initialization."""

import math

import numpy as np
import pytest
import torch

from vestige.core.errors import InputError
from vestige.core.record import content_hash
from vestige.data.dataset import Dataset
from vestige.defenses.writing import from_text
from vestige.models.catalog import ModelSpec
from vestige.signals.measure import Observation
from vestige.training import engines, sequential
from vestige.training.critical import largest, set_apart
from vestige.training.engine import Job, Material, initialized
from vestige.training.recipe import Conflict, Recipe

RECIPE = Recipe(model=ModelSpec("mlp-9-8-relu"), epochs=4, batch_size=8)
MEMBERS = np.arange(5, 45)
JOB = Job((4,), (MEMBERS,), 7)


def material(shape=(6,)):
    inputs = np.random.default_rng(0).normal(size=(60, *shape)).astype(np.float32)
    return Material.of(Dataset(inputs, np.arange(60) % 3, 3, "toy"), torch.device("cpu"))


def trained(recipe):
    end = Observation(checkpoints=(recipe.epochs,))
    return sequential.train(recipe, material(), JOB, end, lambda _: None)[0].weights


@pytest.mark.parametrize("share", [0.0, 0.13, 0.5, 1.0])
def test_the_share_of_all_weights_with_the_largest_scores(share):
    scores = {"a": torch.rand(3, 5), "b": torch.rand(7)}
    mask = largest(scores, share)
    assert sum(int(one.sum()) for one in mask.values()) == math.floor(share * 22)
    chosen = [float(v) for name in scores for v in scores[name][mask[name]]]
    others = [float(v) for name in scores for v in scores[name][~mask[name]]]
    assert not chosen or not others or min(chosen) >= max(others)


def test_about_a_tenth_of_the_members_is_set_apart():
    members = torch.arange(100, 1100)
    apart = set_apart(members, 3)
    assert 60 < len(apart) < 140
    assert set(apart.tolist()) <= set(members.tolist())
    assert torch.equal(apart, set_apart(members, 3))


def test_critical_weights_end_where_they_began_bit_for_bit():
    """With weight decay every weight that may move does, those of a unit that never answers too."""
    recipe = from_text("cwrf:label_smoothing:0.2/share=0.2+weight_decay:0.01")(RECIPE)
    start = initialized(recipe, material(), 7, 4).state_dict()
    end = trained(recipe)
    same = sum(int((start[name] == end[name]).sum()) for name in start)
    total = sum(value.numel() for value in start.values())
    assert same == math.floor(0.2 * total)


def test_all_weights_are_the_initialization_and_none_is_plain_training_on():
    start = initialized(RECIPE, material(), 7, 4).state_dict()
    whole = trained(from_text("cwrf:label_smoothing:0.2/share=1")(RECIPE))
    assert all(torch.equal(value, whole[name]) for name, value in start.items())
    none = trained(from_text("cwrf:label_smoothing:0.2/share=0")(RECIPE))
    assert not any(torch.equal(value, none[name]) for name, value in start.items())


def test_what_it_makes_of_a_recipe():
    found = from_text("cwrf:relax_loss:level=0.4;upper=0.9/share=0.1/trade=0.3")(RECIPE)
    assert (found.epochs, found.retraining.epochs) == (6, 2)
    assert (found.retraining.critical.share, found.retraining.critical.trade) == (0.1, 0.3)
    assert found.retraining.loss.upper == 0.9
    choice = engines.choose(found, initialized(found, material(), 7, 4), 4, torch.device("cpu"))
    assert choice.engine == "sequential"
    assert content_hash(found) != content_hash(from_text("cwrf:relax_loss:0.4/share=0.1")(RECIPE))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cwrf:label_smoothing:0.2/share=2", "cwrf share=2"),
        ("cwrf:mixup:1", "cwrf cannot train on with mixup: it changes mixing"),
        ("cwrf:label_smoothing:0.2+pptp:label_smoothing:0.2/protect=head", "would displace retraining"),
        ("pptp:label_smoothing:0.2/protect=head+cwrf:label_smoothing:0.2", "would displace routing"),
        ("cwrf:label_smoothing:0.2+relax_loss:0.5", "put that defense into cwrf"),
        ("cwrf:label_smoothing:0.2+dp_sgd:noise=1/delta=1e-5", "cwrf and dp_sgd cannot be combined"),
    ],
)
def test_bad_input(text, message):
    with pytest.raises((InputError, Conflict), match=message):
        from_text(text)(RECIPE)
