"""Every engine gives the same models; nothing depends on how models are grouped."""

import numpy as np
import pytest
import torch
from torch import nn

from vestige.core.errors import InputError
from vestige.data.dataset import Dataset
from vestige.data.transforms import HorizontalFlip, Identity, Mirror
from vestige.models.catalog import ModelSpec, build
from vestige.signals.measure import Observation
from vestige.training import arithmetic, engines, sequential, stacked, vmapped
from vestige.training.engine import Job, Material
from vestige.training.losses import CrossEntropy
from vestige.training.optimizers import SAM, SGD, Adam
from vestige.training.recipe import Recipe
from vestige.training.schedules import Cosine

SIGNALS = ("scaled_logit", "correct", "entropy", "gradient_norm")
OBSERVE = Observation(checkpoints=(0, 1, 3), signals=SIGNALS)


def material(samples=70, shape=(6,), classes=3):
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(samples, *shape)).astype(np.float32)
    targets = np.arange(samples) % classes
    return Material.of(Dataset(inputs, targets, classes, "toy"), torch.device("cpu"))


def job(samples=70, models=(4, 5, 6), sizes=(33, 40, 17)):
    generator = np.random.default_rng(1)
    members = tuple(np.sort(generator.permutation(samples)[:n]) for n in sizes)
    return Job(models, members, 7)


def recipe(**changes):
    fields = {"model": ModelSpec("mlp-9-8"), "epochs": 3, "batch_size": 8}
    return Recipe(**{**fields, **changes})


def silent(_):
    return None


every_engine = pytest.mark.parametrize("train", engines.ENGINES.values(), ids=engines.ENGINES)


def observed(train):
    """What is observed, without the one signal that the vmapped engine does not know."""
    return Observation(checkpoints=(0, 1, 3)) if train is vmapped.train else OBSERVE


def noisy(train):
    """A recipe with dropout, for the engines that train it."""
    return recipe() if train is vmapped.train else RECIPES["dropout"]


def assert_same(ours, theirs, atol=2e-5, signals=SIGNALS):
    for one, other in zip(ours, theirs, strict=True):
        assert one.model == other.model
        assert one.weights.keys() == other.weights.keys()
        for name in one.weights:
            torch.testing.assert_close(
                one.weights[name], other.weights[name], atol=atol, rtol=1e-4, check_stride=False
            )
        for name in signals:
            assert one.signals[name].shape == other.signals[name].shape
            np.testing.assert_allclose(one.signals[name], other.signals[name], atol=10 * atol, rtol=1e-3)


RECIPES = {
    "plain": recipe(),
    "no momentum": recipe(optimizer=SGD(lr=0.1, momentum=0.0)),
    "weight decay": recipe(optimizer=SGD(lr=0.1, weight_decay=0.01)),
    "cosine": recipe(schedule=Cosine()),
    "label smoothing": recipe(loss=CrossEntropy(label_smoothing=0.2)),
    "adam": recipe(optimizer=Adam(lr=0.01, weight_decay=0.01)),
    "adamw": recipe(optimizer=Adam(lr=0.01, weight_decay=0.1, decoupled=True)),
    "sam": recipe(optimizer=SAM(base=SGD(lr=0.1, weight_decay=0.01), rho=0.1)),
    "sam around adam": recipe(optimizer=SAM(base=Adam(lr=0.01), rho=0.2)),
    "sam and dropout": recipe(optimizer=SAM(rho=0.1), model=ModelSpec("mlp-9-8", (("dropout", 0.4),))),
    "dropout": recipe(model=ModelSpec("mlp-9-8", (("dropout", 0.4),))),
    "relu": recipe(model=ModelSpec("mlp-9-8", (("activation", "relu"),))),
    "linear": recipe(model=ModelSpec("linear")),
    "one batch": recipe(batch_size=100),
}


@pytest.mark.parametrize("name", RECIPES)
def test_stacked_models_equal_sequential_ones(name):
    ours = stacked.train(RECIPES[name], material(), job(), OBSERVE, silent)
    theirs = sequential.train(RECIPES[name], material(), job(), OBSERVE, silent)
    assert_same(ours, theirs)


def batch_norm(shape, num_classes):
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(4 * 64, num_classes),
    )


@pytest.mark.parametrize("optimizer", [SGD(), SAM(rho=0.1)], ids=["sgd", "sam"])
@pytest.mark.parametrize("model", ["mlp-9", "convnet", f"{__name__}:batch_norm"])
def test_vmapped_models_equal_sequential_ones(model, optimizer):
    shape = (6,) if model == "mlp-9" else (3, 8, 8)
    augmentation = Identity() if model == "mlp-9" else HorizontalFlip()
    r = recipe(model=ModelSpec(model), augmentation=augmentation, optimizer=optimizer)
    signals = ("scaled_logit", "correct", "entropy")
    observation = Observation(checkpoints=(0, 1, 3), signals=signals)
    mixed = job(sizes=(33, 40, 33))
    ours, theirs = (
        train(r, material(shape=shape), mixed, observation, silent)
        for train in (vmapped.train, sequential.train)
    )
    assert_same(ours, theirs, signals=signals)


def test_what_the_vmapped_engine_cannot_do_it_refuses():
    dropout = nn.Sequential(nn.Linear(6, 5), nn.Dropout(0.5), nn.Linear(5, 3))
    assert "dropout" in (vmapped.unsupported(dropout, recipe()) or "")
    assert "logits" in (vmapped.unsupported(nn.Linear(6, 3), recipe(), ("gradient_norm",)) or "")
    assert vmapped.unsupported(nn.Linear(6, 3), recipe()) is None
    chosen = engines.choose(recipe(), nn.Linear(6, 3), 8, torch.device("cpu"), "vmapped")
    assert chosen.engine == "vmapped"


def test_the_comparison_of_engines_can_fail():
    ours = stacked.train(recipe(), material(), job(), OBSERVE, silent)
    other = sequential.train(recipe(optimizer=SGD(lr=0.051)), material(), job(), OBSERVE, silent)
    with pytest.raises(AssertionError):
        assert_same(ours, other)


def test_a_binary_model_with_one_logit_is_trained_alike():
    def run(train):
        r = recipe(model=ModelSpec(f"{__name__}:one_logit"))
        return train(r, material(classes=2), job(), OBSERVE, silent)

    assert_same(run(stacked.train), run(sequential.train))


def one_logit(shape, num_classes):
    return nn.Sequential(nn.Linear(shape[0], 5), nn.Tanh(), nn.Linear(5, 1))


@every_engine
def test_models_do_not_depend_on_their_company(train):
    whole = train(recipe(), material(), job(), observed(train), silent)
    for k in range(3):
        members, model = job().members[k], job().models[k]
        alone = train(recipe(), material(), Job((model,), (members,), 7), observed(train), silent)
        assert_same(alone, [whole[k]], atol=1e-6, signals=("scaled_logit", "correct"))


@every_engine
def test_equal_seeds_repeat_bit_for_bit_and_others_differ(train):
    def scaled_logits(seed):
        company = Job(job().models, job().members, seed)
        trained = train(recipe(), material(), company, observed(train), silent)
        return np.stack([one.signals["scaled_logit"] for one in trained])

    assert (scaled_logits(7) == scaled_logits(7)).all()
    assert (scaled_logits(7) != scaled_logits(8)).any()


@every_engine
def test_training_leaves_the_callers_random_state_alone(train):
    torch.manual_seed(3)
    before = torch.get_rng_state()
    train(noisy(train), material(), job(), observed(train), silent)
    assert torch.equal(before, torch.get_rng_state())


@every_engine
def test_members_are_learned_and_checkpoints_are_in_time_order(train):
    generator = np.random.default_rng(2)
    inputs = generator.normal(size=(60, 20)).astype(np.float32)
    data = Dataset(inputs, generator.integers(0, 3, 60), 3, "noise")
    r = recipe(epochs=60, model=ModelSpec("mlp-64"))
    observation = Observation(checkpoints=(0, 60))
    members = np.arange(30)
    toy = Material.of(data, torch.device("cpu"))
    (trained,) = train(r, toy, Job((0,), (members,), 0), observation, silent)
    correct = trained.signals["correct"][:, :, 0]
    assert correct[1, :30].mean() == 1.0
    assert correct[0, :30].mean() < 0.7
    assert correct[1, 30:].mean() < 0.7


@every_engine
def test_observing_more_often_changes_no_model(train):
    rare = train(noisy(train), material(), job(), Observation(checkpoints=(3,)), silent)
    often = train(noisy(train), material(), job(), observed(train), silent)
    for a, b in zip(rare, often, strict=True):
        assert all(torch.equal(a.weights[name], b.weights[name]) for name in a.weights)


def test_measuring_leaves_batch_norm_dropout_and_mode_alone():
    module = nn.Sequential(nn.Flatten(), nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Dropout(0.5), nn.Linear(5, 3))
    module.train()
    before = {k: v.clone() for k, v in module.state_dict().items()}
    one, two = (sequential.observe(module, material(), OBSERVE) for _ in range(2))
    assert module.training
    assert all(torch.equal(v, before[k]) for k, v in module.state_dict().items())
    assert all((one[0][name] == two[0][name]).all() for name in SIGNALS)


@pytest.mark.parametrize("model", ["convnet", "resnet18"])
def test_convolutional_models_with_batch_norm_train_with_augmentation_and_queries(model):
    r = recipe(model=ModelSpec(model), epochs=1, augmentation=HorizontalFlip(), batch_size=5)
    observation = Observation(checkpoints=(0, 1), queries=(Identity(), Mirror()), signals=SIGNALS)
    members = (np.arange(11),)
    (trained,) = sequential.train(r, material(20, (3, 8, 8)), Job((0,), members, 0), observation, silent)
    assert trained.signals["scaled_logit"].shape == (2, 20, 2)
    assert (trained.signals["scaled_logit"][..., 0] != trained.signals["scaled_logit"][..., 1]).any()


def test_repeating_the_identity_query_repeats_the_signal():
    observation = Observation(checkpoints=(3,), queries=(Identity(), Identity()))
    for train in (stacked.train, sequential.train):
        values = train(recipe(), material(), job(), observation, silent)[0].signals["scaled_logit"]
        assert (values[..., 0] == values[..., 1]).all()


@pytest.mark.parametrize("optimizer", [SGD(), SAM(rho=0.1)], ids=["sgd", "sam"])
def test_bfloat16_training_stays_near_float32(optimizer):
    for train in (stacked.train, sequential.train):
        exact = train(recipe(optimizer=optimizer), material(), job(), OBSERVE, silent)
        rough = train(recipe(optimizer=optimizer, precision="bf16"), material(), job(), OBSERVE, silent)
        gap = exact[0].signals["scaled_logit"] - rough[0].signals["scaled_logit"]
        assert 0 < np.abs(gap).max() < 0.2
        assert rough[0].signals["scaled_logit"].dtype == np.float32


def choice(model, **options):
    r = recipe(model=ModelSpec(model), **options)
    module = build(r.model, (3, 8, 8), 3)
    return engines.choose(r, module, 64, torch.device("cpu"))


def test_engines_are_chosen_by_architecture_and_say_why():
    assert choice("mlp-9").engine == "stacked"
    assert choice("mlp-9").group == 16
    assert choice("mlp-500").group == 8
    assert choice("convnet").engine == "sequential"
    assert "nn.Sequential" in choice("resnet18").reason or "layer" in choice("resnet18").reason
    assert choice("mlp-9", augmentation=HorizontalFlip()).engine == "stacked"
    module = build(ModelSpec("convnet"), (3, 8, 8), 3)
    with pytest.raises(InputError, match="cannot train this model"):
        engines.choose(recipe(), module, 64, torch.device("cpu"), "stacked")


@pytest.mark.parametrize(
    "module",
    [
        nn.Sequential(nn.ReLU(), nn.Linear(6, 3)),
        nn.Sequential(nn.Linear(6, 3), nn.ReLU()),
        nn.Sequential(nn.Linear(6, 3), nn.Dropout(), nn.ReLU(), nn.Linear(3, 3)),
        nn.Sequential(nn.Linear(6, 3, bias=False)),
        nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4), nn.Linear(4, 3)),
        nn.Linear(6, 3),
    ],
)
def test_what_the_stacked_engine_cannot_train_it_refuses(module):
    assert stacked.unsupported(module, recipe()) is not None


def test_the_callers_arithmetic_comes_back():
    before = torch.get_num_threads(), torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    with arithmetic.restored():
        arithmetic.configure(threads=before[0] + 1)
        assert torch.get_num_threads() == before[0] + 1
    assert before == (
        torch.get_num_threads(),
        torch.get_float32_matmul_precision(),
        torch.backends.cudnn.allow_tf32,
    )
