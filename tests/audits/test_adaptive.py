import numpy as np
import pytest
import torch

import vestige
from vestige.audits.adaptive import is_adaptable, training_losses
from vestige.audits.options import Options
from vestige.audits.preparation import prepare
from vestige.population.fit import fit
from vestige.signals.source import read
from vestige.training.engine import Material
from vestige.training.reopened import reopened

SMALL = {"dataset": "digits", "samples": 120, "models": 4, "epochs": 3, "model": "mlp-16", "jobs": 1}
ATTACK = {"attack": ("loss",), "checkpoints": 2}


def trained(folder, **options):
    plan = prepare(Options(**SMALL, **ATTACK, **options)).plan
    return plan, fit(plan, folder, jobs=1)


def test_the_plain_loss_is_that_on_record(tmp_path):
    plan, found = trained(tmp_path)
    assert not is_adaptable(plan.recipe)
    recorded = np.stack([read(found.signals, "loss", model, -1)[:, 0] for model in range(4)])
    assert np.allclose(training_losses(plan, found.store), recorded, atol=1e-4)


def test_smoothed_labels_are_part_of_the_loss(tmp_path):
    plan, found = trained(tmp_path, defense="label_smoothing:0.4")
    assert is_adaptable(plan.recipe)
    material = Material.of(plan.dataset, torch.device("cpu"))
    module = reopened(plan.recipe, material, found.store.weights(2))
    with torch.no_grad():
        log_p = torch.log_softmax(module(material.inputs), -1)
    own = log_p[torch.arange(120), material.targets]
    expected = -(0.6 * own + 0.4 * log_p.mean(-1))
    assert np.allclose(training_losses(plan, found.store)[2], expected.numpy(), atol=1e-5)


def test_the_augmentation_is_drawn_anew_for_each_copy(tmp_path):
    plan, found = trained(tmp_path, defense="gaussian_noise:0.5")
    assert is_adaptable(plan.recipe)
    one, many = (training_losses(plan, found.store, draws) for draws in (1, 30))
    again = training_losses(plan, found.store, 30)
    assert np.array_equal(many, again)
    plain = np.stack([read(found.signals, "loss", model, -1)[:, 0] for model in range(4)])
    assert np.abs(many - plain).mean() < np.abs(one - plain).mean()


def test_a_comparison_holds_the_adaptive_attack_where_there_is_one(tmp_path):
    found = vestige.compare(
        "digits",
        ["label_smoothing:0.4", "weight_decay:0.01"],
        seeds=1,
        distance=False,
        out=tmp_path / "run",
        **{name: value for name, value in SMALL.items() if name != "dataset"},
        attack="lira-online-fixed",
    )
    table = found.table.set_index(["defense", "attack", "metric"]).value
    assert ("label_smoothing:0.4", "loss-adaptive", "advantage") in table.index
    assert ("weight_decay:0.01", "loss-adaptive", "advantage") not in table.index
    assert table["label_smoothing:0.4", "loss-adaptive", "advantage"] == pytest.approx(0, abs=1)
