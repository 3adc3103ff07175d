import numpy as np
import pytest
import torch

from vestige.audits import distances as module_of
from vestige.audits.distances import Survey, distances
from vestige.core.errors import InputError
from vestige.data.dataset import Dataset
from vestige.data.membership import paired
from vestige.models.catalog import ModelSpec, build
from vestige.population.fit import fit
from vestige.population.plan import Plan
from vestige.risk.known import known_members
from vestige.signals.distance import distance_to_confident, label_losses
from vestige.signals.level import Absolute
from vestige.signals.measure import Observation
from vestige.signals.source import read
from vestige.signals.walk import Walk
from vestige.stats.roc import roc
from vestige.training import engines
from vestige.training.optimizers import Adam
from vestige.training.recipe import Recipe

SMALL = Survey(samples=60, known=10)


def plan(samples=240, models=6, epochs=60):
    random = np.random.default_rng(0)
    targets = np.arange(samples) % 3
    inputs = random.normal(size=(samples, 8)) + 1.2 * np.eye(3, 8)[targets]
    data = Dataset(inputs.astype(np.float32), targets, 3, "blobs")
    recipe = Recipe(model=ModelSpec("mlp-32"), optimizer=Adam(lr=0.01), epochs=epochs, batch_size=32)
    choice = engines.choose(recipe, build(recipe.model, (8,), 3), models, torch.device("cpu"))
    return Plan(data, paired(models, samples, 0), recipe, Observation(checkpoints=(0, epochs)), choice, 0)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder, planned = tmp_path_factory.mktemp("run"), plan()
    return planned, folder, fit(planned, folder, jobs=1)


def test_members_are_nearer_and_the_losses_are_those_on_record(trained):
    planned, folder, fitted = trained
    found = distances(planned, folder, SMALL)
    assert found.models == (0, 1, 2, 3)
    assert found.clusters.tolist() == [0, 0, 1, 1]
    for model, row in enumerate(found.scores):
        measured = ~np.isnan(row)
        own = planned.membership.mask[model]
        assert (measured & own).sum() == (measured & ~own).sum() == 60
        recorded = read(fitted.signals, "loss", model, 1)[:, 0]
        np.testing.assert_allclose(found.losses[model][measured], recorded[measured], atol=1e-4)
        assert np.isnan(found.losses[model][~measured]).all()
    assert roc(found.scores, found.member).auc > 0.6
    assert found.censor_rate < 0.05
    assert found.note == ""
    gained = known_members(found.scores, found.member, found.clusters)
    assert gained.powerful.estimate.value > 0.05
    assert gained.known.tolist() == [30] * 4


def test_the_scores_are_those_of_the_stored_model(trained):
    planned, folder, fitted = trained
    survey = Survey(samples=20, known=10, models=1, level=Absolute(confidence=0.8), boxed=False)
    found = distances(planned, folder, survey)
    module = build(planned.recipe.model, (8,), 3)
    module.load_state_dict(fitted.store.weights(0))
    chosen = found.found[0].samples
    inputs = torch.from_numpy(planned.dataset.as_floats())[chosen]
    targets = torch.from_numpy(planned.dataset.targets)[chosen]
    alone = distance_to_confident(module, inputs, targets, Absolute(confidence=0.8))
    np.testing.assert_allclose(found.scores[0][chosen], -alone.values, atol=1e-4)
    np.testing.assert_allclose(found.losses[0][chosen], label_losses(module, inputs, targets), atol=1e-4)


def test_members_that_set_the_level_are_not_measured(trained):
    planned, folder, _ = trained
    found = distances(planned, folder, Survey(models=2))
    for model in (0, 1):
        own = planned.membership.mask[model]
        measured = ~np.isnan(found.scores[model])
        assert (own & ~measured).sum() == own.sum() // 5
        assert measured[~own].all()


def test_a_second_call_measures_nothing(trained, monkeypatch):
    planned, folder, _ = trained
    first = distances(planned, folder, SMALL)
    files = sorted((folder / "distances").glob("*.npz"))
    before = [(path.stat().st_mtime_ns, path.read_bytes()) for path in files]
    monkeypatch.setattr(module_of, "distance_to_confident", None)
    second = distances(planned, folder, SMALL)
    np.testing.assert_array_equal(first.scores, second.scores)
    assert second.censor_rate == first.censor_rate
    fewer = distances(planned, folder, Survey(samples=60, known=10, models=2))
    np.testing.assert_array_equal(fewer.scores, first.scores[:2])
    assert [(path.stat().st_mtime_ns, path.read_bytes()) for path in files] == before


@pytest.mark.parametrize(
    "other",
    [
        Survey(samples=59, known=10),
        Survey(samples=60, known=10, boxed=False),
        Survey(samples=60, known=10, walk=Walk(norm="linf")),
        Survey(samples=60, known=10, level=Absolute(confidence=0.7)),
    ],
    ids=["samples", "box", "norm", "level"],
)
def test_another_question_is_not_answered_from_the_cache(trained, other):
    planned, folder, _ = trained
    assert not np.array_equal(
        distances(planned, folder, SMALL).scores, distances(planned, folder, other).scores, equal_nan=True
    )


def test_a_damaged_file_is_measured_again(trained):
    planned, folder, _ = trained
    survey = Survey(samples=15, known=5, models=1)
    names = {path.name for path in (folder / "distances").glob("*")}
    first = distances(planned, folder, survey)
    (path,) = [path for path in (folder / "distances").glob("*") if path.name not in names]
    whole = path.read_bytes()
    for damage in (whole[:100], b"", b"nothing"):
        path.write_bytes(damage)
        np.testing.assert_array_equal(distances(planned, folder, survey).scores, first.scores)
    np.savez(path, other=np.zeros(3))
    np.testing.assert_array_equal(distances(planned, folder, survey).scores, first.scores)


def test_progress_rises_to_the_number_of_models(trained):
    planned, folder, _ = trained
    steps = []
    distances(planned, folder, Survey(samples=10, known=5, models=2), listener=steps.append)
    assert {step.stage for step in steps} == {"distance"}
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert (steps[-1].done, steps[-1].total) == (2, 2)


def test_models_that_are_not_there_are_named(tmp_path):
    with pytest.raises(InputError, match=r"model 0 .* is absent"):
        distances(plan(), tmp_path, SMALL)


def test_surveys_are_checked():
    with pytest.raises(InputError, match="samples=0"):
        Survey(samples=0)
