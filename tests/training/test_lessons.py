"""What models are taught: disturbed labels, mixed batches and teachers' rows, the same in every engine."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from vestige.core import seeds
from vestige.core.errors import InputError
from vestige.data.dataset import Dataset
from vestige.data.transforms import Compose, Cutout, GaussianNoise, HorizontalFlip, RandomCrop
from vestige.models.catalog import ModelSpec
from vestige.signals.measure import Observation
from vestige.training import batches, sequential, stacked, vmapped
from vestige.training.engine import Job, Material, initialized
from vestige.training.lessons import lesson
from vestige.training.losses import CrossEntropy, RelaxLoss
from vestige.training.mixing import Mixup
from vestige.training.optimizers import SAM, SGD
from vestige.training.recipe import Conflict, Recipe
from vestige.training.targets import Distilled, DisturbedLabels, SplitTaught

SAMPLES, CLASSES, SEED, EPOCHS = 60, 3, 7, 3
OBSERVE = Observation(checkpoints=(0, EPOCHS))
FAST = {"stacked": stacked.train, "vmapped": vmapped.train}
IMAGE = (1, 5, 6)


def material(shape=IMAGE):
    inputs = np.random.default_rng(0).normal(size=(SAMPLES, *shape)).astype(np.float32)
    return Material.of(Dataset(inputs, np.arange(SAMPLES) % CLASSES, CLASSES, "toy"), torch.device("cpu"))


def job(sizes=(23, 31, 17), soft=False):
    generator = np.random.default_rng(1)
    members = tuple(np.sort(generator.permutation(SAMPLES)[:n]) for n in sizes)
    rows = torch.from_numpy(generator.dirichlet(np.ones(CLASSES), (len(sizes), SAMPLES)).astype(np.float32))
    return Job(tuple(range(4, 4 + len(sizes))), members, SEED, soft=rows if soft else None)


def recipe(**changes):
    return Recipe(**{"model": ModelSpec("mlp-9"), "epochs": EPOCHS, "batch_size": 8, **changes})


def silent(_):
    return None


RECIPES = {
    "disturbed": recipe(targets=DisturbedLabels(rate=0.5)),
    "mixup": recipe(mixing=Mixup(alpha=1.0)),
    "mixup of halves": recipe(mixing=Mixup(alpha=math.inf)),
    "mixup of disturbed, smoothed": recipe(
        mixing=Mixup(alpha=0.5), targets=DisturbedLabels(rate=0.3), loss=CrossEntropy(label_smoothing=0.2)
    ),
    "mixup of noise": recipe(mixing=Mixup(alpha=1.0), augmentation=GaussianNoise(0.3)),
    "penalty": recipe(loss=CrossEntropy(confidence_penalty=0.4)),
    "relaxed": recipe(loss=RelaxLoss(level=0.9)),
    "relaxed, tabular, disturbed": recipe(
        loss=RelaxLoss(level=1.05, upper=0.4, form="tabular"), targets=DisturbedLabels(rate=0.2)
    ),
    "relaxed, sam": recipe(loss=RelaxLoss(level=0.9), optimizer=SAM(rho=0.1)),
    "noise": recipe(augmentation=GaussianNoise(0.5, low=-1.0, high=1.0)),
    "crop, cutout, flip": recipe(
        augmentation=Compose((RandomCrop(2, "zero"), Cutout(3), HorizontalFlip())), optimizer=SAM(rho=0.1)
    ),
    "noise and dropout": recipe(
        augmentation=GaussianNoise(0.3), model=ModelSpec("mlp-9", (("dropout", 0.4),))
    ),
}


def assert_same(ours, theirs, atol=2e-5):
    for one, other in zip(ours, theirs, strict=True):
        assert one.model == other.model
        for name, value in other.weights.items():
            torch.testing.assert_close(one.weights[name], value, atol=atol, rtol=1e-4, check_stride=False)


@pytest.mark.parametrize("engine", FAST)
@pytest.mark.parametrize("soft", [False, True], ids=["labels", "taught"])
@pytest.mark.parametrize("name", RECIPES)
def test_engines_agree(name, soft, engine):
    r = RECIPES[name]
    if soft and isinstance(r.loss, RelaxLoss):
        pytest.skip("RelaxLoss needs labels")
    if engine == "vmapped" and r.model.options:
        pytest.skip("dropout is for the other engines")
    ours = FAST[engine](r, material(), job(soft=soft), OBSERVE, silent)
    theirs = sequential.train(r, material(), job(soft=soft), OBSERVE, silent)
    assert_same(ours, theirs)
    plain = sequential.train(recipe(), material(), job(), OBSERVE, silent)
    assert any(not torch.equal(ours[0].weights[k], v) for k, v in plain[0].weights.items())


def twin(r, one, place, soft=None):
    """Mixup of disturbed labels or a teacher's rows, by hand: rows, two orders, one share per batch."""
    data, model, members = material(), one.models[place], one.members[place]
    module = initialized(r, data, SEED, model)
    optimizer = r.optimizer.build(module.parameters())
    for epoch in range(EPOCHS):
        first = members[seeds.generator(SEED, "batches", model, epoch).permutation(len(members))]
        second = members[seeds.generator(SEED, "mixup order", model, epoch).permutation(len(members))]
        bounds = batches.bounds(len(members), r.batch_size)
        shares = seeds.generator(SEED, "mixup", model, epoch).beta(
            r.mixing.alpha, r.mixing.alpha, len(bounds)
        )
        for (start, stop), share in zip(bounds, shares, strict=True):
            a, b = first[start:stop], second[start:stop]
            rows = torch.eye(CLASSES)[data.targets] if soft is None else soft[place]
            mixed = share * data.inputs[a] + (1 - share) * data.inputs[b]
            target = share * rows[a] + (1 - share) * rows[b]
            torch.testing.assert_close(target.sum(1), torch.ones(len(a)))
            loss = -(target * functional.log_softmax(module(mixed), -1)).sum(1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return module.state_dict()


@pytest.mark.parametrize("train", [sequential.train, *FAST.values()])
@pytest.mark.parametrize("soft", [False, True], ids=["labels", "taught"])
def test_mixup_is_its_definition(train, soft):
    r, one = RECIPES["mixup"], job(soft=soft)
    for place, trained in enumerate(train(r, material(), one, OBSERVE, silent)):
        for name, value in twin(r, one, place, one.soft).items():
            torch.testing.assert_close(trained.weights[name], value, atol=2e-5, rtol=1e-4, check_stride=False)


def test_taught_rows_that_are_one_hot_are_labels():
    hard = functional.one_hot(material().targets, CLASSES).float().expand(3, -1, -1)
    taught = dataclasses.replace(job(), soft=hard)
    for train in (sequential.train, *FAST.values()):
        ours = train(recipe(), material(), taught, OBSERVE, silent)
        assert_same(ours, train(recipe(), material(), job(), OBSERVE, silent))


def test_disturbed_labels_have_their_frequencies():
    generator, draws, rate = seeds.generator(0, "labels"), 100_000, 0.6
    given = np.full(draws, 2)
    counts = np.bincount(DisturbedLabels(rate=rate)(given, 5, generator), minlength=5) / draws
    expected = np.where(np.arange(5) == 2, 1 - 4 / 5 * rate, rate / 5)
    assert (np.abs(counts - expected) < 4 * np.sqrt(expected * (1 - expected) / draws)).all()
    assert (given == 2).all()


def test_labels_are_disturbed_anew_in_each_epoch_and_for_each_model():
    r = recipe(targets=DisturbedLabels(rate=0.5))
    one = Job((0, 1), (np.arange(SAMPLES),) * 2, SEED)
    drawn = [lesson(r, material(), one, place, epoch) for place in (0, 1) for epoch in (0, 1)]
    by_sample = {tuple(d.labels[0][np.argsort(d.orders[0])]) for d in drawn}
    assert len(by_sample) == 4


def test_other_draws_shift_nothing():
    plain = lesson(recipe(), material(), job(), 0, 1)
    rich = lesson(RECIPES["mixup of disturbed, smoothed"], material(), job(), 0, 1)
    assert (plain.orders[0] == rich.orders[0]).all()
    assert (plain.labels[0] == material().labels[plain.orders[0]]).all()
    assert plain.shares is None
    assert len(rich.orders) == 2
    assert set(rich.orders[1]) == set(job().members[0])
    assert (rich.orders[0] != rich.orders[1]).any()


@pytest.mark.parametrize("alpha", [0.2, 1.0, 30.0])
def test_shares_have_the_moments_of_their_distribution(alpha):
    shares = Mixup(alpha=alpha).shares(40_000, seeds.generator(1, "mixup"))
    variance = 1 / (4 * (2 * alpha + 1))
    assert abs(shares.mean() - 0.5) < 4 * np.sqrt(variance / 40_000)
    assert shares.var() == pytest.approx(variance, rel=0.05)
    assert (Mixup(alpha=math.inf).shares(3, seeds.generator(1, "mixup")) == 0.5).all()


@pytest.mark.parametrize("train", [sequential.train, *FAST.values()])
@pytest.mark.parametrize("targets", [Distilled(), SplitTaught(submodels=3, left_out=1)])
def test_teachers_that_are_missing_are_named(train, targets):
    with pytest.raises(InputError, match="need rows of teachers"):
        train(recipe(targets=targets), material(), job(), OBSERVE, silent)


@pytest.mark.parametrize("changes", [{"mixing": Mixup(alpha=1.0)}, {"targets": Distilled()}])
def test_relax_loss_refuses_rows(changes):
    with pytest.raises(Conflict, match=r"relax_loss and (mixup|distillation) cannot be combined"):
        recipe(loss=RelaxLoss(level=1.0), **changes)


def one_logit(shape, num_classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(30, 5), nn.Tanh(), nn.Linear(5, 1))


@pytest.mark.parametrize("name", ["mixup", "disturbed", "relaxed", "penalty"])
def test_a_binary_model_with_one_logit_is_trained_alike(name):
    r = dataclasses.replace(RECIPES[name], model=ModelSpec(f"{__name__}:one_logit"))
    inputs = np.random.default_rng(0).normal(size=(SAMPLES, *IMAGE)).astype(np.float32)
    toy = Material.of(Dataset(inputs, np.arange(SAMPLES) % 2, 2, "toy"), torch.device("cpu"))
    ours, theirs = (e.train(r, toy, job(), OBSERVE, silent) for e in (stacked, sequential))
    assert_same(ours, theirs)


def test_augmentation_in_bfloat16_draws_in_float32():
    r = recipe(augmentation=GaussianNoise(0.3), optimizer=SGD(lr=0.02))
    rough = dataclasses.replace(r, precision="bf16")
    exact, near = (stacked.train(x, material(), job(), OBSERVE, silent)[0] for x in (r, rough))
    for name, value in exact.weights.items():
        torch.testing.assert_close(near.weights[name], value, atol=0.02, rtol=0.05)
