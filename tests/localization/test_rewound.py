"""Rewinding: what goes back, what stays, and the statistics that are measured again."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from vestige.audits.options import Options
from vestige.core.errors import InputError
from vestige.designs.run import folder_of
from vestige.designs.target_figures import recorded_figures
from vestige.localization.populations import populations
from vestige.localization.request import Request
from vestige.localization.rewinding import recalibrated, rewound, rewound_figures
from vestige.models.regions import Region
from vestige.population.fit import fit
from vestige.population.store import Store


def test_only_the_region_goes_back_and_its_buffers_with_it():
    final = {name: torch.ones(2) for name in ("a.weight", "a.running_mean", "b.weight", "b.running_mean")}
    early = {name: torch.zeros(2) for name in final}
    state = rewound(final, early, Region("one", ("a.weight",), ("a.running_mean",)))
    assert {name: float(value.sum()) for name, value in state.items()} == {
        "a.weight": 0.0, "a.running_mean": 0.0, "b.weight": 2.0, "b.running_mean": 2.0,
    }  # fmt: skip


def normalized():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 2)).eval()


def test_statistics_are_the_mean_over_batches():
    module, inputs = normalized(), torch.randn(30, 3)
    recalibrated(module, inputs, 10)
    with torch.no_grad():
        batches = module[0](inputs).split(10)
    norm = module[1]
    torch.testing.assert_close(norm.running_mean, torch.stack([b.mean(0) for b in batches]).mean(0))
    torch.testing.assert_close(norm.running_var, torch.stack([b.var(0) for b in batches]).mean(0))


def test_measuring_statistics_again_leaves_the_rest_alone():
    module = normalized()
    weights = {name: value.clone() for name, value in module.named_parameters()}
    recalibrated(module, torch.randn(9, 3), 32)
    assert not any(part.training for part in module.modules())
    assert module[1].momentum == 0.1
    assert all(torch.equal(value, weights[name]) for name, value in module.named_parameters())


def test_a_last_batch_of_one_is_no_batch_of_its_own():
    recalibrated(normalized(), torch.randn(21, 3), 10)  # batch normalization refuses a single sample


def plain_population(folder, **options):
    base = Options(**{"dataset": "digits", "samples": 200, "epochs": 16, "models": 4, "jobs": 1, **options})
    found = populations(Request(base=base, rewind=(0.0, 0.5)), folder)
    fitted = fit(found.plain.plan, folder_of(found.plain), 1)
    return found, fitted


@pytest.fixture(scope="module")
def perceptrons(tmp_path_factory):
    return plain_population(tmp_path_factory.mktemp("plain"), model="mlp-24-24")


def test_models_as_they_are_have_their_recorded_figures(perceptrons):
    found, fitted = perceptrons
    plan = found.plain.plan
    whole = rewound_figures(plan, fitted.store, found.regions, (0,), lambda _: None)["", 0]
    recorded = recorded_figures("recorded", fitted.signals, plan.membership)
    np.testing.assert_allclose(whole.auc, recorded.auc, atol=1e-4)
    np.testing.assert_array_equal(whole.accuracy, recorded.accuracy)


def test_one_region_for_all_goes_back_to_chance(perceptrons):
    found, fitted = perceptrons
    plan = found.plain.plan
    every = Region("whole", tuple(name for region in found.regions for name in region.parameters))
    figures = rewound_figures(plan, fitted.store, [every], found.epochs, lambda _: None)
    assert figures["whole", 0].accuracy.mean() < 0.25 < figures["", 0].accuracy.mean()
    initial = recorded_first(fitted, plan)
    np.testing.assert_allclose(figures["whole", 0].accuracy, initial, atol=1e-9)


def recorded_first(fitted, plan):
    """Accuracy on non-members at the initialization, as it was recorded in training."""
    right = np.stack([fitted.signals.row("correct", m, 0)[:, 0] for m in range(4)]).astype(float)
    outside = ~plan.membership.mask
    return (right * outside).sum(1) / outside.sum(1)


def test_the_half_way_weights_differ_from_both_ends(perceptrons):
    found, fitted = perceptrons
    assert found.epochs == (0, 8)
    figures = rewound_figures(found.plain.plan, fitted.store, found.regions, found.epochs, lambda _: None)
    head = [figures[place].loss_auc for place in (("head", 0), ("head", 8), ("", 0))]
    assert not np.array_equal(head[0], head[1])
    assert not np.array_equal(head[1], head[2])


def test_networks_with_batch_normalization_can_be_rewound(tmp_path):
    options = {"dataset": "digit_images", "model": "wrn16-1", "samples": 40, "epochs": 2, "batch_size": 8}
    found, fitted = plain_population(tmp_path, **options)
    assert found.regions[0].name == "stem"
    regions = found.regions[-2:]
    figures = rewound_figures(found.plain.plan, fitted.store, regions, (0,), lambda _: None)
    assert all(np.isfinite(one.auc).all() for one in figures.values())
    assert any(buffer for region in found.regions for buffer in region.buffers)


def test_what_is_rewound_has_its_own_statistics_and_not_those_on_record(tmp_path, monkeypatch):
    """Moved statistics change nothing, for all are measured again; in models as they are, too."""
    options = {"dataset": "digit_images", "model": "wrn16-1", "samples": 60, "epochs": 4, "batch_size": 8}
    found, fitted = plain_population(tmp_path, **options)
    plan, head = found.plain.plan, found.regions[-1:]
    figures = rewound_figures(plan, fitted.store, head, (2,), lambda _: None)
    weights = Store.weights
    monkeypatch.setattr(Store, "weights", lambda store, model: with_moved_statistics(weights(store, model)))
    moved = rewound_figures(plan, fitted.store, head, (2,), lambda _: None)
    for place, one in figures.items():
        np.testing.assert_array_equal(one.loss_auc, moved[place].loss_auc)
        np.testing.assert_array_equal(one.accuracy, moved[place].accuracy)


def with_moved_statistics(stored):
    names = [name for name in stored if name.endswith("running_mean")]
    assert names
    return stored | {name: stored[name] + torch.linspace(0, 5, stored[name].numel()) for name in names}


def test_engines(tmp_path):
    base = Options(dataset="digits", samples=200, epochs=2, models=4, model="mlp-24-24", engine="stacked")
    found = populations(Request(base=base), tmp_path)
    assert found.plain.plan.choice.engine == found.routed["head"].plan.choice.engine == "stacked"
    assert found.retrained["head"].plan.choice.engine == "sequential"
    with pytest.raises(InputError, match="engine='vmapped' cannot train"):
        populations(Request(base=dataclasses.replace(base, engine="vmapped")), tmp_path)
