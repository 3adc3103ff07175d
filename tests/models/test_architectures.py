import pytest
import torch
from torch import nn

from vestige.core.errors import InputError
from vestige.models.catalog import ModelSpec, build
from vestige.models.convnet import convnet
from vestige.models.densenet import densenet
from vestige.models.image_shape import channels_of
from vestige.models.mlp import ACTIVATIONS, mlp
from vestige.models.wide_resnet import wide_resnet

CIFAR = (3, 32, 32)
CONVOLUTIONAL = ("convnet", "resnet18", "wrn28-2", "densenet", "vgg16")


def size(model):
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("resnet18", 11_173_962),  # 3x3 stem, 1x1 shortcuts
        ("wrn28-2", 1_467_610),  # 1.5 M in Oliver et al. 2018
        ("wrn28-10", 36_479_194),  # 36.5 M in Zagoruyko and Komodakis 2016, table 4
        ("densenet", 769_162),  # 0.8 M for L=100, k=12 in Huang et al. 2017, table 2
        ("vgg16", 14_728_266),  # 14.7 M: the 13 convolutions with batch norm and one linear layer
    ],
)
def test_parameter_counts(name, published):
    with torch.device("meta"):
        assert size(build(ModelSpec(name), CIFAR, 10)) == published


def test_small_models_by_hand():
    assert size(build(ModelSpec("mlp-1024-512-256-128"), (600,), 100)) == 1_317_348  # of Purchase100
    assert size(mlp((446,), 30)) == 446 * 128 + 128 + 128 * 30 + 30
    assert size(build(ModelSpec("linear"), (1, 8, 8), 10)) == 64 * 10 + 10
    assert size(build(ModelSpec("mlp-512-256"), (64,), 10)) == 65 * 512 + 513 * 256 + 257 * 10
    head = 4 * 4 * 128 * 10 + 10
    assert size(convnet(CIFAR, 10)) == (27 * 32 + 32) + (288 * 64 + 64) + (576 * 128 + 128) + head


@pytest.mark.parametrize("stages", range(1, 6))
def test_the_ladder_of_convnets_has_as_many_stages_as_it_says(stages):
    model = build(ModelSpec(f"convnet-{stages}"), (1, 2**stages, 32), 3)
    widths = [layer.out_channels for layer in model if isinstance(layer, nn.Conv2d)]
    assert widths == [32 << stage for stage in range(stages)]
    assert model[-1].in_features == widths[-1] * (32 >> stages)
    assert model(torch.randn(2, 1, 2**stages, 32)).shape == (2, 3)
    with pytest.raises(InputError, match=rf"convnet-{stages} needs images of at least {2**stages} x"):
        build(ModelSpec(f"convnet-{stages}"), (1, 32, 2**stages - 1), 3)


def test_a_convnet_in_a_name_has_these_stages_and_this_first_width():
    model = build(ModelSpec("convnet-2-12"), CIFAR, 10)
    assert [layer.out_channels for layer in model if isinstance(layer, nn.Conv2d)] == [12, 24]
    assert model(torch.randn(2, *CIFAR)).shape == (2, 10)
    dropped = build(ModelSpec("convnet-2-12", (("dropout", 0.5),)), CIFAR, 10)
    assert any(isinstance(layer, nn.Dropout) for layer in dropped)
    with pytest.raises(InputError, match="option of convnet-2-12='width' is not known"):
        ModelSpec("convnet-2-12", (("width", 3),))


def seeded(name, shape):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build(ModelSpec(name), shape, 10)


def test_convnet_is_the_rung_of_three_stages_with_the_weights_it_always_had():
    plain, rung = seeded("convnet", CIFAR).state_dict(), seeded("convnet-3", CIFAR).state_dict()
    assert plain.keys() == rung.keys()
    assert all(torch.equal(plain[name], rung[name]) for name in plain)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = [nn.Conv2d(3, 32, 3), nn.Conv2d(32, 64, 3), nn.Conv2d(64, 128, 3), nn.Linear(2048, 10)]
        by_hand = [p.detach() for p in nn.Sequential(*layers).parameters()]
    assert all(torch.equal(a, b) for a, b in zip(plain.values(), by_hand, strict=True))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_an_activation_in_a_name_is_the_option(activation):
    named = seeded(f"mlp-6-4-{activation}", (5,))
    assert [type(layer) for layer in named] == [
        nn.Flatten, nn.Linear, ACTIVATIONS[activation], nn.Linear, ACTIVATIONS[activation], nn.Linear,
    ]  # fmt: skip
    spelled = ModelSpec("mlp-6-4", (("activation", activation),))
    inputs = torch.randn(2, 5)
    torch.manual_seed(0)
    assert torch.equal(named(inputs), build(spelled, (5,), 10)(inputs))


@pytest.mark.parametrize("name", CONVOLUTIONAL)
@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 32, 32), (2, 17, 24)])
def test_every_image_model_learns_from_every_shape(name, shape):
    if name == "vgg16" and min(shape[1:]) < 16:
        pytest.skip("five halvings need 16 pixels")
    model = build(ModelSpec(name), shape, 2)
    outputs = model(torch.randn(3, *shape))
    assert outputs.shape == (3, 2)
    nn.functional.cross_entropy(outputs, torch.tensor([0, 1, 1])).backward()
    for parameter_name, parameter in model.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.isfinite().all()
    assert sum(p.grad.abs().sum() for p in model.parameters()) > 0


@pytest.mark.parametrize("name", ["linear", "mlp", "mlp-16-8"])
@pytest.mark.parametrize("shape", [(5,), (1, 8, 8)])
def test_flat_models(name, shape):
    model = build(ModelSpec(name), shape, 2)
    assert model(torch.randn(3, *shape)).shape == (3, 2)
    assert {type(layer) for layer in model} <= {nn.Flatten, nn.Linear, nn.Tanh}


def test_mlp_is_what_it_says():
    model = mlp((5,), 3, hidden=(4, 2), activation="relu", dropout=0.25)
    assert [type(m).__name__ for m in model] == [
        "Flatten", "Linear", "ReLU", "Dropout", "Linear", "ReLU", "Dropout", "Linear",
    ]  # fmt: skip
    inputs = torch.randn(7, 5)
    hidden = inputs
    for layer in (model[1], model[4]):
        hidden = torch.relu(hidden @ layer.weight.T + layer.bias)
    expected = hidden @ model[-1].weight.T + model[-1].bias
    torch.testing.assert_close(model.eval()(inputs), expected)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations(activation):
    assert mlp((5,), 3, activation=activation)(torch.randn(2, 5)).shape == (2, 3)


def test_convnet_options():
    kinds = [type(m).__name__ for m in convnet(CIFAR, 10, width=8, batch_norm=True, dropout=0.1)]
    assert kinds.count("BatchNorm2d") == 3
    assert kinds[-2:] == ["Dropout", "Linear"]
    assert "BatchNorm2d" not in [type(m).__name__ for m in convnet(CIFAR, 10)]


def test_dropout_and_batch_norm_sleep_in_evaluation():
    for name in ("wrn28-2", "densenet"):
        model = build(ModelSpec(name, (("dropout", 0.3),)), (1, 8, 8), 3).eval()
        inputs = torch.randn(4, 1, 8, 8)
        with torch.no_grad():
            torch.testing.assert_close(model(inputs)[:1], model(inputs[:1]))
            assert torch.equal(model(inputs), model(inputs))


def test_no_operation_writes_in_place():
    for name in CONVOLUTIONAL:
        with torch.device("meta"):
            model = build(ModelSpec(name), CIFAR, 10)
        assert not any(getattr(m, "inplace", False) for m in model.modules())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: mlp((4,), 2, activation="rleu"), "did you mean relu"),
        (lambda: mlp((4,), 2, hidden=(0,)), "hidden width=0"),
        (lambda: mlp((4,), 2, dropout=1.0), "dropout=1.0"),
        (lambda: convnet((64,), 10), r"shape \(64,\); use the model mlp"),
        (lambda: convnet((1, 7, 8), 10), "at least 8 x 8"),
        (lambda: wide_resnet(CIFAR, 10, depth=27), "depth=27"),
        (lambda: wide_resnet(CIFAR, 10, widen=0), "widen=0"),
        (lambda: densenet(CIFAR, 10, depth=99), "depth=99"),
        (lambda: build(ModelSpec("vgg16"), (1, 8, 8), 10), "at least 16 x 16"),
        (lambda: channels_of("convnet", (28, 28), 8), r"\(28, 28\)"),
    ],
)
def test_bad_options_are_named(make, message):
    with pytest.raises(InputError, match=message):
        make()


PLACES = {"convnet-2": 2, "vgg16": 5, "resnet18": 8, "wrn28-2": 12}


@pytest.mark.parametrize("name", PLACES)
def test_spatial_dropout_drops_whole_channels_after_each_stage_or_block(name):
    plain = build(ModelSpec(name), (3, 16, 16), 4)
    model = build(ModelSpec(name, (("spatial_dropout", 0.4),)), (3, 16, 16), 4)
    dropped = [layer for layer in model.modules() if isinstance(layer, nn.Dropout2d)]
    assert [layer.p for layer in dropped] == [0.4] * PLACES[name]
    assert not any(isinstance(layer, nn.Dropout2d) for layer in plain.modules())
    assert size(model) == size(plain)
    seen = []
    dropped[0].register_forward_hook(lambda _layer, _inputs, output: seen.append(output.detach()))
    model.train()(torch.randn(8, 3, 16, 16))
    silent = (seen[0] == 0).flatten(2).all(-1)
    assert 0.2 < silent.float().mean() < 0.6
    with pytest.raises(InputError, match="spatial_dropout=1"):
        build(ModelSpec(name, (("spatial_dropout", 1.0),)), (3, 16, 16), 4)
