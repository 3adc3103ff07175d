"""Weights in the course of training are those of a shorter training, and keeping them changes nothing."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from vestige.core.errors import InputError
from vestige.core.record import content_hash, plain
from vestige.data.dataset import Dataset
from vestige.models.catalog import ModelSpec
from vestige.signals.measure import Observation
from vestige.training import sequential, stacked
from vestige.training.engine import Job, Material
from vestige.training.recipe import Recipe
from vestige.training.reopened import reopened
from vestige.training.snapshots import weights_at

both_engines = pytest.mark.parametrize(
    "train", [sequential.train, stacked.train], ids=["sequential", "stacked"]
)
RECIPE = Recipe(model=ModelSpec("mlp-6-5"), epochs=5, batch_size=8)  # its schedule is constant


def material():
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(50, 4)).astype(np.float32)
    return Material.of(Dataset(inputs, np.arange(50) % 3, 3, "toy"), torch.device("cpu"))


def trained(train, epochs, kept=()):
    members = (np.arange(20), np.arange(5, 40), np.arange(11, 28))  # in another order than by size
    job = Job((3, 4, 5), members, 7)
    observation = Observation(checkpoints=(0, epochs), weights_at=kept)
    return train(replace(RECIPE, epochs=epochs), material(), job, observation, lambda _: None)


@both_engines
def test_kept_weights_are_the_final_ones_of_a_training_that_ends_there(train):
    kept, short = trained(train, 5, (2, 3)), trained(train, 3)
    for ours, theirs in zip(kept, short, strict=True):
        early = weights_at(ours.weights, 3)
        assert early.keys() == theirs.weights.keys()
        assert all(torch.equal(early[name], value) for name, value in theirs.weights.items())
        assert any(not torch.equal(early[name], weights_at(ours.weights, 2)[name]) for name in early)


@both_engines
def test_keeping_changes_neither_signals_nor_final_weights(train):
    for ours, theirs in zip(trained(train, 5, (1, 4)), trained(train, 5), strict=True):
        assert all(np.array_equal(ours.signals[name], theirs.signals[name]) for name in theirs.signals)
        assert all(torch.equal(ours.weights[name], value) for name, value in theirs.weights.items())


@both_engines
def test_a_reopened_model_is_the_final_one(train):
    ours = trained(train, 5, (1,))[0]
    module = reopened(RECIPE, material(), ours.weights)
    assert all(torch.equal(value, ours.weights[name]) for name, value in module.state_dict().items())


def test_weights_that_were_not_kept_are_refused():
    with pytest.raises(InputError, match="epoch=2: the weights at its end were not kept"):
        weights_at(trained(sequential.train, 3, (1,))[0].weights, 2)


def test_an_observation_without_them_keeps_its_hash():
    plainly = Observation(checkpoints=(0, 5))
    assert "weights_at" not in plain(plainly)
    assert content_hash(plainly) != content_hash(replace(plainly, weights_at=(1,)))
