"""SAM in every engine, against its definition written out with autograd."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from vestige.core.errors import InputError
from vestige.core.record import content_hash
from vestige.data.dataset import Dataset
from vestige.models.catalog import ModelSpec
from vestige.signals.measure import Observation
from vestige.training import batches, engines, sequential, stacked, vmapped
from vestige.training.engine import Job, Material, initialized
from vestige.training.optimizers import SAM, SGD, Adam, by_name
from vestige.training.recipe import Recipe
from vestige.training.sharpness import climb, uphill

OBSERVE = Observation(checkpoints=(0, 2))
SAMPLES, SEED = 24, 5


def material():
    generator = np.random.default_rng(3)
    inputs = generator.normal(size=(SAMPLES, 4)).astype(np.float32)
    return Material.of(Dataset(inputs, np.arange(SAMPLES) % 3, 3, "toy"), torch.device("cpu"))


def recipe(optimizer, model="mlp-5-relu", **changes):
    return Recipe(model=ModelSpec(model), optimizer=optimizer, epochs=2, batch_size=5, **changes)


def job(models=(0, 1), sizes=(13, 9)):
    generator = np.random.default_rng(4)
    return Job(models, tuple(np.sort(generator.permutation(SAMPLES)[:n]) for n in sizes), SEED)


def silent(_):
    return None


every_engine = pytest.mark.parametrize("train", engines.ENGINES.values(), ids=engines.ENGINES)


def twin(rho, lr, momentum, decay, model, members):
    """The definition: every parameter by hand, the norm over all of them together, no in-place step."""
    data = material()
    module = initialized(recipe(SGD()), data, SEED, model)
    velocity = [torch.zeros_like(p) for p in module.parameters()]

    def gradient(inputs, targets):
        loss = nn.functional.cross_entropy(module(inputs), targets)
        return torch.autograd.grad(loss, list(module.parameters()))

    for epoch in range(2):
        order = batches.order(SEED, model, epoch, members)
        for start, stop in batches.bounds(len(order), 5):
            inputs, targets = data.inputs[order[start:stop]], data.targets[order[start:stop]]
            here = [p.detach().clone() for p in module.parameters()]
            first = gradient(inputs, targets)
            length = sum(float((g**2).sum()) for g in first) ** 0.5
            with torch.no_grad():
                for p, w, g in zip(module.parameters(), here, first, strict=True):
                    p.copy_(w + rho * g / length)
            second = gradient(inputs, targets)
            with torch.no_grad():
                for i, (p, w, g) in enumerate(zip(module.parameters(), here, second, strict=True)):
                    velocity[i] = momentum * velocity[i] + g + decay * w
                    p.copy_(w - lr * velocity[i])
    return module.state_dict()


@every_engine
def test_sam_is_its_definition(train):
    rule = SAM(base=SGD(lr=0.1, momentum=0.8, weight_decay=0.02), rho=0.3)
    trained = train(recipe(rule), material(), job(), OBSERVE, silent)
    for one, members in zip(trained, job().members, strict=True):
        expected = twin(0.3, 0.1, 0.8, 0.02, one.model, members)
        for name, value in expected.items():
            torch.testing.assert_close(one.weights[name], value, atol=1e-5, rtol=1e-4, check_stride=False)


def test_the_comparison_with_the_definition_can_fail():
    (trained, _) = sequential.train(recipe(SAM(rho=0.3)), material(), job(), OBSERVE, silent)
    expected = twin(0.25, 0.05, 0.9, 0.0, 0, job().members[0])
    assert max(float((trained.weights[n] - v).abs().max()) for n, v in expected.items()) > 1e-4


@every_engine
@pytest.mark.parametrize("base", [SGD(lr=0.1), Adam(lr=0.01)], ids=["sgd", "adam"])
def test_without_a_climb_the_base_rule_remains(train, base):
    flat = train(recipe(SAM(base=base, rho=1e-12)), material(), job(), OBSERVE, silent)
    plain = train(recipe(base), material(), job(), OBSERVE, silent)
    for one, other in zip(flat, plain, strict=True):
        for name, value in other.weights.items():
            torch.testing.assert_close(one.weights[name], value, atol=1e-6, rtol=1e-5, check_stride=False)


def test_the_climb_has_length_rho_for_each_model():
    gradients = [torch.randn(3, 4, 2), torch.randn(3, 1, 5)]
    steps = climb(gradients, 0.7)
    lengths = sum(step.flatten(1).square().sum(1) for step in steps).sqrt()
    torch.testing.assert_close(lengths, torch.full((3,), 0.7))
    alone = climb([g[1:2] for g in gradients], 0.7)
    assert all(torch.allclose(a, s[1:2]) for a, s in zip(alone, steps, strict=True))


def test_a_gradient_of_zero_climbs_nowhere():
    steps = climb([torch.zeros(2, 3), torch.tensor([[0.0], [2.0]])], 0.5)
    assert torch.equal(steps[0], torch.zeros(2, 3))
    assert torch.equal(steps[1], torch.tensor([[0.0], [0.5]]))


def dead(shape, num_classes):
    """A model whose every gradient is 0: its units are dead and its outputs saturated at the label."""
    module = nn.Sequential(nn.Linear(shape[0], 3), nn.ReLU(), nn.Linear(3, 1))
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
        module[0].bias.fill_(-1.0)
        module[2].bias.fill_(-1e4)
    return module


@every_engine
def test_a_gradient_of_zero_gives_no_nan(train):
    inputs = np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32)
    data = Dataset(inputs, np.repeat([0, 1], [11, 1]), 2, "toy")
    toy = Material.of(data, torch.device("cpu"))
    company = Job((0,), (np.arange(9),), SEED)
    r = recipe(SAM(), f"{__name__}:dead")
    (trained,) = train(r, toy, company, OBSERVE, silent)
    assert float(trained.weights["2.bias"]) == -1e4
    assert all(bool(value.isfinite().all()) for value in trained.weights.values())


def test_weights_and_buffers_come_back_to_the_last_bit():
    module = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))
    inputs = torch.randn(6, 4)
    module(inputs).square().mean().backward()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    first = [p.grad.clone() for p in module.parameters()]
    with uphill(module, 0.5):
        moved = [float((p.detach() - before[n]).norm()) for n, p in module.named_parameters()]
        module(inputs).square().mean().backward()
    assert sum(length**2 for length in moved) == pytest.approx(0.25, rel=1e-4)
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert not all(torch.equal(p.grad, g) for p, g in zip(module.parameters(), first, strict=True))


def norm_net(shape, num_classes):
    return nn.Sequential(nn.Linear(shape[0], 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, num_classes))


@pytest.mark.parametrize("train", [sequential.train, vmapped.train], ids=["sequential", "vmapped"])
def test_batch_norm_counts_each_batch_once(train):
    (trained,) = train(recipe(SAM(), f"{__name__}:norm_net"), material(), job((0,), (13,)), OBSERVE, silent)
    steps = 2 * len(batches.bounds(13, 5))
    assert int(trained.weights["1.num_batches_tracked"]) == steps


def test_other_radii_give_other_models():
    one, other = (
        stacked.train(recipe(SAM(rho=rho)), material(), job(), OBSERVE, silent)[0].signals["scaled_logit"]
        for rho in (0.05, 0.2)
    )
    assert (one[0] == other[0]).all()
    assert (one[1] != other[1]).any()


def test_sam_by_name():
    assert by_name("sam") == SAM()
    assert by_name("sam", 0.1, 0.5, 0.01, 0.2) == SAM(
        base=SGD(lr=0.1, momentum=0.5, weight_decay=0.01), rho=0.2
    )
    assert SAM(base=Adam(lr=0.003)).lr == 0.003
    with pytest.raises(InputError, match=r"rho=0.1 is the radius of SAM.*optimizer='sgd'"):
        by_name("sgd", rho=0.1)
    with pytest.raises(InputError, match=r"rho=0.0 must be a finite number above 0"):
        SAM(rho=0.0)
    with pytest.raises(InputError, match="did you mean sam"):
        by_name("samm")


def test_recipes_keep_the_content_keys_that_they_had():
    assert content_hash(Recipe(model=ModelSpec("mlp-128-128"))) == "d6e88ab5019d7ad54891e05ffd114ff3818c34a3"
    adamw = Recipe(model=ModelSpec("mlp"), optimizer=Adam(decoupled=True))
    assert content_hash(adamw) == "d70fe275dfc40cc8c9b4d8621ec1a218a5bc6d6b"


def test_the_radius_is_part_of_the_content_key():
    keys = {content_hash(recipe(SAM(rho=rho))) for rho in (0.05, 0.1)}
    keys.add(content_hash(recipe(dataclasses.replace(SAM(), base=Adam()))))
    assert len(keys) == 3
