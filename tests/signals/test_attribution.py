import builtins
import sys

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from vestige.core.errors import InputError
from vestige.models.catalog import ModelSpec, build
from vestige.signals.attribution import grad_cam, gradient_times_input, integrated_gradients
from vestige.signals.convolutions import last_convolution

CATALOG = [
    ("convnet", (3, 16, 16), (), "6"),
    ("resnet18", (1, 8, 8), (), "10.residual.3"),
    ("densenet", (3, 8, 8), (("depth", 10),), "5.new_channels.5"),
    ("wrn28-2", (3, 8, 8), (), "12.residual.4"),
    ("vgg16", (3, 32, 32), (), "40"),
]


def built(name, shape, options=(), samples=6, classes=4):
    torch.manual_seed(0)
    module = build(ModelSpec(name, options), shape, classes)
    # statistics other than 0 and 1 show whether batch normalization is looked at in evaluation mode
    with torch.no_grad():
        module.train()(torch.randn(16, *shape))
    return module, torch.randn(samples, *shape), torch.arange(samples) % classes


def slow_grad_cam(module, inputs, targets, layer):
    """Grad-CAM sample by sample, from the layer's activations and their gradient."""
    module.eval()
    part, kept = module.get_submodule(layer), []

    def keep(_layer, _inputs, output):
        kept.append(output.clone().requires_grad_())
        return kept[-1].clone()

    hook, maps = part.register_forward_hook(keep), []
    for some, target in zip(inputs, targets, strict=True):
        kept.clear()
        logit = module(some[None])[0, target]
        (slope,) = torch.autograd.grad(logit, kept[-1])
        weights = [slope[0, k].mean() for k in range(slope.shape[1])]
        total = sum(w * a for w, a in zip(weights, kept[-1][0], strict=True))
        maps.append(functional.relu(total).detach().numpy())
    hook.remove()
    return np.stack(maps)


@pytest.mark.parametrize(("name", "shape", "options", "layer"), CATALOG)
def test_grad_cam_equals_its_definition(name, shape, options, layer):
    module, inputs, targets = built(name, shape, options)
    assert last_convolution(module, inputs) == layer
    found = grad_cam(module.train(), inputs, targets, batch=4)
    expected = slow_grad_cam(module, inputs, targets, layer)
    assert found.dtype == np.float32
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-5 * max(1, np.abs(expected).max())
    assert found.min() >= 0
    assert (found.max((1, 2)) > 0).any()


def test_the_last_convolution_is_the_last_to_run():
    class Crossed(nn.Module):
        def __init__(self):
            super().__init__()
            self.late = nn.Conv2d(2, 2, 3)
            self.early = nn.Conv2d(1, 2, 3)
            self.unused = nn.Conv2d(1, 1, 1)
            self.head = nn.Linear(2, 2)

        def forward(self, inputs):
            return self.head(self.late(self.early(inputs)).mean((2, 3)))

    module = Crossed().train()
    assert last_convolution(module, torch.ones(3, 1, 8, 8)) == "late"
    assert module.training
    assert not module.late._forward_hooks
    assert last_convolution(nn.Linear(2, 2), torch.ones(3, 2)) is None
    with pytest.raises(InputError, match="'unused' does not run"):
        grad_cam(module, torch.ones(3, 1, 8, 8), torch.zeros(3), layer="unused")


def test_attention_falls_on_the_pixels_that_the_logit_reads():
    module = nn.Sequential(nn.Conv2d(1, 1, 1, bias=False), nn.Flatten(), nn.Linear(16, 2, bias=False))
    with torch.no_grad():
        module[0].weight.fill_(1.0)
        module[2].weight[0].zero_()
        module[2].weight[1] = 1.0
    inputs = torch.zeros(1, 1, 4, 4)
    inputs[0, 0, 0, 3] = 2.0
    found = grad_cam(module, inputs, torch.tensor([1]))
    assert found[0, 0, 3] == pytest.approx(2.0)
    assert found.sum() == pytest.approx(2.0)
    assert grad_cam(module, inputs, torch.tensor([0])).sum() == 0


@pytest.mark.parametrize("inplace", [False, True])
def test_layers_that_write_in_place_and_frozen_weights_change_nothing(inplace):
    torch.manual_seed(3)
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3),
        nn.ReLU(inplace),
        nn.Conv2d(4, 5, 3),
        nn.ReLU(inplace),
        nn.Flatten(),
        nn.Linear(80, 3),
    )
    inputs, targets = torch.randn(5, 3, 8, 8), torch.tensor([0, 1, 2, 0, 1])
    plain = nn.Sequential(*[nn.ReLU() if isinstance(part, nn.ReLU) else part for part in module])
    expected = slow_grad_cam(plain, inputs, targets, "2")
    module.requires_grad_(False)
    before = inputs.clone()
    found = grad_cam(module, inputs.to(memory_format=torch.channels_last), targets)
    assert np.allclose(found, expected, atol=1e-5)
    assert torch.equal(inputs, before)
    assert not inputs.requires_grad
    assert np.allclose(
        integrated_gradients(module, inputs.to(memory_format=torch.channels_last), targets).values,
        integrated_gradients(plain, inputs, targets).values,
        atol=1e-5,
    )


def test_a_single_logit_speaks_for_label_one_and_against_label_zero():
    torch.manual_seed(4)
    single = nn.Sequential(nn.Conv2d(1, 3, 3), nn.Flatten(), nn.Linear(48, 1))
    pair = nn.Sequential(single[0], nn.Flatten(), nn.Linear(48, 2))
    flat = nn.Sequential(single, nn.Flatten(0))
    with torch.no_grad():
        pair[2].weight.copy_(torch.cat([-single[2].weight, single[2].weight]))
        pair[2].bias.copy_(torch.cat([-single[2].bias, single[2].bias]))
    inputs, targets = torch.randn(4, 1, 6, 6), torch.tensor([0, 1, 0, 1])
    for module in (single, flat):
        assert np.allclose(grad_cam(module, inputs, targets), grad_cam(pair, inputs, targets), atol=1e-6)
        found = gradient_times_input(module, inputs, targets)
        assert np.allclose(found, gradient_times_input(pair, inputs, targets), atol=1e-6)
        assert np.abs(found[0]).max() > 0


def test_integrated_gradients_of_a_linear_model_are_exact():
    torch.manual_seed(5)
    module, inputs = nn.Linear(6, 3), torch.randn(8, 6)
    targets, baseline = torch.arange(8) % 3, torch.randn(6)
    expected = (module.weight[targets] * (inputs - baseline)).detach().numpy()
    found = integrated_gradients(module, inputs, targets, baseline=baseline, steps=3)
    assert np.allclose(found.values, expected, atol=1e-5)
    assert np.allclose(found.deltas, 0, atol=1e-5)
    assert found.notes == ()
    products = (module.weight[targets] * inputs).detach().numpy()
    assert np.allclose(integrated_gradients(module, inputs, targets).values, products, atol=1e-5)
    assert np.allclose(gradient_times_input(module, inputs, targets), products, atol=1e-6)


def test_integrated_gradients_of_a_curved_model_follow_the_path():
    class Squares(nn.Module):
        def forward(self, inputs):
            return torch.stack([inputs.square().sum(1), inputs.prod(1)], 1)

    inputs = torch.tensor([[1.0, 2.0], [3.0, -1.0]])
    squares = integrated_gradients(Squares(), inputs, torch.tensor([0, 0]))
    assert np.allclose(squares.values, inputs.square(), atol=1e-5)
    product = integrated_gradients(Squares(), inputs, torch.tensor([1, 1]))
    assert np.allclose(product.values, np.array([[1.0, 1.0], [-1.5, -1.5]]), atol=1e-5)


def test_the_values_sum_to_the_change_of_the_logit():
    module, inputs, targets = built("convnet", (3, 16, 16))
    found = integrated_gradients(module.train(), inputs, targets, batch=100)
    with torch.no_grad():
        module.eval()
        change = module(inputs)[torch.arange(6), targets] - module(torch.zeros(1, 3, 16, 16))[0, targets]
    sums = found.values.reshape(6, -1).sum(1)
    assert found.values.shape == inputs.shape
    assert np.abs(sums - change.numpy()).max() < 0.02 * np.abs(found.values).reshape(6, -1).sum(1).min()
    assert np.allclose(found.deltas, sums - change.numpy(), atol=1e-4)


def test_too_few_steps_are_noted():
    module = nn.Sequential(nn.Linear(4, 8), nn.Softplus(beta=20), nn.Linear(8, 2))
    inputs = 5 * torch.randn(20, 4, generator=torch.Generator().manual_seed(0))
    few = integrated_gradients(module, inputs, torch.zeros(20), steps=1)
    assert "miss the change of the logit" in few.notes[0]
    assert "steps" in few.notes[0]
    many = integrated_gradients(module, inputs, torch.zeros(20), steps=200)
    assert many.notes == ()
    assert np.abs(many.deltas).max() < np.abs(few.deltas).max()


@pytest.mark.parametrize("attribute", [grad_cam, integrated_gradients, gradient_times_input])
def test_looking_leaves_the_model_as_it_was(attribute):
    module, inputs, targets = built("densenet", (3, 8, 8), (("depth", 10), ("dropout", 0.5)))
    module.train()
    module[1].eval()
    module[0].weight.requires_grad_(False)
    learning = [p.requires_grad for p in module.parameters()]
    modes = [part.training for part in module.modules()]
    before = {name: value.clone() for name, value in module.state_dict().items()}
    state = torch.random.get_rng_state()
    first, second = (attribute(module, inputs, targets) for _ in range(2))
    if attribute is integrated_gradients:
        first, second = first.values, second.values
    assert np.array_equal(first, second)
    assert [part.training for part in module.modules()] == modes
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    assert torch.equal(state, torch.random.get_rng_state())
    assert all(p.grad is None for p in module.parameters())
    assert [p.requires_grad for p in module.parameters()] == learning
    assert not any(p._forward_hooks or p._forward_pre_hooks or p._backward_hooks for p in module.modules())


def test_grad_cam_is_refused_where_there_are_no_maps():
    flat, row = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)), torch.ones(2, 4)
    with pytest.raises(InputError, match="no convolution: use integrated_gradients"):
        grad_cam(flat, row, torch.zeros(2))
    module, inputs, targets = built("convnet", (3, 16, 16))
    with pytest.raises(InputError, match=r"is a Linear and gives no maps.*such as '6'"):
        grad_cam(module, inputs, targets, layer="10")
    with pytest.raises(InputError, match="layer='66' is not known"):
        grad_cam(module, inputs, targets, layer="66")


def test_bad_input_is_named():
    module, inputs = nn.Linear(4, 3), torch.ones(2, 4)
    with pytest.raises(InputError, match=r"classes 0 to 2"):
        gradient_times_input(module, inputs, torch.tensor([0, 3]))
    with pytest.raises(InputError, match="one label per row"):
        gradient_times_input(module, inputs, torch.tensor([0]))
    with pytest.raises(InputError, match=r"torch\.int64"):
        integrated_gradients(module, inputs.long(), torch.tensor([0, 1]))
    with pytest.raises(InputError, match="baseline has shape"):
        integrated_gradients(module, inputs, torch.tensor([0, 1]), baseline=torch.zeros(2, 4))
    with pytest.raises(InputError, match="steps=0"):
        integrated_gradients(module, inputs, torch.tensor([0, 1]), steps=0)


def test_without_captum_the_extra_is_named(monkeypatch):
    module, inputs, targets = built("convnet", (3, 16, 16))
    for name in [name for name in sys.modules if name.split(".")[0] == "captum"]:
        monkeypatch.delitem(sys.modules, name)
    really = builtins.__import__

    def lacking(name, *rest, **more):
        if name.split(".")[0] == "captum":
            raise ImportError("No module named 'captum'")
        return really(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", lacking)
    for attribute in (grad_cam, integrated_gradients):
        with pytest.raises(InputError, match=r"vestige\[explain\]"):
            attribute(module, inputs, targets)
    assert gradient_times_input(module, inputs, targets).shape == inputs.shape
