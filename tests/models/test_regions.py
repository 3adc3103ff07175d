"""Regions hold every parameter and buffer once, and are named as the network runs."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from vestige.core.errors import InputError
from vestige.models.catalog import ModelSpec, build
from vestige.models.protected import protected
from vestige.models.regions import given_regions, inferred_regions, regions_of

IMAGE = (3, 32, 32)


class Stranger(nn.Module):
    """Registered last to first, with a tied weight, a bare parameter and a buffer of its own."""

    def __init__(self):
        super().__init__()
        self.final = nn.Linear(6, 4)
        self.second = nn.Linear(6, 6)
        self.first = nn.Linear(6, 6)
        self.second.weight = self.first.weight
        self.scale = nn.Parameter(torch.ones(()))
        self.register_buffer("seen", torch.zeros(3))

    def forward(self, x):
        return self.final(torch.relu(self.second(torch.relu(self.first(x))))) * self.scale


class Bare(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(6, 3))
        self.bias = nn.Parameter(torch.zeros(3))

    def forward(self, x):
        return x @ self.weight + self.bias


class Wrapper(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x)


class Block(nn.Module):
    """A residual block with one child and a parameter of its own."""

    def __init__(self, channels):
        super().__init__()
        self.convolution = nn.Conv2d(channels, channels, 3, padding=1)
        self.gain = nn.Parameter(torch.ones(()))

    def forward(self, x):
        return x + self.gain * self.convolution(x)


def residual():
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        Block(4),
        nn.MaxPool2d(2),
        Block(4),
        Block(4),
        nn.Flatten(),
        nn.Linear(4 * 16, 3),
    )


class Functional(nn.Module):
    """Layers whose weights are used, and which never run as modules."""

    def __init__(self):
        super().__init__()
        self.last = nn.Linear(5, 3)
        self.first = nn.Linear(6, 5)

    def forward(self, x):
        x = x.to(self.last.weight.device)  # looking at a weight is no use of it
        x = torch.tanh(nn.functional.linear(x, self.first.weight, self.first.bias))
        return nn.functional.linear(x, self.last.weight, self.last.bias)


class FunctionalImages(nn.Module):
    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(3, 4, 3, padding=1)
        self.second = nn.Conv2d(4, 4, 3, padding=1, stride=2)
        self.fc = nn.Linear(4 * 16, 3)

    def forward(self, x):
        x = nn.functional.conv2d(x, self.convolution.weight, self.convolution.bias, padding=1)
        return self.fc(self.second(x).flatten(1))


class Held(nn.Module):
    """Layers in containers that are not called themselves."""

    def __init__(self, container):
        super().__init__()
        self.held = container

    def forward(self, x):
        parts = dict(self.held.named_children())
        return parts["c"](parts["b"](parts["a"](x)))


class Holder(nn.Module):
    def __init__(self, **parts):
        super().__init__()
        for name, part in parts.items():
            self.add_module(name, part)


class Body(nn.Module):
    """Two layers of which nothing says that they run in turn."""

    def __init__(self, one, two):
        super().__init__()
        self.one, self.two = one, two

    def forward(self, x):
        return self.two(torch.relu(self.one(x)))


class Net(nn.Module):
    """The commonest layout of all."""

    def __init__(self, backbone, head, embedding=None):
        super().__init__()
        self.embedding = embedding or nn.Identity()
        self.backbone, self.head = backbone, head

    def forward(self, x):
        x = self.backbone(self.embedding(x))
        return self.head(x.flatten(1) if x.dim() > 2 else x)


class Unused(nn.Module):
    """With a layer that does not run."""

    def __init__(self):
        super().__init__()
        self.a, self.idle, self.b = nn.Linear(6, 5), nn.Linear(7, 7), nn.Linear(5, 3)

    def forward(self, x):
        return self.b(self.a(x))


def three():
    return {"a": nn.Linear(6, 5), "b": nn.Linear(5, 4), "c": nn.Linear(4, 3)}


def encoder(layers):
    return nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 9, batch_first=True), layers)


class Tokens(nn.Module):
    """A transformer on three tokens of two numbers."""

    def __init__(self, layers):
        super().__init__()
        self.embedding, self.encoder, self.fc = nn.Linear(2, 8), encoder(layers), nn.Linear(8, 3)

    def forward(self, x):
        return self.fc(self.encoder(self.embedding(x.unflatten(1, (3, 2)))).mean(1))


def convolutional_body():
    return Body(
        nn.Conv2d(3, 4, 3, padding=1), Body(nn.Conv2d(4, 4, 3, stride=2, padding=1), nn.BatchNorm2d(4))
    )


def catalog(name, shape, **options):
    return lambda: build(ModelSpec(name, tuple(options.items())), shape, 3), shape


def stages(number):
    return [f"stage{n}" for n in range(1, number + 1)]


NETWORKS = {
    "linear": (*catalog("linear", (6,)), ["layer1"]),
    "mlp": (*catalog("mlp-9-8-7", (6,)), ["layer1", "layer2", "layer3", "head"]),
    "convnet": (*catalog("convnet", (3, 16, 16)), [*stages(3), "head"]),
    "convnet with batch norm": (*catalog("convnet", (3, 16, 16), batch_norm=True), [*stages(3), "head"]),
    "vgg16": (*catalog("vgg16", IMAGE), [*stages(5), "head"]),
    "resnet18": (*catalog("resnet18", IMAGE), ["stem", *stages(4), "head"]),
    "wrn28-2": (*catalog("wrn28-2", IMAGE), ["stem", *stages(3), "head"]),
    "densenet": (*catalog("densenet", IMAGE), ["stem", *stages(3), "head"]),
    "stranger": (Stranger, (6,), ["layer1", "layer2", "head"]),
    "bare": (Bare, (6,), ["layer1"]),
    "wrapped twice": (
        lambda: Wrapper(Wrapper(nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3)))),
        (6,),
        ["layer1", "head"],
    ),
    "residual": (residual, (3, 8, 8), ["stem", "stage1", "stage2", "head"]),
    "functional": (Functional, (6,), ["layer1", "head"]),
    "functional images": (FunctionalImages, (3, 8, 8), ["stage1", "stage2", "head"]),
    "dict of layers": (lambda: Held(nn.ModuleDict(three())), (6,), ["layer1", "layer2", "head"]),
    "holder of layers": (lambda: Held(Holder(**three())), (6,), ["layer1", "layer2", "head"]),
    "backbone and head": (
        lambda: Net(Body(nn.Linear(6, 5), nn.Linear(5, 5)), nn.Linear(5, 3)),
        (6,),
        ["layer1", "layer2", "head"],
    ),
    "backbone and head in turn": (
        lambda: nn.Sequential(Body(nn.Linear(6, 5), nn.Linear(5, 5)), nn.Linear(5, 3)),
        (6,),
        ["layer1", "layer2", "head"],
    ),
    "backbone and a deep head": (
        lambda: Net(Body(nn.Linear(6, 5), nn.Linear(5, 5)), Body(nn.Linear(5, 4), nn.Linear(4, 3))),
        (6,),
        ["layer1", "layer2", "layer3", "head"],
    ),
    "embedding, backbone and head": (
        lambda: Net(Body(nn.Linear(6, 5), nn.Linear(5, 5)), nn.Linear(5, 3), nn.Linear(6, 6)),
        (6,),
        ["layer1", "layer2", "layer3", "head"],
    ),
    "backbone of images": (
        lambda: Net(convolutional_body(), nn.Linear(4 * 16, 3)),
        (3, 8, 8),
        ["stem", "stage1", "head"],
    ),
    "transformer": (lambda: Tokens(2), (6,), ["layer1", "layer2", "layer3", "head"]),
    "transformer of one layer": (lambda: Tokens(1), (6,), ["layer1", "layer2", "head"]),
    "norm first": (
        lambda: nn.Sequential(nn.BatchNorm2d(3), *residual()),
        (3, 8, 8),
        ["stem", "stage1", "stage2", "head"],
    ),
    "norm first, without maps": (
        lambda: nn.Sequential(nn.LayerNorm(6), nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3)),
        (6,),
        ["layer1", "head"],
    ),
    "a layer twice": (
        lambda: nn.Sequential(*[nn.Linear(6, 6), nn.Tanh()] * 2, nn.Linear(6, 3)),
        (6,),
        ["layer1", "head"],
    ),
    "an idle layer": (Unused, (6,), ["layer1", "head"]),
}
every_network = pytest.mark.parametrize(("make", "shape", "names"), NETWORKS.values(), ids=NETWORKS)


def everything(module):
    parameters = {name for name, _ in module.named_parameters(remove_duplicate=False)}
    return parameters, {name for name, _ in module.named_buffers(remove_duplicate=False)}


def assert_covered(module, regions):
    parameters, buffers = everything(module)
    assert sorted(name for region in regions for name in region.parameters) == sorted(parameters)
    assert sorted(name for region in regions for name in region.buffers) == sorted(buffers)


@every_network
@pytest.mark.parametrize("grain", ["stage", "block"])
def test_everything_is_in_one_region(make, shape, names, grain):
    module = make()
    assert_covered(module, inferred_regions(module, torch.zeros(2, *shape), grain))


@every_network
def test_stages_are_named_in_the_order_in_which_they_run(make, shape, names):
    assert [region.name for region in inferred_regions(make(), torch.zeros(2, *shape))] == names


@every_network
def test_blocks_are_parts_of_stages(make, shape, names):
    module, inputs = make(), torch.zeros(2, *shape)
    stage = {p: r.name for r in inferred_regions(module, inputs) for p in (*r.parameters, *r.buffers)}
    for block in inferred_regions(module, inputs, "block"):
        assert {stage[name] for name in (*block.parameters, *block.buffers)} == {block.name.split("-")[0]}


def test_what_looking_does_to_the_module_is_nothing():
    module = residual().train()
    module[1].eval()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    state = torch.get_rng_state()
    inferred_regions(module, torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0)))
    assert torch.equal(torch.get_rng_state(), state)
    assert [part.training for part in module] == [n != 1 for n in range(8)]
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert not any(part._forward_hooks for part in module.modules())


def test_normalization_belongs_to_what_stands_before_it():
    regions = {region.name: region for region in inferred_regions(residual(), torch.zeros(2, 3, 8, 8))}
    assert regions["stem"].parameters == ("0.weight", "0.bias", "1.weight", "1.bias")
    assert regions["stem"].buffers == ("1.running_mean", "1.running_var", "1.num_batches_tracked")
    assert regions["stage2"].parameters[0].startswith("4.")
    assert regions["head"].parameters == ("7.weight", "7.bias")


def test_a_composite_block_with_one_child_stays_whole():
    blocks = inferred_regions(residual(), torch.zeros(2, 3, 8, 8), "block")
    whole = {"2.gain", "2.convolution.weight", "2.convolution.bias"}
    assert [region.name for region in blocks if set(region.parameters) == whole] == ["stage1-block1"]


def test_a_leading_norm_is_part_of_what_follows_and_an_idle_layer_of_what_stands_before():
    module = nn.Sequential(nn.BatchNorm2d(3), *residual())
    assert inferred_regions(module, torch.zeros(2, 3, 8, 8))[0].parameters[:4] == (
        "0.weight", "0.bias", "1.weight", "1.bias",
    )  # fmt: skip
    assert inferred_regions(Unused(), torch.zeros(2, 6))[0].parameters == (
        "a.weight", "a.bias", "idle.weight", "idle.bias",
    )  # fmt: skip


def test_layers_that_are_used_as_functions_are_told_in_the_order_of_their_use():
    regions = inferred_regions(Functional(), torch.zeros(2, 6))
    assert [region.parameters for region in regions] == [
        ("first.weight", "first.bias"),
        ("last.weight", "last.bias"),
    ]
    parts = {"end": "last", "start": "first"}
    assert [one.name for one in given_regions(Functional(), torch.zeros(2, 6), parts)] == ["start", "end"]


def test_a_layer_of_an_encoder_is_a_region_and_stays_whole():
    layers = [one for one in inferred_regions(Tokens(3), torch.zeros(2, 6)) if one.name != "head"]
    assert [one.parameters[0] for one in layers] == [
        "embedding.weight",
        *(f"encoder.layers.{n}.self_attn.in_proj_weight" for n in range(3)),
    ]


def test_a_tied_weight_belongs_where_it_stands_first_and_strays_to_a_region():
    module = Stranger()
    first, second, head = inferred_regions(module, torch.zeros(2, 6))
    assert {"first.weight", "second.weight"} <= {*first.parameters, *second.parameters}
    owner = {name: region.name for region in (first, second, head) for name in region.parameters}
    assert owner["first.weight"] == owner["second.weight"]
    assert head.parameters == ("final.weight", "final.bias")


def test_a_module_without_parameters_has_no_regions():
    with pytest.raises(InputError, match="Flatten has no parameters, so it has no regions"):
        inferred_regions(nn.Flatten(), torch.zeros(2, 6))
    with pytest.raises(InputError, match="block"):
        inferred_regions(nn.Linear(6, 3), torch.zeros(2, 6), "blck")


def test_given_regions_come_in_the_order_in_which_they_run():
    module, inputs = residual(), torch.zeros(2, 3, 8, 8)
    late = ["7", "5", "4.gain", "4.convolution"]
    regions = given_regions(module, inputs, {"late": late, "early": ["0", "1", "2"]})
    assert_covered(module, regions)
    assert [region.name for region in regions] == ["early", "late"]
    assert "4.gain" in regions[1].parameters
    assert "1.running_var" in regions[0].buffers
    assert regions_of(module, inputs, {"all of it": ["0", "1", "2", "4", "5", "7"]}) == (
        given_regions(module, inputs, {"all of it": ["0", "1", "2", "4", "5", "7"]})
    )


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"a": ["0", "1", "2", "4"], "b": ["4", "5", "7"]}, r"regions a and b both hold 4\."),
        ({"a": ["0", "1"], "b": ["4", "5", "7"]}, r"leave out 2\.gain, 2\.convolution\.weight"),
        ({"a": ["0", "1", "2"], "b": ["4", "5"]}, r"leave out 7\.weight, 7\.bias; put every"),
        ({"a": ["0", "1", "2.convolutoin"]}, r"did you mean 2\.convolution"),
        ({"a": ["0", "1", "2", "4", "5", "7"], "b": []}, "region b holds no parameter"),
        ({"a": ["0", "2", "4", "5", "7"], "b": ["1.running_mean"]}, r"leave out 1\.weight"),
        ({"a": ["0", "1", "7"], "b": ["2", "4", "5"]}, r"a and b interleave: 7\.weight of a runs after 2\."),
        (
            {"a": ["0", "2"], "b": ["1", "4", "5", "7"]},
            r"a and b interleave: 2\.convolution\.weight of a runs",
        ),
    ],
)
def test_regions_that_are_no_partition_in_the_order_of_the_network_are_refused(parts, message):
    with pytest.raises(InputError, match=message):
        given_regions(residual(), torch.zeros(2, 3, 8, 8), parts)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("all", "protect=all means something else"),
        ("none", "protect=none means"),
        ("back", "protect=back means"),
        ("auto", "protect=auto means"),
        ("a:b", "name that protect cannot mean"),
        ("a..b", "name that protect cannot mean"),
        ("a/b", "name that protect cannot mean"),
        ("", "name that protect cannot mean"),
    ],
)
def test_regions_may_not_be_named_as_protect_reads_otherwise(name, message):
    parts = {name: ["0", "1", "2"], "late": ["4", "5", "7"]}
    with pytest.raises(InputError, match=message):
        given_regions(residual(), torch.zeros(2, 3, 8, 8), parts)


def test_a_word_may_be_a_name_where_it_means_that_region():
    parts = {"front": ["0", "1", "2"], "back": ["4", "5", "7"]}
    regions = given_regions(residual(), torch.zeros(2, 3, 8, 8), parts)
    assert [region.name for region in protected(regions, ["front"])] == ["front"]
    assert given_regions(nn.Linear(6, 3), torch.zeros(2, 6), {"head": ["weight", "bias"]})[0].name == "head"


def test_one_name_stands_for_itself():
    module = nn.ModuleDict({"backbone": nn.Linear(6, 6), "fc": nn.Linear(6, 3)})
    module.forward = lambda x: module["fc"](module["backbone"](x))
    regions = given_regions(module, torch.zeros(2, 6), {"a": "backbone", "b": "fc"})
    assert [region.parameters[0] for region in regions] == ["backbone.weight", "fc.weight"]


def test_given_regions_may_not_tear_a_tied_weight():
    with pytest.raises(InputError, match=r"both hold second\.weight, which is first\.weight too"):
        given_regions(
            Stranger(), torch.zeros(2, 6), {"a": ["first", "scale", "seen"], "b": ["second", "final"]}
        )
    parts = {"a": ["first", "second", "scale", "seen"], "b": ["final"]}
    regions = given_regions(Stranger(), torch.zeros(2, 6), parts)
    assert_covered(Stranger(), regions)


@settings(max_examples=25, deadline=None)
@given(widths=st.lists(st.integers(1, 6), min_size=1, max_size=6), wraps=st.integers(0, 2))
def test_perceptrons_of_any_depth_have_a_region_per_layer(widths, wraps):
    sizes = [4, *widths, 2]
    layers = [
        part for pair in itertools.pairwise(sizes) for part in (nn.Linear(*pair), nn.Dropout(0.1), nn.Tanh())
    ]
    module = nn.Sequential(*layers)
    for _ in range(wraps):
        module = Wrapper(module)
    regions = inferred_regions(module, torch.zeros(2, 4))
    assert_covered(module, regions)
    assert [region.name for region in regions] == [*(f"layer{n + 1}" for n in range(len(widths))), "head"]
