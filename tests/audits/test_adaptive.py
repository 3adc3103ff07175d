import numpy as np
import pytest
import torch

import vestige
from vestige.audits.adaptive import adapted, is_adaptable
from vestige.audits.options import Options
from vestige.audits.preparation import prepare
from vestige.core import seeds
from vestige.core.errors import InputError
from vestige.population.fit import fit
from vestige.signals.source import read
from vestige.training import teaching
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
    assert np.allclose(adapted(plan, found.store).losses, recorded, atol=1e-4)


def test_smoothed_labels_are_part_of_the_loss(tmp_path):
    plan, found = trained(tmp_path, defense="label_smoothing:0.4")
    assert is_adaptable(plan.recipe)
    material = Material.of(plan.dataset, torch.device("cpu"))
    module = reopened(plan.recipe, material, found.store.weights(2))
    with torch.no_grad():
        log_p = torch.log_softmax(module(material.inputs), -1)
    own = log_p[torch.arange(120), material.targets]
    expected = -(0.6 * own + 0.4 * log_p.mean(-1))
    assert np.allclose(adapted(plan, found.store).losses[2], expected.numpy(), atol=1e-5)


def test_the_augmentation_is_drawn_anew_for_each_copy(tmp_path):
    plan, found = trained(tmp_path, defense="gaussian_noise:0.5")
    assert is_adaptable(plan.recipe)
    one, many = (adapted(plan, found.store, draws).losses for draws in (1, 30))
    again = adapted(plan, found.store, 30).losses
    assert np.array_equal(many, again)
    plain = np.stack([read(found.signals, "loss", model, -1)[:, 0] for model in range(4)])
    assert np.abs(many - plain).mean() < np.abs(one - plain).mean()


def test_a_distilled_model_is_held_against_its_own_teacher(tmp_path):
    plan, found = trained(tmp_path, defense="distillation:3")
    assert is_adaptable(plan.recipe)
    observed = adapted(plan, found.store)
    material = Material.of(plan.dataset, torch.device("cpu"))
    for task in plan.tasks:
        said = teaching.teachers_say(plan.recipe, material, task.job, plan.choice.engine)
        learned = teaching.teach(plan.recipe, material, task.job, plan.choice.engine)
        for place, (model, members) in enumerate(zip(task.job.models, task.job.members, strict=True)):
            assert torch.equal(learned[place][members], said[place][members])
            assert torch.allclose(said[place].sum(1), torch.ones(120), atol=1e-5)
            with torch.no_grad():
                log_p = torch.log_softmax(
                    reopened(plan.recipe, material, found.store.weights(model))(material.inputs), -1
                )
            expected = -(said[place] * log_p).sum(-1).numpy()
            assert np.allclose(observed.losses[model], expected, atol=1e-5)
    assert np.array_equal(observed.statistic, -observed.losses)


def test_a_recipe_without_a_teacher_is_refused(tmp_path):
    plan, _ = trained(tmp_path)
    material = Material.of(plan.dataset, torch.device("cpu"))
    with pytest.raises(InputError, match="no teacher"):
        teaching.teachers_say(plan.recipe, material, plan.tasks[0].job, plan.choice.engine)


def test_likelihood_ratios_are_taken_of_queries_as_training_drew_them(tmp_path):
    plan, found = trained(tmp_path, defense="gaussian_noise:0.5")
    observed = adapted(plan, found.store, 7)
    assert np.array_equal(observed.statistic, observed.scaled_logits)
    material = Material.of(plan.dataset, torch.device("cpu"))
    noise = torch.Generator().manual_seed(seeds.derive(plan.seed, "adaptive"))
    total = np.zeros((4, 120))
    for _ in range(7):  # every model answers the same copies
        copies = plan.recipe.augmentation(material.inputs, noise)
        for model in range(4):
            with torch.no_grad():
                p = torch.softmax(
                    reopened(plan.recipe, material, found.store.weights(model))(copies).double(), -1
                )
            own = p[torch.arange(120), material.targets]
            total[model] += (own.log() - torch.log1p(-own)).numpy()
    assert np.allclose(observed.scaled_logits, total / 7, atol=1e-3)


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
    assert ("label_smoothing:0.4", "lira-adaptive", "tpr@0.01") in table.index
    assert ("weight_decay:0.01", "label-only", "advantage") in table.index
    assert -1 <= table["label_smoothing:0.4", "loss-adaptive", "advantage"] <= 1
