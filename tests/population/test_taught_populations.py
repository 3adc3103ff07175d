"""Populations with teachers, or with private training: the same bytes however computed, refused in time."""

import dataclasses

import numpy as np
import pytest
import torch

from vestige.core.errors import InputError
from vestige.data.dataset import Dataset
from vestige.data.membership import paired
from vestige.models.catalog import ModelSpec, build
from vestige.population.executors import may_leave
from vestige.population.fit import fit
from vestige.population.plan import Plan
from vestige.signals.measure import Observation
from vestige.training import engines
from vestige.training.engine import Material
from vestige.training.privacy import DPSGD
from vestige.training.recipe import Recipe
from vestige.training.reopened import reopened
from vestige.training.sequential import observe
from vestige.training.targets import Distilled, SplitTaught

CHANGES = {
    "distilled": {"targets": Distilled(temperature=3.0)},
    "split": {"targets": SplitTaught(submodels=5, left_out=2)},
    "private": {"privacy": DPSGD(delta=1e-3, epsilon=4.0, accountant="rdp")},
}
each = pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)


def plan(num_models=8, samples=40, **changes):
    generator = np.random.default_rng(0)
    data = Dataset(generator.normal(size=(samples, 5)).astype(np.float32), np.arange(samples) % 3, 3, "toy")
    recipe = Recipe(**{"model": ModelSpec("mlp-6"), "epochs": 3, "batch_size": 8, **changes})
    choice = engines.choose(recipe, build(recipe.model, (5,), 3), num_models, torch.device("cpu"))
    return Plan(data, paired(num_models, samples, 0), recipe, Observation(checkpoints=(0, 3)), choice, 0)


def contents(folder):
    return {
        p.relative_to(folder): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.parent.name != "seconds"
    }


@each
def test_any_number_of_jobs_gives_the_same_bytes(tmp_path, changes):
    for jobs in (1, 2):
        fit(plan(**changes), tmp_path / str(jobs), jobs=jobs)
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


@each
def test_other_groups_give_the_same_models_up_to_rounding(tmp_path, changes):
    usual = plan(**changes)
    apart = dataclasses.replace(usual, choice=dataclasses.replace(usual.choice, group=1))
    one, two = fit(usual, tmp_path / "usual", jobs=1), fit(apart, tmp_path / "apart", jobs=1)
    for model in range(8):
        values = [fitted.signals.row("scaled_logit", model, 1) for fitted in (one, two)]
        np.testing.assert_allclose(*values, atol=1e-4)


@each
def test_progress_ends_at_the_number_of_models_and_teachers_count(tmp_path, changes):
    steps = []
    fit(plan(**changes), tmp_path, jobs=1, report=steps.append)
    done = [step.models_done for step in steps]
    assert done == sorted(done)
    assert done[-1] == pytest.approx(8)
    assert done[0] < 1


@each
def test_the_edit_is_part_of_the_key(changes):
    assert plan(**changes).key != plan().key


def test_a_private_model_opens_again_with_the_layers_that_were_trained(tmp_path):
    usual = plan(model=ModelSpec(f"{__name__}:normalized"), **CHANGES["private"])
    fitted = fit(usual, tmp_path, jobs=1)
    material = Material.of(usual.dataset, torch.device("cpu"))
    module = reopened(usual.recipe, material, fitted.store.weights(3))
    seen = observe(module, material, usual.observation)[0]["scaled_logit"]
    np.testing.assert_allclose(seen, fitted.signals.row("scaled_logit", 3, 1)[:, 0], atol=1e-5)


def normalized(shape, num_classes):
    return torch.nn.Sequential(
        torch.nn.Linear(shape[0], 4),
        torch.nn.BatchNorm1d(4),
        torch.nn.ReLU(),
        torch.nn.Linear(4, num_classes),
    )


def test_too_few_members_are_refused_before_any_model_trains(tmp_path):
    with pytest.raises(InputError, match="sub-model"):
        fit(plan(samples=6, targets=SplitTaught()), tmp_path, jobs=1)
    assert contents(tmp_path) == {}


def test_a_budget_out_of_reach_is_refused_before_any_model_trains(tmp_path):
    hopeless = DPSGD(delta=1e-300, epsilon=1e-9, accountant="rdp")
    with pytest.raises(InputError, match="out of reach"):
        fit(plan(privacy=hopeless, batch_size=20), tmp_path, jobs=1)
    assert contents(tmp_path) == {}


def test_a_teacher_of_the_running_script_keeps_the_plan_here():
    teacher = Recipe(model=ModelSpec("__main__:tiny"))
    usual = plan()
    recipe = dataclasses.replace(usual.recipe, targets=Distilled(teacher=teacher))
    assert may_leave(usual, None)
    assert not may_leave(dataclasses.replace(usual, recipe=recipe), 2)
