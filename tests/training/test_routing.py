"""Routed training against separate gradients and against its two ends; retraining beside a frozen rest."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from vestige.core.errors import InputError
from vestige.core.record import content_hash
from vestige.data.dataset import Dataset
from vestige.models.catalog import ModelSpec
from vestige.signals.measure import Observation
from vestige.training import engines, private, sequential, stacked
from vestige.training.engine import Job, Material, initialized
from vestige.training.losses import CrossEntropy, RelaxLoss
from vestige.training.objective import Objective
from vestige.training.optimizers import SAM, SGD, Adam
from vestige.training.privacy import DPSGD
from vestige.training.recipe import Conflict, Recipe
from vestige.training.retraining import begins_again, phase_of
from vestige.training.routing import Protected, Retraining, Routing
from vestige.training.schedules import Constant, Cosine

OBSERVE = Observation(checkpoints=(0, 2, 3))
SMOOTH = CrossEntropy(label_smoothing=0.3)
LOSSES = {
    "smoothing": SMOOTH,
    "penalty": CrossEntropy(confidence_penalty=0.4),
    "relaxed": RelaxLoss(level=2.0),
}
EVERY = ("layer1", "layer2", "head")


quietly = pytest.mark.filterwarnings("ignore:Full backward hook is firing")


def material(shape=(6,), samples=70):
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(samples, *shape)).astype(np.float32)
    return Material.of(Dataset(inputs, np.arange(samples) % 3, 3, "toy"), torch.device("cpu"))


JOB = Job((4, 5), tuple(np.sort(np.random.default_rng(n).permutation(70)[:33]) for n in range(2)), 7)


def recipe(**changes):
    return Recipe(**{"model": ModelSpec("mlp-9-8-relu"), "epochs": 3, "batch_size": 8, **changes})


def routed(words, loss=SMOOTH, strength=1.0, **changes):
    return recipe(routing=Routing(protected=Protected(words=words), loss=loss, strength=strength), **changes)


def trained(engine, r, shape=(6,)):
    return [one.weights for one in engine.train(r, material(shape), JOB, OBSERVE, lambda _: None)]


def identical(ours, theirs):
    return all(
        torch.equal(a[name], b[name])
        for a, b in zip(ours, theirs, strict=True)
        for name in a.keys() | b.keys()
    )


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("epoch", [0, 1])
@pytest.mark.parametrize("strength", [1.0, 0.3])
@pytest.mark.parametrize("words", [("head",), ("layer2", "head"), ("layer1",), ("layer1", "head")])
def test_each_region_has_the_gradient_of_its_own_loss(loss, epoch, strength, words):
    """The slow twin: two forward passes, two backward passes, and each parameter looks up its own."""
    r = routed(words, loss, strength)
    module = initialized(r, material(), 7, 4)
    inputs, targets = material().inputs[:8], material().targets[:8]

    def whole(of):
        return dict(
            zip(
                dict(module.named_parameters()),
                torch.autograd.grad(of(module(inputs)), list(module.parameters())),
                strict=True,
            )
        )

    plain = whole(lambda z: CrossEntropy()(z, targets).mean())
    defended = whole(
        lambda z: (
            strength * loss(z, targets, epoch).mean() + (1 - strength) * CrossEntropy()(z, targets).mean()
        )
    )
    Objective.of(r, module, inputs).differentiate(module(inputs), targets, epoch)
    layers = {"1": "layer1", "3": "layer2", "5": "head"}
    for name, parameter in module.named_parameters():
        expected = defended if layers[name.split(".")[0]] in words else plain
        assert torch.allclose(parameter.grad, expected[name], atol=1e-7), name
    assert any(not torch.allclose(plain[name], defended[name], atol=1e-3) for name in plain)


@pytest.mark.parametrize("engine", [sequential, stacked], ids=["sequential", "stacked"])
def test_all_regions_are_the_defense_and_none_is_no_defense_bit_for_bit(engine):
    assert identical(trained(engine, routed(EVERY)), trained(engine, recipe(loss=SMOOTH)))
    assert identical(trained(engine, routed(("none",))), trained(engine, recipe()))
    assert not identical(trained(engine, routed(("head",))), trained(engine, recipe(loss=SMOOTH)))


CHANGES = {
    "momentum": {},
    "adam": {"optimizer": Adam(lr=1e-3, weight_decay=1e-3)},
    "sam": {"optimizer": SAM(base=SGD(lr=0.1), rho=0.1)},
    "dropout": {"model": ModelSpec("mlp-9-8-relu", (("dropout", 0.2),))},
    "cosine": {"schedule": Cosine()},
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize(("words", "loss"), [(("back",), SMOOTH), (("layer2",), LOSSES["relaxed"])])
def test_the_stacked_engine_agrees(changes, words, loss):
    r = routed(words, loss, 0.6, **changes)
    for one, other in zip(trained(sequential, r), trained(stacked, r), strict=True):
        for name, value in one.items():
            assert torch.allclose(value, other[name], atol=2e-5), name


def test_a_region_that_parts_a_layer_is_left_to_the_sequential_engine():
    partition = (("a", ("1.weight", "3", "5")), ("b", ("1.bias",)))
    r = recipe(routing=Routing(protected=Protected(words=("b",), partition=partition), loss=SMOOTH))
    choice = engines.choose(r, initialized(r, material(), 7, 4), 2, torch.device("cpu"))
    assert choice.engine == "sequential"
    assert "bias" in choice.reason


def retrained(words=("head",), model="mlp-9-8-relu", options=()):
    again = Retraining(protected=Protected(words=words), loss=SMOOTH, epochs=2)
    return recipe(model=ModelSpec(model, options), epochs=5, schedule=Cosine(), retraining=again)


@pytest.mark.parametrize(
    ("model", "shape", "options"),
    [("mlp-9-8-relu", (6,), ()), ("convnet-2", (3, 8, 8), (("batch_norm", True), ("width", 4)))],
)
def test_retraining_leaves_the_rest_bit_for_bit(model, shape, options):
    """Weights and batch-norm statistics of the frozen part are those of the first phase alone."""
    r = retrained(("head",), model, options)
    first = recipe(model=r.model, epochs=3, schedule=Cosine())
    for again, once in zip(trained(sequential, r, shape), trained(sequential, first, shape), strict=True):
        moved = {name for name in again if not torch.equal(again[name], once[name])}
        assert {name.split(".")[0] for name in moved} == {
            max(again, key=lambda n: int(n.split(".")[0])).split(".")[0]
        }


def test_retraining_starts_from_the_initialization_with_the_schedule_anew():
    r = retrained(("back",))
    assert [phase_of(r, epoch) for epoch in range(5)] == [(0, 3), (1, 3), (2, 3), (0, 2), (1, 2)]
    assert [begins_again(r, epoch) for epoch in range(5)] == [False, False, False, True, False]
    assert [phase_of(recipe(), epoch) for epoch in range(3)] == [(0, 3), (1, 3), (2, 3)]
    still = recipe(
        epochs=4,
        optimizer=SGD(lr=1e-30),
        retraining=Retraining(protected=Protected(words=("head",)), loss=SMOOTH, epochs=1),
    )
    found = trained(sequential, still)[0]
    assert all(
        torch.equal(value, initialized(still, material(), 7, 4).state_dict()[name])
        for name, value in found.items()
    )


def test_private_regions_are_clipped_and_noisy_and_the_rest_is_plain():
    """Without noise, a bound on the norm, or momentum both parts take the plain mean gradient."""
    fields = {
        "privacy": DPSGD(delta=1e-3, noise=1e-9, clip=1e3),
        "optimizer": SGD(lr=0.1, momentum=0.0),
        "routing": Routing(protected=Protected(words=("head",)), loss=None),
    }
    r = recipe(**fields)
    whole = trained(private, recipe(**{**fields, "routing": None}))
    for ours, theirs in zip(trained(private, r), whole, strict=True):
        for name, value in ours.items():
            assert torch.allclose(value, theirs[name], atol=1e-5), name


@quietly
def test_noise_and_clipping_reach_protected_regions_only():
    learner = private.Learner(
        recipe(
            privacy=DPSGD(delta=1e-3, noise=50.0, clip=1e-6),
            optimizer=SGD(lr=1.0, momentum=0.0),
            routing=Routing(protected=Protected(words=("head",)), loss=None),
        ),
        material(),
        JOB,
        0,
    )
    before = {name: value.clone() for name, value in learner.module.state_dict().items()}
    chosen = torch.arange(12)
    twin = initialized(learner.recipe, material(), 7, 4)
    logits = twin(material().inputs[chosen])
    loss = nn.functional.cross_entropy(logits, material().targets[chosen], reduction="sum")
    gradients = dict(zip(before, torch.autograd.grad(loss, list(twin.parameters())), strict=True))
    learner.step(chosen, material().targets[chosen])
    for name, value in learner.module.state_dict().items():
        moved = before[name] - value
        plain = gradients[name] / learner.sampling.expected
        if name.startswith("5."):
            assert moved.abs().max() < 1e-3  # noise of 50 x 1e-6, where the plain step is far larger
        else:
            assert torch.allclose(moved, plain, atol=1e-6), name


@quietly
def test_a_step_without_samples_moves_the_rest_by_nothing():
    learner = private.Learner(
        recipe(
            privacy=DPSGD(delta=1e-3, noise=1.0),
            optimizer=SGD(lr=1.0, momentum=0.0),
            routing=Routing(protected=Protected(words=("head",)), loss=None),
        ),
        material(),
        JOB,
        0,
    )
    before = {name: value.clone() for name, value in learner.module.state_dict().items()}
    learner.step(torch.arange(0), torch.arange(0))
    moved = {
        name for name, value in learner.module.state_dict().items() if not torch.equal(value, before[name])
    }
    assert moved == {"5.weight", "5.bias"}


def test_a_recipe_without_regions_keeps_its_hash():
    assert content_hash(recipe()) == content_hash(recipe(routing=None, retraining=None))
    assert content_hash(recipe()) != content_hash(routed(("head",)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": CrossEntropy(confidence_penalty=0.1)}, "put that defense into pptp"),
        ({"privacy": DPSGD(delta=1e-3, noise=1.0)}, "put dp_sgd into pptp"),
        (
            {"retraining": Retraining(protected=Protected(words=("head",)), loss=SMOOTH, epochs=1)},
            "pptp is given beside pptp in two phases",
        ),
    ],
)
def test_what_cannot_go_together(changes, message):
    routing = Routing(protected=Protected(words=("head",)), loss=SMOOTH)
    with pytest.raises(Conflict, match=message):
        recipe(routing=routing, **changes)


def test_regions_that_are_not_chosen_yet():
    r = routed(("auto",))
    with pytest.raises(InputError, match="protect='auto' is chosen by `vestige compare`"):
        Objective.of(r, initialized(r, material(), 7, 4), material().inputs[:2])
    with pytest.raises(InputError, match="auto stands alone"):
        Protected(words=("auto", "head"))
    with pytest.raises(Conflict, match="neither"):
        recipe(routing=Routing(protected=Protected(words=("head",)), loss=None))
    with pytest.raises(Conflict, match="retrains for 3 epochs"):
        recipe(retraining=Retraining(protected=Protected(words=("head",)), loss=SMOOTH, epochs=3))


class FirstPhaseOnly(Constant):
    """The second of two phases, which is shorter, moves nothing."""

    def __call__(self, epoch, epochs):
        return 1.0 if epochs == 3 else 0.0


def test_what_is_retrained_starts_from_its_initialization():
    """With a second phase that does not move, the head is as initialized and the rest as first trained."""
    r = replace(retrained(("head",)), schedule=FirstPhaseOnly())
    first = recipe(epochs=3, schedule=FirstPhaseOnly())
    pairs = zip(trained(sequential, r), trained(sequential, first), JOB.models, strict=True)
    for again, once, model in pairs:
        initial = initialized(r, material(), JOB.seed, model).state_dict()
        for name, value in again.items():
            assert not torch.equal(once[name], initial[name])
            assert torch.equal(value, initial[name] if name.startswith("5.") else once[name])


@pytest.mark.parametrize("words", [("none",), ("layer1",)])
def test_private_training_without_a_protected_parameter_says_so(words):
    r = recipe(
        privacy=DPSGD(delta=1e-3, noise=1.0), routing=Routing(protected=Protected(words=words), loss=None)
    )
    module = initialized(r, material(), 7, 4)
    module[1].requires_grad_(False)
    with pytest.raises(InputError, match="no protected parameter learns"):
        private._parted(r, module, material().inputs[:2])
    with pytest.raises(InputError, match="protects no parameter that learns"):
        r.routing.protected.require(module, material().inputs[:2])


def test_a_grain_is_of_inferred_regions():
    with pytest.raises(InputError, match="grain=block is of inferred regions"):
        Protected(words=("a",), partition=(("a", ("1",)),), grain="block")
