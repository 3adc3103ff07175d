"""Many plans in one pool: the same bytes as alone, one count of progress, one task at a time."""

import dataclasses

import numpy as np
import pytest
import torch

from vestige.core.errors import InputError
from vestige.data.dataset import Dataset
from vestige.data.membership import paired
from vestige.models.catalog import ModelSpec, build
from vestige.population import executors, fit
from vestige.population.plan import Plan
from vestige.population.store import SCRATCH, Store
from vestige.signals.measure import Observation
from vestige.training import engines
from vestige.training.optimizers import SAM
from vestige.training.recipe import Recipe


def plan(seed=0, num_models=6, samples=30, **changes):
    generator = np.random.default_rng(seed)
    data = Dataset(generator.normal(size=(samples, 5)).astype(np.float32), np.arange(samples) % 3, 3, "toy")
    recipe = Recipe(**{"model": ModelSpec("mlp-6"), "epochs": 3, "batch_size": 8, **changes})
    choice = engines.choose(recipe, build(recipe.model, (5,), 3), num_models, torch.device("cpu"))
    coins = paired(num_models, samples, seed)
    return Plan(data, coins, recipe, Observation(checkpoints=(0, 2, recipe.epochs)), choice, seed)


def plans():
    """Of other data, sizes, epochs and rules."""
    return [
        plan(),
        plan(seed=1, samples=40, epochs=7),
        plan(optimizer=SAM()),
        plan(num_models=8, model=ModelSpec("mlp-4-relu")),
    ]


def contents(folder):
    return {
        p.relative_to(folder): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.parent.name != "seconds"
    }


def folders(parent, count):
    return [parent / str(i) for i in range(count)]


def works(some, parent):
    return {
        place: executors.Work(fit.Assignment.of(one, Store(parent / str(place))), list(one.tasks))
        for place, one in enumerate(some)
    }


@pytest.mark.parametrize("jobs", [1, 3])
def test_company_changes_no_byte(tmp_path, jobs):
    for one, folder in zip(plans(), folders(tmp_path / "apart", 4), strict=True):
        fit.fit(one, folder, jobs=1)
    together = fit.fit_all(plans(), folders(tmp_path / "together", 4), jobs=jobs)
    assert [fitted.trained for fitted in together] == [6, 6, 6, 8]
    assert contents(tmp_path / "together") == contents(tmp_path / "apart")


def test_what_is_there_is_not_trained_again(tmp_path):
    places = folders(tmp_path, 4)
    fit.fit(plans()[1], places[1], jobs=1)
    fitted = fit.fit_all(plans(), places, jobs=1)
    assert [(one.trained, one.reused) for one in fitted] == [(6, 0), (0, 6), (6, 0), (8, 0)]
    assert [one.trained for one in fit.fit_all(plans(), places, jobs=2)] == [0, 0, 0, 0]
    assert fitted[1].signals.shape == (6, 3, 40, 1)


@pytest.mark.parametrize("jobs", [1, 2])
def test_progress_counts_the_models_of_all_plans(tmp_path, jobs):
    steps = []
    fit.fit_all(plans(), folders(tmp_path, 4), jobs=jobs, report=steps.append)
    done = [step.models_done for step in steps]
    assert done == sorted(done)
    assert {step.models_total for step in steps} == {26}
    assert done[-1] == 26
    assert done[0] < 13 or jobs > 1  # processes may finish between two looks


def test_only_what_other_processes_cannot_train_stays_here(tmp_path, monkeypatch):
    here, sent = [], []
    monkeypatch.setattr(executors, "serial", lambda works, report: here.extend(works))
    monkeypatch.setattr(executors, "processes", lambda works, report, jobs: sent.extend(works))
    import __main__

    monkeypatch.setattr(__main__, "tiny", lambda shape, num_classes: torch.nn.Linear(5, 3), raising=False)
    mixed = [plan(), plan(model=ModelSpec("__main__:tiny")), plan(seed=2)]
    mixed.append(dataclasses.replace(plan(seed=3), device="cuda"))
    monkeypatch.setattr(executors, "default_jobs", lambda: 2)
    fit._train(mixed, works(mixed, tmp_path), None, lambda _: None)
    assert (sent, here) == ([0, 2], [1, 3])


def test_processes_share_a_gpu_where_they_are_asked_for(tmp_path, monkeypatch):
    sent = []
    monkeypatch.setattr(executors, "processes", lambda works, report, jobs: sent.append((list(works), jobs)))
    on_gpu = [dataclasses.replace(plan(seed=3), device="cuda")]
    fit._train(on_gpu, works(on_gpu, tmp_path), 2, lambda _: None)
    assert sent == [([0], 2)]


def test_a_worker_keeps_the_data_of_one_plan(tmp_path):
    for place, work in works(plans()[:2], tmp_path).items():
        with executors._assignment_path(tmp_path, place).open("wb") as handle:
            executors.dump(work.assignment, handle)
    post = executors._Post(tmp_path)
    first = post.worker_for(0)
    assert post.worker_for(0) is first
    assert len(first.material.inputs) == 30
    assert len(post.worker_for(1).material.inputs) == 40
    assert post.worker is not first


def test_two_plans_for_one_place_are_refused(tmp_path):
    with pytest.raises(InputError, match="two plans would write to"):
        fit.fit_all([plan(), plan()], [tmp_path, tmp_path], jobs=1)
    assert fit.fit_all([plan(), plan(seed=1)], [tmp_path, tmp_path], jobs=1)[1].trained == 6


def test_no_plans_are_no_work():
    assert fit.fit_all([], []) == []


def test_scratch_is_gone_afterwards_and_so_are_leftovers_of_a_killed_run(tmp_path):
    store = Store.of(plan(), tmp_path)
    leftover = store.folder / f"{SCRATCH}killed"
    leftover.mkdir(parents=True)
    (leftover / "scaled_logit-0.npy").write_bytes(b"half")
    fit.fit(plan(), tmp_path, jobs=1)
    assert list(store.folder.glob(f"{SCRATCH}*")) == []
