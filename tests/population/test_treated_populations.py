"""Populations whose models treat members apart: the same bytes however computed, and flags on record."""

import dataclasses

import numpy as np
import pytest
import torch

from vestige.core.errors import InputError
from vestige.data.dataset import Dataset
from vestige.data.membership import paired
from vestige.models.catalog import ModelSpec, build
from vestige.population.fit import fit
from vestige.population.plan import Plan
from vestige.signals.measure import Observation
from vestige.training import engines, treating
from vestige.training.engine import Material
from vestige.training.flagged import TREATED
from vestige.training.recipe import Recipe
from vestige.training.reopened import reopened
from vestige.training.sequential import observe
from vestige.training.treatment import Treatment

CPU = torch.device("cpu")
TREATMENTS = {
    "drop": Treatment(share=0.2),
    "smooth": Treatment(share=0.2, action="smooth", flag="memorization"),
    "augment": Treatment(share=0.2, action="augment", flag="centroid"),
}
each = pytest.mark.parametrize("treatment", TREATMENTS.values(), ids=TREATMENTS)


def plan(treatment=None, num_models=8, samples=40):
    generator = np.random.default_rng(0)
    data = Dataset(generator.normal(size=(samples, 5)).astype(np.float32), np.arange(samples) % 3, 3, "toy")
    recipe = Recipe(model=ModelSpec("mlp-6"), epochs=3, batch_size=8, treatment=treatment)
    choice = engines.choose(recipe, build(recipe.model, (5,), 3), num_models, CPU)
    return Plan(data, paired(num_models, samples, 0), recipe, Observation(checkpoints=(0, 3)), choice, 0)


def contents(folder):
    return {
        p.relative_to(folder): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.parent.name != "seconds"
    }


def flags(fitted):
    return torch.stack([fitted.store.weights(model)[TREATED] for model in range(8)]).numpy()


def test_any_number_of_jobs_gives_the_same_bytes(tmp_path):
    for jobs in (1, 2):
        fit(plan(TREATMENTS["smooth"]), tmp_path / str(jobs), jobs=jobs)
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


@each
def test_other_groups_give_the_same_flags_and_the_same_models_up_to_rounding(tmp_path, treatment):
    usual = plan(treatment)
    alone = dataclasses.replace(usual, choice=dataclasses.replace(usual.choice, group=1))
    together, apart = fit(usual, tmp_path / "usual", jobs=1), fit(alone, tmp_path / "apart", jobs=1)
    assert np.array_equal(flags(together), flags(apart))
    for model in range(8):
        values = [fitted.signals.row("scaled_logit", model, 1) for fitted in (together, apart)]
        np.testing.assert_allclose(*values, atol=1e-4)


def test_flags_are_stored_and_membership_stays(tmp_path):
    usual = plan(TREATMENTS["drop"])
    fitted = fit(usual, tmp_path, jobs=1)
    stored = flags(fitted)
    assert stored.dtype == bool
    assert stored.sum(1).tolist() == [4] * 8  # of 20 members each
    assert not (stored & ~usual.membership.mask).any()
    for task in usual.tasks:
        ready = treating.ready(usual.recipe, Material.of(usual.dataset, CPU), task.job, usual.choice.engine)
        rows = ready.flags.numpy() if isinstance(ready, treating.FlaggedJob) else None
        assert np.array_equal(rows, stored[list(task.job.models)])
    assert TREATED not in fit(plan(), tmp_path / "plain", jobs=1).store.weights(0)


def test_a_model_opens_again_without_its_flags(tmp_path):
    usual = plan(TREATMENTS["drop"])
    fitted = fit(usual, tmp_path, jobs=1)
    material = Material.of(usual.dataset, CPU)
    module = reopened(usual.recipe, material, fitted.store.weights(3))
    seen = observe(module, material, usual.observation)[0]["scaled_logit"]
    np.testing.assert_allclose(seen, fitted.signals.row("scaled_logit", 3, 1)[:, 0], atol=1e-5)


@each
def test_progress_ends_at_the_number_of_models(tmp_path, treatment):
    steps = []
    fit(plan(treatment), tmp_path, jobs=1, report=steps.append)
    done = [step.models_done for step in steps]
    assert done == sorted(done)
    assert done[-1] == pytest.approx(8)
    assert done[0] < 1


def test_the_treatment_is_part_of_the_key():
    keys = {plan(one).key for one in (None, *TREATMENTS.values())}
    assert len(keys) == 4


def test_too_few_members_are_refused_before_any_model_trains(tmp_path):
    with pytest.raises(InputError, match="too few for share=1"):
        fit(plan(Treatment(share=1.0)), tmp_path, jobs=1)
    assert contents(tmp_path) == {}
