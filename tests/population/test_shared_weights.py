"""Networks in which one parameter goes by two names: trained, stored and opened again."""

import numpy as np
import pytest
import torch
from torch import nn

import vestige
from vestige.audits.options import Options
from vestige.audits.preparation import prepare
from vestige.core.errors import InputError
from vestige.models.catalog import ModelSpec, build
from vestige.population.store import Store
from vestige.signals.measure import measure
from vestige.training import engines
from vestige.training.engine import Material
from vestige.training.recipe import Recipe
from vestige.training.reopened import reopened

CPU = torch.device("cpu")
SHARED = {"tied": ("1.weight", "3.weight"), "twice": ("1.bias", "3.bias")}
every_model = pytest.mark.parametrize("model", SHARED)


def tied(shape, num_classes):
    """Two layers with one weight and a bias each."""
    module = nn.Sequential(nn.Flatten(), *[p for _ in range(2) for p in (nn.Linear(64, 64), nn.Tanh())])
    module[3].weight = module[1].weight
    return module.append(nn.Linear(64, num_classes))


def twice(shape, num_classes):
    """A layer that runs two times."""
    layer = nn.Linear(64, 64)
    return nn.Sequential(nn.Flatten(), layer, nn.Tanh(), layer, nn.Tanh(), nn.Linear(64, num_classes))


@every_model
@pytest.mark.parametrize("defense", ["none", "pptp:label_smoothing:0.3/protect=head", "dp_sgd:1,1e-3"])
@pytest.mark.filterwarnings("ignore:Full backward hook is firing")
def test_an_audit_trains_stores_and_opens_them(model, defense, tmp_path):
    options = {
        "dataset": "digits", "samples": 120, "models": 4, "epochs": 3, "jobs": 1, "attack": ("loss",),
        "model": f"{__name__}:{model}", "defense": defense, "out": tmp_path,
    }  # fmt: skip
    assert vestige.audit(**options).report.is_file()
    plan = prepare(Options(**options)).plan
    store, material = Store.of(plan, tmp_path), Material.of(plan.dataset, CPU)
    for number in range(4):
        weights = store.weights(number)
        one, other = SHARED[model]
        assert torch.equal(weights[one], weights[other])
        module = reopened(plan.recipe, material, weights)
        assert module.get_parameter(one) is module.get_parameter(other)
        with torch.no_grad():
            logits = module(material.inputs)
        found = measure(logits, material.targets, None, ("scaled_logit",))["scaled_logit"]
        np.testing.assert_allclose(found, store.signal("scaled_logit", number)[-1, :, 0], atol=1e-4)


@every_model
def test_engines_that_would_train_each_name_by_itself_are_not_taken(model):
    recipe = Recipe(model=ModelSpec(f"{__name__}:{model}"))
    module = build(recipe.model, (64,), 10)
    choice = engines.choose(recipe, module, 8, CPU)
    assert (choice.engine, choice.reason) == (
        "sequential",
        "one at a time: two of its layers share a parameter",
    )
    for name in ("stacked", "vmapped"):
        with pytest.raises(InputError, match="share a parameter"):
            engines.choose(recipe, module, 8, CPU, name)
