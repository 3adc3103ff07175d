"""Routed training agrees between engines, and differentiates no more than it must."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from vestige.core.errors import InputError
from vestige.data.dataset import Dataset
from vestige.models.catalog import ModelSpec, build
from vestige.signals.measure import Observation
from vestige.training import engines, sequential, stacked
from vestige.training.engine import Job, Material
from vestige.training.losses import CrossEntropy, RelaxLoss
from vestige.training.objective import Objective
from vestige.training.optimizers import SGD, Adam
from vestige.training.recipe import Recipe
from vestige.training.routing import Protected, Routing

SIGNALS = ("scaled_logit", "entropy")
OBSERVE = Observation(checkpoints=(0, 2, 3), signals=SIGNALS)
both_engines = pytest.mark.parametrize(
    "train", [sequential.train, stacked.train], ids=["sequential", "stacked"]
)


def material(shape=(6,), classes=3, samples=70):
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(samples, *shape)).astype(np.float32)
    return Material.of(Dataset(inputs, np.arange(samples) % classes, classes, "toy"), torch.device("cpu"))


def job(samples=70, sizes=(33, 40, 17)):
    generator = np.random.default_rng(1)
    return Job((4, 5, 6), tuple(np.sort(generator.permutation(samples)[:n]) for n in sizes), 7)


SMOOTH = CrossEntropy(label_smoothing=0.3)


def routed(*words, loss=SMOOTH, strength=1.0, partition=(), **changes):
    protected = Protected(words=words, partition=partition)
    fields = {"model": ModelSpec("mlp-9-8-7"), "epochs": 3, "batch_size": 8}
    routing = Routing(protected=protected, loss=loss, strength=strength)
    return Recipe(**{**fields, "routing": routing, **changes})


def silent(_):
    return None


def trained(train, recipe, **given):
    return train(recipe, material(**given), job(), OBSERVE, silent)


def assert_close(ours, theirs, atol=2e-5):
    for one, other in zip(ours, theirs, strict=True):
        for name in one.weights:
            torch.testing.assert_close(
                one.weights[name], other.weights[name], atol=atol, rtol=1e-4, check_stride=False
            )
        for name in SIGNALS:
            np.testing.assert_allclose(one.signals[name], other.signals[name], atol=10 * atol, rtol=1e-3)


class Watched(nn.Module):
    """Identity that counts the gradients that pass it."""

    def __init__(self):
        super().__init__()
        self.passes = 0

    def forward(self, x):
        y = x.clone()
        if y.requires_grad:
            y.register_hook(self.count)
        return y

    def count(self, _gradient):
        self.passes += 1


def test_the_second_gradient_goes_down_only_as_far_as_a_protected_layer_lies():
    watched = [Watched(), Watched(), Watched()]
    module = nn.Sequential(
        nn.Linear(6, 5), watched[0], nn.Linear(5, 5), watched[1], nn.Linear(5, 3), watched[2]
    )
    known, recipe = material(), routed("back")  # of three regions the last
    objective = Objective.of(recipe, module, known.inputs[:2])
    objective.differentiate(module(known.inputs), known.targets, 0)
    assert [one.passes for one in watched] == [1, 1, 2]


def test_one_forward_pass_a_step_moves_batch_statistics_once():
    model = ModelSpec("convnet-1", (("batch_norm", True), ("width", 4)))
    recipe = routed("head", model=model, epochs=1)
    ours, plain = (
        trained(sequential.train, one, shape=(3, 8, 8)) for one in (recipe, replace(recipe, routing=None))
    )
    counts = [[one.weights["1.num_batches_tracked"].item() for one in found] for found in (ours, plain)]
    assert counts[0] == counts[1]
    assert min(counts[0]) > 0


BACK = routed("back")
RECIPES = {
    "back": BACK,
    "front": routed("front"),
    "apart": routed("layer1", "layer3"),
    "confidence penalty": routed("back", loss=CrossEntropy(confidence_penalty=0.4)),
    "relax_loss": routed("back", loss=RelaxLoss(level=0.9)),
    "half strength": routed("back", strength=0.5),
    "all at half strength": routed("all", strength=0.5),
    "one batch": routed("back", batch_size=100),
    "weight decay": routed("front", optimizer=SGD(lr=0.1, weight_decay=0.01)),
    "a rate of its own": replace(BACK, routing=replace(BACK.routing, rate=0.3)),
    "a rate and weight decay": replace(
        BACK, routing=replace(BACK.routing, rate=2), optimizer=SGD(lr=0.1, weight_decay=0.01)
    ),
    "a rate in adamw": replace(
        BACK,
        routing=replace(BACK.routing, rate=0.3),
        optimizer=Adam(lr=3e-3, weight_decay=0.1, decoupled=True),
    ),
    "a rate everywhere": replace(
        BACK, routing=Routing(protected=Protected(words=("all",)), loss=SMOOTH, rate=0.5)
    ),
    "from an epoch on": replace(BACK, routing=replace(BACK.routing, first_epoch=1)),
    "given regions": routed("late", partition=(("early", ("1", "3")), ("late", ("5", "7")))),
}


@pytest.mark.parametrize("name", RECIPES)
def test_stacked_models_equal_sequential_ones(name):
    recipe = RECIPES[name]
    known = material()
    assert stacked.unsupported(build(recipe.model, known.shape, known.num_classes), recipe) is None
    assert_close(trained(stacked.train, recipe), trained(sequential.train, recipe))


def one_logit(shape, num_classes):
    return nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 1))


def test_a_binary_model_with_one_logit_is_routed_alike():
    recipe = routed("back", strength=0.5, model=ModelSpec(f"{__name__}:one_logit"))
    assert_close(trained(stacked.train, recipe, classes=2), trained(sequential.train, recipe, classes=2))


def test_reduced_precision_stays_near():
    reduced, full = (trained(stacked.train, routed("back", precision=p)) for p in ("bf16", "float32"))
    for one, other in zip(reduced, full, strict=True):
        for name in one.weights:
            torch.testing.assert_close(one.weights[name], other.weights[name], atol=0.05, rtol=0.05)


def test_the_comparison_of_engines_can_fail():
    with pytest.raises(AssertionError):
        assert_close(trained(stacked.train, routed("back")), trained(sequential.train, routed("front")))


@both_engines
def test_models_do_not_depend_on_their_company(train):
    ours = train(routed("back"), material(), job(), OBSERVE, silent)[1]
    assert_close([ours], train(routed("back"), material(), job().at([1]), OBSERVE, silent))


def test_the_vmapped_engine_refuses_regions():
    module = build(ModelSpec("mlp-9-8-7"), (6,), 3)
    with pytest.raises(InputError, match="engine='vmapped' cannot train this model: its regions"):
        engines.choose(routed("back"), module, 8, torch.device("cpu"), "vmapped")


@both_engines
def test_a_rate_of_its_own_is_the_recipes_learning_rate_for_protected_regions_alone(train):
    given = {"optimizer": SGD(lr=0.05, momentum=0.0), "epochs": 1, "batch_size": 100}
    start = train(routed("back", **{**given, "optimizer": SGD(lr=1e-30)}), material(), job(), OBSERVE, silent)
    one, half = (
        train(replace(r, routing=replace(r.routing, rate=rate)), material(), job(), OBSERVE, silent)
        for r in [routed("back", **given)]
        for rate in (1, 0.5)
    )
    for before, whole, slow in zip(start, one, half, strict=True):
        for name, value in before.weights.items():
            factor = 0.5 if name.startswith(("5.", "7.")) else 1.0
            torch.testing.assert_close(
                slow.weights[name] - value, factor * (whole.weights[name] - value), atol=1e-7, rtol=1e-4
            )


@both_engines
def test_until_the_defense_begins_training_is_that_without_it(train):
    late = replace(BACK, routing=replace(BACK.routing, first_epoch=2))
    ours, plain = (
        train(one, material(), job(), OBSERVE, silent) for one in (late, replace(BACK, routing=None))
    )
    for one, other in zip(ours, plain, strict=True):
        for name in SIGNALS:
            assert np.array_equal(one.signals[name][1], other.signals[name][1])  # after epoch 2
            assert not np.array_equal(one.signals[name][2], other.signals[name][2])
