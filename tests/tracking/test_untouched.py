"""A run that is tracked is the same run, bit for bit."""

import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset
from training_loops import half, network, rows, seeded, train

from vestige.core.errors import InputError
from vestige.tracking.tracker import Tracker
from vestige.tracking.untouched import untouched

MEMBERS = half(1)


def state_of(model, optimizer):
    """Everything that a run's future depends on."""
    momentum = [value["momentum_buffer"] for value in optimizer.state_dict()["state"].values()]
    gradients = [parameter.grad for parameter in model.parameters()]
    return [*model.state_dict().values(), *momentum, *gradients, torch.get_rng_state()]


def chance():
    keys = np.random.get_state()  # noqa: NPY002
    return keys[1].tolist(), keys[2], random.getstate(), torch.get_rng_state().tolist()


def assert_equal(ours, theirs):
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert torch.equal(a, b)


def trained(record=lambda model, step: None):
    model = network()
    seeded()
    optimizer = train(model, MEMBERS, record)
    return state_of(model, optimizer), chance()


class Restless(Dataset):
    """A lazy data set that draws from every source of chance and uses none of it."""

    def __init__(self):
        self.inputs, self.labels = rows()

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        torch.rand(2), np.random.rand(3), random.random()  # noqa: NPY002
        return self.inputs[index], int(self.labels[index])


@pytest.mark.parametrize("source", ["arrays", "lazy", "loader with its own generator"])
def test_training_with_the_tracker_is_training_without_it(tmp_path, source):
    generator = torch.Generator().manual_seed(3)
    dataset = {
        "arrays": rows(),
        "lazy": Restless(),
        "loader with its own generator": DataLoader(Restless(), 32, generator=generator),
    }[source]
    before = generator.get_state()
    tracker = Tracker(dataset, members=MEMBERS, folder=tmp_path / "a", batch_size=40)
    tracked, tracked_chance = trained(tracker.record)
    plain, plain_chance = trained()
    assert_equal(tracked, plain)
    assert tracked_chance == plain_chance
    assert torch.equal(generator.get_state(), before)
    assert tracker.steps == (0, 1, 2, 3)


def test_an_ordinary_evaluation_would_have_changed_the_run():
    """The test above can fail: a pass in training mode moves batch norm and the random state."""

    def careless(model, step):
        model(torch.as_tensor(rows()[0]))

    assert not all(map(torch.equal, trained(careless)[0], trained()[0]))


def test_every_submodule_keeps_its_own_flag(tmp_path):
    model = network()
    model.train()
    model[1].eval()  # a frozen batch norm
    model[4][2].eval()
    flags = [module.training for module in model.modules()]
    statistics = model[4][1].running_mean.clone()
    seen = []
    model[4].register_forward_hook(lambda module, *_: seen.append([m.training for m in model.modules()]))
    Tracker(rows(), folder=tmp_path / "a").record(model, 0)
    assert seen
    assert not np.any(seen)
    assert [module.training for module in model.modules()] == flags
    assert torch.equal(model[4][1].running_mean, statistics)


class Counting(nn.Module):
    """A module with a buffer that every forward pass moves, and train() that must not be called."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(12, 3)
        self.register_buffer("passes", torch.zeros(()))

    def forward(self, inputs):
        self.passes += 1
        return self.inner(inputs)

    def train(self, mode=True):
        raise AssertionError("a measurement must not call train() or eval()")


def test_buffers_gradients_and_modes_come_back(tmp_path):
    model = Counting()
    model.inner.weight.grad = torch.ones(3, 12)
    with torch.autocast("cpu", torch.bfloat16):
        Tracker(rows(), folder=tmp_path / "a").record(model, 0)
        assert torch.is_autocast_enabled("cpu")
        assert model.inner(torch.ones(1, 12)).dtype == torch.bfloat16
    assert model.passes == 0
    assert torch.equal(model.inner.weight.grad, torch.ones(3, 12))
    assert torch.is_grad_enabled()


def test_signals_are_measured_in_float32_under_autocast(tmp_path):
    model = network()
    with torch.autocast("cpu", torch.bfloat16):
        inside = Tracker(rows(), folder=tmp_path / "a")
        inside.record(model, 0)
    outside = Tracker(rows(), folder=tmp_path / "b")
    outside.record(model, 0)
    np.testing.assert_array_equal(inside.run.row("scaled_logit", 0), outside.run.row("scaled_logit", 0))


def test_reduced_precision_is_off_meanwhile_and_back_afterwards():
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("medium")
    torch.backends.cudnn.allow_tf32 = True
    try:
        with untouched(nn.Linear(2, 2)):
            assert torch.backends.mkldnn.matmul.fp32_precision == "ieee"
            assert torch.backends.cudnn.conv.fp32_precision == "ieee"
        assert torch.get_float32_matmul_precision() == "medium"
        assert torch.backends.cudnn.allow_tf32
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.allow_tf32 = before[1]


def test_everything_comes_back_after_an_error(tmp_path):
    model = network()
    model.train()
    model[1].eval()

    def fails(model, batch):
        torch.rand(3), np.random.rand(3), random.random()  # noqa: NPY002
        raise InputError("no")

    tracker = Tracker(rows(), folder=tmp_path / "a", predict=fails)
    seeded()
    before, flags = chance(), [module.training for module in model.modules()]
    with pytest.raises(InputError, match="no"):
        tracker.record(model, 0)
    assert chance() == before
    assert [module.training for module in model.modules()] == flags
    assert torch.is_grad_enabled()
    assert not (tmp_path / "a").exists()


def test_what_a_model_keeps_of_a_pass_stays_usable(tmp_path):
    """What a model caches in a pass can be used in training afterwards: no inference tensors."""
    model = network()
    kept = []
    model.register_forward_hook(lambda module, inputs, output: kept.append(output))
    Tracker(rows(), folder=tmp_path / "a").record(model, 0)
    assert not kept[0].is_inference()
    assert not kept[0].requires_grad
