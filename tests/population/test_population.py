"""A population on disk: resumed, repaired, never stale, never dependent on how it was computed."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from vestige.data.dataset import Dataset
from vestige.data.membership import paired
from vestige.models.catalog import ModelSpec, build
from vestige.population import fit as fitting
from vestige.population.fit import fit, missing
from vestige.population.plan import Plan
from vestige.population.store import Store
from vestige.signals.measure import Observation
from vestige.training import engines
from vestige.training.optimizers import SGD
from vestige.training.recipe import Recipe

NUM_MODELS = 10


def plan(seed=0, num_models=NUM_MODELS, **changes):
    generator = np.random.default_rng(0)
    data = Dataset(generator.normal(size=(40, 5)).astype(np.float32), np.arange(40) % 3, 3, "toy")
    recipe = Recipe(**{"model": ModelSpec("mlp-6"), "epochs": 3, "batch_size": 8, **changes})
    choice = engines.choose(recipe, build(recipe.model, (5,), 3), num_models, torch.device("cpu"))
    return Plan(data, paired(num_models, 40, seed), recipe, Observation(checkpoints=(0, 3)), choice, seed)


def everything(fitted):
    shape = fitted.signals.shape
    return np.stack(
        [fitted.signals.row("scaled_logit", m, c) for m in range(shape[0]) for c in range(shape[1])]
    )


def contents(folder):
    return {
        p.relative_to(folder): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.parent.name != "seconds"
    }


def test_a_second_fit_trains_nothing_and_says_so(tmp_path):
    first, second = fit(plan(), tmp_path, jobs=1), fit(plan(), tmp_path, jobs=1)
    assert (first.trained, first.reused) == (NUM_MODELS, 0)
    assert (second.trained, second.reused) == (0, NUM_MODELS)
    assert (everything(first) == everything(second)).all()


def test_processes_and_serial_give_the_same_bytes(tmp_path):
    fit(plan(), tmp_path / "serial", jobs=1)
    fit(plan(), tmp_path / "processes", jobs=2)
    assert contents(tmp_path / "serial") == contents(tmp_path / "processes")


def test_an_interrupted_run_goes_on_where_it_stopped_with_the_same_bytes(tmp_path, monkeypatch):
    fit(plan(), tmp_path / "whole", jobs=1)
    save, saved = Store.save, []

    def dying(self, task, trained, seconds):
        if len(saved) == 5:
            raise KeyboardInterrupt
        saved.append(trained.model)
        save(self, task, trained, seconds)

    monkeypatch.setattr(Store, "save", dying)
    with pytest.raises(KeyboardInterrupt):
        fit(plan(), tmp_path / "cut", jobs=1)
    monkeypatch.setattr(Store, "save", save)
    resumed = fit(plan(), tmp_path / "cut", jobs=1)
    assert resumed.reused > 0
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


@pytest.mark.parametrize("name", ["scaled_logit/model-00003.npy", "weights/model-00003.safetensors"])
@pytest.mark.parametrize("harm", ["truncate", "flip", "delete"])
def test_a_damaged_model_is_found_and_trained_again(tmp_path, name, harm):
    before = everything(fit(plan(), tmp_path, jobs=1))
    path = Store.of(plan(), tmp_path).folder / name
    whole = path.read_bytes()
    if harm == "truncate":
        path.write_bytes(whole[: len(whole) // 2])
    elif harm == "flip":
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    else:
        path.unlink()
    again = fit(plan(), tmp_path, jobs=1)
    assert again.damaged == (3,)
    assert (everything(again) == before).all()
    assert path.read_bytes() == whole


def test_a_damaged_record_is_found(tmp_path):
    fit(plan(), tmp_path, jobs=1)
    record = Store.of(plan(), tmp_path).folder / "model-00002.json"
    record.write_text(record.read_text()[:30])
    assert fit(plan(), tmp_path, jobs=1).damaged == (2,)


@pytest.mark.parametrize(
    "edited",
    [
        plan(seed=1),
        plan(epochs=4),
        plan(batch_size=9),
        plan(optimizer=SGD(lr=0.06)),
        plan(precision="bf16"),
        plan(model=ModelSpec("mlp-7")),
    ],
)
def test_any_edit_invalidates_the_cache_and_harms_nothing(tmp_path, edited):
    fit(plan(), tmp_path, jobs=1)
    before = contents(tmp_path)
    assert len(missing(edited, Store.of(edited, tmp_path))[0]) == len(edited.tasks)
    fit(edited, tmp_path, jobs=1)
    after = contents(tmp_path)
    assert all(after[path] == data for path, data in before.items())


def test_other_data_or_coins_invalidate_the_cache(tmp_path):
    original = plan()
    inputs = original.dataset.inputs.copy()
    inputs[7, 2] += 1e-3
    other_data = dataclasses.replace(original, dataset=dataclasses.replace(original.dataset, inputs=inputs))
    other_coins = dataclasses.replace(original, membership=paired(NUM_MODELS, 40, 9))
    fit(original, tmp_path, jobs=1)
    for edited in (other_data, other_coins):
        assert len(missing(edited, Store.of(edited, tmp_path))[0]) == len(edited.tasks)


def test_more_models_keep_those_that_were_trained_in_whole_groups(tmp_path):
    fit(plan(num_models=8), tmp_path, jobs=1)
    grown = dataclasses.replace(plan(num_models=12), choice=plan(num_models=8).choice)
    assert fit(grown, tmp_path, jobs=1).reused == 8


def test_models_in_a_larger_population_are_the_same_models(tmp_path):
    small, large = (fit(plan(num_models=n), tmp_path / str(n), jobs=1) for n in (4, 10))
    for model in range(4):
        np.testing.assert_allclose(
            small.signals.row("scaled_logit", model, 1),
            large.signals.row("scaled_logit", model, 1),
            atol=1e-5,
        )


def test_a_trained_model_can_be_opened_again(tmp_path):
    fitted = fit(plan(), tmp_path, jobs=1)
    module = build(ModelSpec("mlp-6"), (5,), 3)
    module.load_state_dict(fitted.store.weights(4))
    from vestige.signals.measure import measure

    data = plan().dataset
    with torch.no_grad():
        logits = module(torch.from_numpy(data.inputs))
    phi = measure(logits, torch.from_numpy(data.targets), None, ("scaled_logit",))["scaled_logit"]
    np.testing.assert_allclose(phi, fitted.signals.row("scaled_logit", 4, 1)[:, 0], atol=1e-5)


def test_progress_counts_models(tmp_path):
    steps = []
    fit(plan(), tmp_path, jobs=1, report=steps.append)
    assert steps[-1].models_done == NUM_MODELS
    assert steps[0].models_done < NUM_MODELS
    assert steps[-1].seconds_left == 0


def test_files_are_readable_without_vestige(tmp_path):
    fitted = fit(plan(), tmp_path, jobs=1)
    values = np.load(fitted.store.folder / "scaled_logit" / "model-00000.npy", allow_pickle=False)
    assert values.shape == (2, 40, 1)
    assert json.loads((fitted.store.folder / "model-00000.json").read_text())["key"] == plan().tasks[0].key


def test_a_function_of_the_running_script_is_trained_here(tmp_path, monkeypatch):
    def refuse(*_):
        raise AssertionError("sent to another process")

    monkeypatch.setattr(fitting.executors, "processes", refuse)
    import __main__

    monkeypatch.setattr(__main__, "tiny", lambda shape, num_classes: torch.nn.Linear(5, 3), raising=False)
    fit(plan(model=ModelSpec("__main__:tiny")), tmp_path, jobs=2)
