"""Logit reweighting in training: the same models, other logits, alike in every engine."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from vestige.core.errors import InputError
from vestige.core.record import content_hash
from vestige.data.dataset import Dataset
from vestige.data.transforms import Identity, Mirror
from vestige.models.catalog import ModelSpec
from vestige.models.reweighted import Reweighted, class_centroids, reweight, towards
from vestige.signals.confidence import Prediction, scaled_logit
from vestige.signals.measure import Observation
from vestige.training import engines, private, sequential, stacked, vmapped
from vestige.training.engine import Job, Material
from vestige.training.optimizers import SGD
from vestige.training.output import CENTROIDS, THRESHOLD, LogitReweighting
from vestige.training.privacy import DPSGD
from vestige.training.recipe import Recipe
from vestige.training.reopened import reopened
from vestige.training.targets import Distilled
from vestige.training.teaching import teach, teacher_of

OBSERVE = Observation(checkpoints=(0, 4, 8), signals=("scaled_logit", "correct", "entropy"))
PLAIN = Recipe(model=ModelSpec("mlp-12"), epochs=8, batch_size=8, optimizer=SGD(lr=0.1))
LRW = dataclasses.replace(PLAIN, output=LogitReweighting(weight=0.2))
PRIVATE = DPSGD(noise=0.5, delta=1e-3)


def material(classes=3, shape=(6,)):
    generator = np.random.default_rng(0)
    targets = np.arange(80) % classes
    centers = 2 * generator.normal(size=(classes, *shape))
    inputs = (centers[targets] + generator.normal(size=(80, *shape))).astype(np.float32)
    return Material.of(Dataset(inputs, targets, classes, "toy"), torch.device("cpu"))


def job():
    generator = np.random.default_rng(1)
    return Job((4, 5, 6), tuple(np.sort(generator.permutation(80)[:n]) for n in (33, 40, 33)), 7)


def silent(_):
    return None


def one_logit(shape, num_classes):
    return nn.Sequential(nn.Linear(shape[0], 5), nn.Tanh(), nn.Linear(5, 1))


CASES = {
    **{name: (train, PLAIN) for name, train in engines.ENGINES.items()},
    "private": (private.train, dataclasses.replace(PLAIN, privacy=PRIVATE)),
}
every_engine = pytest.mark.parametrize(("train", "plain"), CASES.values(), ids=CASES)


@every_engine
def test_training_stays_as_it_is_to_the_last_bit(train, plain):
    defended = dataclasses.replace(plain, output=LogitReweighting())
    ours = train(defended, material(), job(), OBSERVE, silent)
    theirs = train(plain, material(), job(), OBSERVE, silent)
    for one, other in zip(ours, theirs, strict=True):
        assert one.weights.keys() - other.weights.keys() == {CENTROIDS, THRESHOLD}
        assert all(torch.equal(one.weights[name], value) for name, value in other.weights.items())
        assert (one.signals["correct"] == other.signals["correct"]).all()
        changed = one.signals["scaled_logit"] != other.signals["scaled_logit"]
        assert changed[1:].any((1, 2)).all()  # before training a class may have no mean of its own


@every_engine
def test_signals_and_reopened_models_are_those_of_the_released_logits(train, plain):
    rule = LogitReweighting(weight=0.3)
    defended, data = dataclasses.replace(plain, output=rule), material()
    for one, members in zip(train(defended, data, job(), OBSERVE, silent), job().members, strict=True):
        bare = {name: value for name, value in one.weights.items() if name not in (CENTROIDS, THRESHOLD)}
        own = torch.from_numpy(members)
        with torch.no_grad():
            logits = reopened(plain, data, bare)(data.inputs)
            released = reopened(defended, data, one.weights)
            shown = released(data.inputs)
        assert isinstance(released, Reweighted)
        assert not released.training
        expected = reweight(logits, class_centroids(logits[own], data.targets[own], 3), 0.3)
        torch.testing.assert_close(shown, expected, atol=1e-5, rtol=1e-4)
        recorded = torch.from_numpy(one.signals["scaled_logit"][-1, :, 0].copy())
        torch.testing.assert_close(
            recorded, scaled_logit(Prediction(shown, data.targets)), atol=1e-4, rtol=1e-4
        )


@pytest.mark.parametrize("fast", [stacked.train, vmapped.train], ids=["stacked", "vmapped"])
@pytest.mark.parametrize("model", ["mlp-12", f"{__name__}:one_logit"], ids=["classes", "one logit"])
def test_fast_engines_agree_with_the_reference(fast, model):
    recipe = dataclasses.replace(LRW, model=ModelSpec(model))
    data = material(classes=3 if model == "mlp-12" else 2)
    ours, theirs = (train(recipe, data, job(), OBSERVE, silent) for train in (fast, sequential.train))
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one.weights[CENTROIDS], other.weights[CENTROIDS], atol=1e-4, rtol=1e-3)
        for name in OBSERVE.signals:
            np.testing.assert_allclose(one.signals[name][1:], other.signals[name][1:], atol=1e-3, rtol=1e-3)


@every_engine
def test_of_outlying_queries_only_those_change_in_every_engine(train, plain):
    """As many members change as the share says, and they lie farther from their mean than all others."""
    defended = dataclasses.replace(plain, output=LogitReweighting(queries="outlying", share=0.25))
    data = material()
    for one, members in zip(train(defended, data, job(), OBSERVE, silent), job().members, strict=True):
        released, own = reopened(defended, data, one.weights), torch.from_numpy(members)
        with torch.no_grad():
            logits, shown = released.module(data.inputs), released(data.inputs)
        centroids, cosine = towards(logits, released.centroids)
        changed = (shown != logits).any(-1)
        usable = centroids.any(-1)
        assert changed[own][usable[own]].float().mean() == pytest.approx(0.25, abs=0.1)
        assert cosine[changed].max() <= cosine[usable & ~changed].min() + 1e-6
        recorded = torch.from_numpy(one.signals["scaled_logit"][-1, :, 0].copy())
        expected = scaled_logit(Prediction(shown, data.targets))
        # one at the very threshold may fall on either side of it after rounding
        close = torch.isclose(recorded, expected, atol=1e-3, rtol=1e-3)
        assert (~close).sum() <= 1


def test_a_checkpoint_has_centroids_of_its_own_and_of_the_plain_view():
    """Stopping at a checkpoint gives the model of that checkpoint, with what was recorded there."""
    twice = dataclasses.replace(OBSERVE, queries=(Identity(), Mirror()))
    data = material(shape=(1, 4, 4))
    short = dataclasses.replace(LRW, epochs=4)
    for train in (stacked.train, sequential.train):
        whole = train(LRW, data, job(), twice, silent)[0].signals["scaled_logit"]
        early = train(short, data, job(), twice, silent)[0]
        assert np.array_equal(early.signals["scaled_logit"], whole[:2])
        with torch.no_grad():
            module = reopened(short, data, early.weights)
            mirrored = scaled_logit(Prediction(module(data.inputs.flip(-1)), data.targets))
        np.testing.assert_allclose(mirrored.numpy(), whole[1, :, 1], atol=1e-4)


def test_what_is_stored_beside_the_weights_does_not_reach_the_module():
    (trained,) = sequential.train(PLAIN, material(), job().at([0]), OBSERVE, silent)
    beside = {**trained.weights, "vestige.anything": torch.ones(80, dtype=torch.bool)}
    module = reopened(PLAIN, material(), beside)
    assert not isinstance(module, Reweighted)
    assert all(torch.equal(value, trained.weights[name]) for name, value in module.state_dict().items())


def test_a_signal_that_looks_past_the_output_is_refused():
    observation = Observation(checkpoints=(0,), signals=("scaled_logit", "gradient_norm"))
    for train in (stacked.train, sequential.train):
        with pytest.raises(InputError, match=r"gradient_norm.*logit_reweighting"):
            train(LRW, material(), job(), observation, silent)


def test_classes_without_a_mean_stop_the_training_only_where_that_is_asked_for():
    untrained = dataclasses.replace(PLAIN, epochs=1, optimizer=SGD(lr=1e-9))
    strict = dataclasses.replace(untrained, output=LogitReweighting(fallback="error"))
    with pytest.raises(InputError, match="train longer"):
        sequential.train(strict, material(), job(), OBSERVE, silent)
    lenient = dataclasses.replace(untrained, output=LogitReweighting())
    assert len(sequential.train(lenient, material(), job(), OBSERVE, silent)) == 3
    trained_well = dataclasses.replace(PLAIN, output=LogitReweighting(fallback="error"))
    assert len(sequential.train(trained_well, material(), job(), OBSERVE, silent)) == 3


def test_teachers_speak_as_they_are():
    taught = dataclasses.replace(PLAIN, targets=Distilled(temperature=2.0))
    defended = dataclasses.replace(taught, output=LogitReweighting())
    teacher = teacher_of(defended)
    assert teacher is not None
    assert teacher.output is None
    said, plainly = (teach(r, material(), job(), "stacked") for r in (defended, taught))
    assert said is not None
    assert plainly is not None
    assert torch.equal(said, plainly)


def test_a_recipe_without_an_output_keeps_its_hash():
    assert content_hash(dataclasses.replace(LRW, output=None)) == content_hash(PLAIN) != content_hash(LRW)
