import sys

import pytest
import torch
from torch import nn

from vestige.core.errors import InputError
from vestige.core.record import content_hash
from vestige.models import catalog, factory
from vestige.models.catalog import ModelSpec, build, spec_of
from vestige.models.penultimate import penultimate


class Backwards(nn.Module):
    """Registers its last layer first."""

    def __init__(self, num_classes: int = 3) -> None:
        super().__init__()
        self.head = nn.Linear(6, num_classes)
        self.token = nn.Parameter(torch.zeros(6))
        self.norm = nn.BatchNorm1d(5)
        self.body = nn.Linear(5, 6)
        self.unused = nn.Linear(1, 1)
        self.dropout = nn.Dropout(0.5)

    def forward(self, inputs):
        return self.head(self.dropout(torch.tanh(self.body(self.norm(inputs)) + self.token)))


class OneLogit(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.layer = nn.Linear(width, 1)

    def forward(self, inputs):
        return self.layer(inputs).squeeze(-1)


def by_shape(shape, num_classes):
    return nn.Linear(shape[0], num_classes)


def by_input_shape(input_shape, num_classes=10):
    return nn.Linear(input_shape[0], num_classes)


def by_nothing():
    return nn.Linear(5, 3)


def by_keywords(**keywords):
    assert set(keywords) == {"shape", "num_classes"}
    return nn.Linear(keywords["shape"][0], keywords["num_classes"])


def with_option(shape, num_classes, width=4):
    return nn.Sequential(nn.Linear(shape[0], width), nn.Linear(width, num_classes))


def reference(function):
    return f"test_model_catalog:{function.__name__}"


@pytest.mark.parametrize(
    "function", [by_shape, by_input_shape, by_nothing, by_keywords, with_option, Backwards]
)
def test_functions_get_the_arguments_they_have(function):
    model = build(ModelSpec(reference(function)), (5,), 3)
    assert model.eval()(torch.randn(4, 5)).shape == (4, 3)


def test_options_reach_the_function():
    model = build(ModelSpec(reference(with_option), (("width", 9),)), (5,), 3)
    assert model[0].out_features == 9
    with pytest.raises(InputError, match="widht"):
        build(ModelSpec(reference(with_option), (("widht", 9),)), (5,), 3)


def test_one_logit_serves_for_two_classes():
    flat = factory.call(lambda: OneLogit(5), "flat", (5,), 2)
    column = factory.call(lambda: nn.Linear(5, 1), "column", (5,), 2)
    assert flat(torch.randn(4, 5)).shape == column(torch.randn(4, 5)).shape == (4, 1)


@pytest.mark.parametrize(
    ("make", "classes", "message"),
    [
        (lambda: nn.Linear(5, 4), 3, r"outputs of shape \(2, 4\); return logits \[batch 3\]"),
        (lambda: nn.Linear(5, 1), 3, r"outputs of shape \(2, 1\)"),
        (lambda: nn.Linear(5, 3), 2, r"\[batch 2\], \[batch 1\] or \[batch\]"),
        (lambda: nn.Linear(6, 3), 3, r"cannot read samples of shape \(5,\)"),
        (lambda: nn.LSTM(5, 3), 3, "returns a tuple"),
        (lambda: nn.Sequential(nn.Linear(5, 3), nn.Threshold(1e9, float("nan"))), 3, "not all finite"),
        (lambda: 7, 3, "returned a int"),
        (lambda: 1 / 0, 3, "ZeroDivisionError"),
        (lambda missing: missing, 3, "missing"),
    ],
)
def test_unfit_models_are_refused_before_training(make, classes, message):
    with pytest.raises(InputError, match=message):
        factory.call(make, "mine", (5,), classes)


def test_the_check_leaves_no_trace():
    model = Backwards()
    model.body.eval()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    modes = [m.training for m in model.modules()]
    random = torch.get_rng_state()
    factory.checked(model, "mine", (5,), 3)
    penultimate(model, torch.randn(4, 5, generator=torch.Generator()))
    assert torch.equal(torch.get_rng_state(), random)
    assert [m.training for m in model.modules()] == modes
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert not any(m._forward_hooks for m in model.modules())


def test_penultimate_follows_the_forward_pass():
    model = Backwards()
    assert penultimate(model, torch.randn(2, 5)) is model.head


@pytest.mark.parametrize("name", ["linear", "mlp", "convnet", "resnet18", "wrn28-2", "densenet", "vgg16"])
def test_penultimate_of_every_model(name):
    model = build(ModelSpec(name), (3, 16, 16), 4)
    assert penultimate(model, torch.randn(2, 3, 16, 16)) is model[-1]


def test_penultimate_sees_past_wrappers_but_not_other_layers():
    inputs = torch.randn(2, 5)
    wrapped = factory.call(lambda: OneLogit(5), "flat", (5,), 2)
    assert penultimate(wrapped, inputs) is wrapped[0].layer
    assert penultimate(nn.Sequential(nn.Linear(5, 3), nn.LogSoftmax(-1)), inputs).out_features == 3
    assert penultimate(nn.Sequential(nn.Linear(5, 3), nn.LayerNorm(3)), inputs) is None
    assert penultimate(nn.Flatten(), inputs) is None


def test_torch_seed_decides_the_weights():
    spec, weights = ModelSpec("mlp"), []
    for seed in (1, 1, 2):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            weights.append(build(spec, (5,), 3)[1].weight)
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("resnet-18", "resnet18"),
        ("mpl", "mlp"),
        ("wrn28", "wrn28-2"),
        ("mlp-512-", "mlp-512-256"),
        ("convnet-6", "convnet-5"),
        ("convnet-3-0", "convnet-3"),
        ("convnet4", "convnet-4"),
        ("mlp-128-rleu", "relu"),
    ],
)
def test_misspelt_names_get_a_hint(name, hint):
    with pytest.raises(InputError, match=f"did you mean.*{hint}"):
        ModelSpec(name)


@pytest.mark.parametrize(
    ("name", "option", "message"),
    [
        ("mlp", "activaton", "did you mean activation"),
        ("mlp-8", "hidden", "option of mlp-8='hidden' is not known"),
        ("mlp-8-relu", "activation", "option of mlp-8-relu='activation' is not known"),
        ("convnet-2", "stages", "option of convnet-2='stages' is not known"),
        ("wrn28-2", "depth", "option of wrn28-2='depth' is not known"),
        ("resnet18", "dropout", "is not known"),
    ],
)
def test_unknown_options_are_refused(name, option, message):
    with pytest.raises(InputError, match=message):
        ModelSpec(name, ((option, 1),))


def with_rate(shape, num_classes, *, rate=0.1):
    return nn.Linear(shape[0], num_classes)


def test_the_options_of_a_model_are_known():
    assert catalog.options_of(ModelSpec("mlp-8-relu")) == ("dropout",)
    assert catalog.options_of(ModelSpec("resnet18")) == ("spatial_dropout",)
    assert catalog.options_of(ModelSpec("linear")) == ()
    assert "rate" in catalog.options_of(ModelSpec(f"{__name__}:with_rate"))


def test_option_of_the_wrong_type_is_refused():
    with pytest.raises(InputError, match="wrong type"):
        build(ModelSpec("mlp", (("dropout", "much"),)), (5,), 3)


def test_specification_is_a_value():
    a = ModelSpec("convnet", (("width", 8), ("batch_norm", True)))
    b = ModelSpec("convnet", (("batch_norm", True), ("width", 8)))
    assert a == b
    assert hash(a) == hash(b)
    assert content_hash(a) == content_hash(b) != content_hash(ModelSpec("convnet"))


def test_spec_of_every_form():
    assert spec_of("mlp-3") == ModelSpec("mlp-3")
    assert spec_of(ModelSpec("mlp")) == ModelSpec("mlp")
    found = spec_of(by_shape)
    assert build(found, (5,), 3).out_features == 3
    with pytest.raises(InputError, match="no importable name"):
        spec_of(lambda shape, num_classes: nn.Linear(shape[0], num_classes))


def test_source_digest_follows_the_users_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    text = "from torch import nn\ndef net(shape, num_classes):\n    return nn.Linear(shape[0], num_classes)\n"
    (tmp_path / "net_file.py").write_text(text)
    spec = ModelSpec("net_file:net")
    before = catalog.source_digest(spec)
    assert build(spec, (5,), 3).in_features == 5
    (tmp_path / "net_file.py").write_text(text + "# edited\n")
    assert catalog.source_digest(spec) != before
    assert catalog.source_digest(ModelSpec("mlp")) == ""
    del sys.modules["net_file"]
