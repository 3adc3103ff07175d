import numpy as np
import pytest
import torch
from torch import nn

from vestige.core.errors import InputError
from vestige.models.catalog import ModelSpec, build
from vestige.signals.features import described

MODELS = [
    ("mlp-8-8", (6,), ()),
    ("convnet", (3, 16, 16), ()),
    ("resnet18", (3, 8, 8), ()),
    ("densenet", (3, 8, 8), (("depth", 10),)),
    ("vgg16", (3, 16, 16), ()),
]


def built(name, shape, options=()):
    torch.manual_seed(0)
    return build(ModelSpec(name, options), shape, 3), torch.randn(7, *shape)


@pytest.mark.parametrize(("name", "shape", "options"), MODELS)
def test_the_features_are_what_the_last_layer_makes_the_logits_of(name, shape, options):
    module, inputs = built(name, shape, options)
    found = described(module, inputs, batch=3)
    last = next(part for part in reversed(list(module.modules())) if isinstance(part, nn.Linear))
    with torch.no_grad():
        rebuilt = last(torch.from_numpy(found.features)).numpy()
        expected = module.eval()(inputs).numpy()
    assert found.features.dtype == np.float32
    assert np.allclose(found.logits, expected, atol=1e-5)
    assert np.allclose(rebuilt, expected, atol=1e-5)


def test_the_batch_does_not_matter():
    module, inputs = built("convnet", (3, 16, 16))
    whole = described(module, inputs).features
    assert np.allclose(whole, described(module, inputs, batch=2).features, atol=1e-6)
    assert np.allclose(whole[:1], described(module, inputs[:1]).features, atol=1e-6)


def test_a_named_layer_gives_its_outputs_and_maps_their_mean():
    module, inputs = built("convnet", (3, 16, 16))
    with torch.no_grad():
        maps = module[0](inputs)
        flat = module[:10](inputs)
    assert np.allclose(described(module, inputs, layer="0").features, maps.mean((2, 3)), atol=1e-6)
    assert np.allclose(described(module, inputs, layer="9", batch=2).features, flat, atol=1e-6)


def test_a_later_layer_that_writes_in_place_changes_no_features():
    torch.manual_seed(1)
    module = nn.Sequential(nn.Linear(4, 5), nn.ReLU(inplace=True), nn.Linear(5, 2))
    inputs = torch.randn(6, 4)
    with torch.no_grad():
        expected = module[0](inputs).numpy()
    assert (expected < 0).any()
    assert np.allclose(described(module, inputs, layer="0").features, expected, atol=1e-6)


def test_a_layer_that_runs_twice_is_taken_at_its_last_run():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, inputs):
            return self.layer(torch.tanh(self.layer(inputs)))

    module, inputs = Twice(), torch.randn(3, 4)
    with torch.no_grad():
        between, outputs = torch.tanh(module.layer(inputs)), module(inputs)
    assert np.allclose(described(module, inputs).features, between, atol=1e-6)
    assert np.allclose(described(module, inputs, layer="layer").features, outputs, atol=1e-6)


def test_one_logit_per_sample_keeps_its_class_axis():
    module = nn.Sequential(nn.Linear(4, 1), nn.Flatten(0))
    assert described(module, torch.randn(5, 4)).logits.shape == (5, 1)


def test_looking_leaves_the_model_as_it_was():
    module = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout(0.5), nn.Flatten(), nn.Linear(8, 2)
    )
    module.train()
    module[1].eval()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    state = torch.random.get_rng_state()
    for layer in (None, "0"):
        described(module, torch.ones(5, 1, 4, 4), layer=layer)
    assert [part.training for part in module] == [True, False, True, True, True]
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    assert torch.equal(state, torch.random.get_rng_state())
    assert all(parameter.grad is None for parameter in module.parameters())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())


def test_a_misspelt_layer_gets_near_misses():
    module = nn.Sequential()
    module.add_module("features", nn.Linear(4, 3))
    module.add_module("head", nn.Linear(3, 2))
    with pytest.raises(InputError, match="did you mean features"):
        described(module, torch.ones(2, 4), layer="feature")


def test_a_deep_model_lists_its_last_layers_only():
    module, inputs = built("densenet", (3, 8, 8), (("depth", 40),))
    with pytest.raises(InputError, match="the last of") as error:
        described(module, inputs, layer="encoder_block")
    assert len(str(error.value)) < 300


def test_a_model_without_a_last_linear_layer_asks_for_a_name():
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    inputs = torch.ones(2, 1, 5, 5)
    with pytest.raises(InputError, match="name the layer"):
        described(module, inputs)
    assert described(module, inputs, layer="0").features.shape == (2, 2)


def test_a_layer_without_one_tensor_row_per_sample_is_refused():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.memory = nn.LSTM(3, 4, batch_first=True)
            self.spare = nn.Linear(2, 2)
            self.head = nn.Linear(4, 2)

        def forward(self, inputs):
            return self.head(self.memory(inputs)[0][:, -1])

    module, inputs = Odd(), torch.ones(2, 5, 3)
    with pytest.raises(InputError, match="'memory' gives a tuple"):
        described(module, inputs, layer="memory")
    with pytest.raises(InputError, match="'spare' does not run"):
        described(module, inputs, layer="spare")


def test_no_samples_and_no_batch_are_refused():
    with pytest.raises(InputError, match="no sample"):
        described(nn.Linear(2, 2), torch.ones(0, 2))
    with pytest.raises(InputError, match="batch=0"):
        described(nn.Linear(2, 2), torch.ones(1, 2), batch=0)
