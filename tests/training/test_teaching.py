"""Teachers against trainings written out by hand; nobody is taught by a model that trained on them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from vestige.core import seeds
from vestige.core.errors import InputError
from vestige.data.dataset import Dataset
from vestige.data.transforms import GaussianNoise, HorizontalFlip
from vestige.models.catalog import ModelSpec, build
from vestige.signals.measure import Observation
from vestige.training import engines, sequential, teaching
from vestige.training.engine import Job, Material
from vestige.training.losses import CrossEntropy
from vestige.training.mixing import Mixup
from vestige.training.optimizers import SGD
from vestige.training.privacy import DPSGD
from vestige.training.recipe import Recipe
from vestige.training.targets import Distilled, Labels, SplitTaught

CPU = torch.device("cpu")
SPLIT = SplitTaught(submodels=5, left_out=2)
END = Observation(checkpoints=(3,))


def material(samples=60, shape=(6,), classes=3):
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(samples, *shape)).astype(np.float32)
    return Material.of(Dataset(inputs, np.arange(samples) % classes, classes, "toy"), CPU)


def job(models=(4, 5, 6), sizes=(33, 40, 33), seed=7):
    generator = np.random.default_rng(1)
    members = tuple(np.sort(generator.permutation(60)[:size]) for size in sizes)
    return Job(models, members, seed)


def recipe(**changes):
    fields = {"model": ModelSpec("mlp-9-8"), "epochs": 3, "batch_size": 8, "optimizer": SGD(lr=0.2)}
    return Recipe(**{**fields, **changes})


def silent(_):
    return None


def rows_by_hand(r, members, model, seed, temperature=1.0, shape=(6,), classes=3):
    """Train one model in the sequential loop and ask it about everybody."""
    m = material(shape=shape, classes=classes)
    (trained,) = sequential.train(
        r, m, Job((model,), (members,), seed), Observation(checkpoints=(0,)), silent
    )
    module = build(r.model, shape, classes)
    module.load_state_dict(trained.weights)
    module.eval()
    with torch.no_grad():
        return torch.softmax(sequential.as_columns(module(m.inputs)) / temperature, -1)


@pytest.mark.parametrize("engine", ["sequential", "stacked", "vmapped"])
def test_distilled_rows_are_those_of_a_teacher_trained_by_hand(engine):
    r = recipe(targets=Distilled(temperature=4.0), loss=CrossEntropy(label_smoothing=0.3))
    soft = teaching.teach(r, material(), job(), engine)
    assert soft is not None
    assert soft.shape == (3, 60, 3)
    assert soft.dtype == torch.float32
    for row, model, members in zip(soft, job().models, job().members, strict=True):
        expected = rows_by_hand(recipe(), members, model, seeds.derive(7, "teacher"), temperature=4.0)
        torch.testing.assert_close(row[members], expected[members], atol=2e-5, rtol=1e-4)
        others = np.setdiff1d(np.arange(60), members)
        assert (row[others] == 0).all()


@pytest.mark.parametrize("engine", ["sequential", "stacked", "vmapped"])
def test_split_rows_are_the_mean_of_submodels_trained_by_hand_without_the_member(engine):
    soft = teaching.teach(recipe(targets=SPLIT), material(), job(), engine)
    assert soft is not None
    model, members = job().models[1], job().members[1]
    out = teaching.left_out(SPLIT, 7, model, members)
    said = torch.stack(
        [
            rows_by_hand(recipe(), members[~absent], number, seeds.derive(7, "sub-models", model))
            for number, absent in enumerate(out)
        ]
    )
    for place, member in enumerate(members):
        expected = said[torch.from_numpy(out[:, place]), member].mean(0)
        torch.testing.assert_close(soft[1, member], expected, atol=2e-5, rtol=1e-4)


def test_each_member_is_left_out_by_exactly_so_many_and_trained_on_by_the_others():
    members = job().members[0]
    out = teaching.left_out(SPLIT, 7, 4, members)
    assert (out.sum(0) == 2).all()
    parts = teaching.submembers(SPLIT, 7, 4, members)
    for part, absent in zip(parts, out, strict=True):
        assert set(part) == set(members) - set(members[absent])
    assert not (out == teaching.left_out(SPLIT, 7, 5, members)).all()
    assert not (out == teaching.left_out(SPLIT, 8, 4, members)).all()


def test_every_submodel_is_as_likely_to_leave_a_member_out():
    shares = teaching.left_out(SplitTaught(), 0, 0, np.arange(4000)).mean(1)
    assert np.abs(shares - 0.4).max() < 4 * (0.4 * 0.6 / 4000) ** 0.5


def test_no_submodel_teaches_what_it_trained_on(monkeypatch):
    asked = []
    says, trained = teaching._says, teaching.trained_first

    def spied_training(r, m, own, engine, progress):
        done = trained(r, m, own, engine, progress)
        spied.update({id(one.weights): set(members) for one, members in zip(done, own.members, strict=True)})
        return done

    def spied_answer(r, m, one, samples, temperature=1.0):
        asked.append((spied[id(one.weights)], set(samples)))
        return says(r, m, one, samples, temperature)

    spied: dict[int, set[int]] = {}
    kept = []
    monkeypatch.setattr(
        teaching, "trained_first", lambda *args: kept.append(spied_training(*args)) or kept[-1]
    )
    monkeypatch.setattr(teaching, "_says", spied_answer)
    teaching.teach(recipe(targets=SPLIT), material(), job(), "stacked")
    assert len(asked) == 15
    assert all(samples and not members & samples for members, samples in asked)


def test_memorized_noise_shows_in_distilled_rows_and_not_in_split_ones():
    """Labels are random: only who trained on a sample can know its label."""
    r = recipe(epochs=150, model=ModelSpec("mlp-64"), optimizer=SGD(lr=0.3))
    own = job(models=(4,), sizes=(40,))
    members = torch.from_numpy(own.members[0])
    labels = material().targets[members]

    def hits(targets):
        soft = teaching.teach(replace(r, targets=targets), material(), own, "stacked")
        assert soft is not None
        return float((soft[0, members].argmax(-1) == labels).float().mean())

    assert hits(Distilled()) == 1.0
    assert hits(SPLIT) < 0.6


@pytest.mark.parametrize("targets", [Distilled(temperature=2.0), SPLIT], ids=["distilled", "split"])
def test_rows_do_not_depend_on_company_and_repeat(targets):
    r = recipe(targets=targets)
    whole = teaching.teach(r, material(), job(), "stacked")
    again = teaching.teach(r, material(), job(), "stacked")
    other = teaching.teach(r, material(), job(seed=8), "stacked")
    assert whole is not None
    assert again is not None
    assert other is not None
    assert torch.equal(whole, again)
    assert not torch.equal(whole, other)
    alone = teaching.teach(r, material(), job().at([2]), "stacked")
    assert alone is not None
    torch.testing.assert_close(alone[0], whole[2], atol=1e-6, rtol=1e-5)
    rows = whole[0, job().members[0]]
    torch.testing.assert_close(rows.sum(-1), torch.ones(len(rows)), atol=1e-5, rtol=0)


def test_teaching_leaves_the_callers_random_state_alone():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    teaching.teach(recipe(targets=SPLIT), material(), job(), "sequential")
    assert torch.equal(before, torch.get_rng_state())


def test_plain_recipes_have_no_teachers():
    assert teaching.teach(recipe(), material(), job(), "stacked") is None
    assert teaching.teacher_of(recipe()) is None
    assert list(teaching.lineage(recipe())) == [recipe()]


def test_the_usual_teacher_has_the_students_rule_and_none_of_its_defenses():
    defended = recipe(
        targets=Distilled(),
        loss=CrossEntropy(label_smoothing=0.3),
        augmentation=GaussianNoise(0.1),
        mixing=Mixup(alpha=1.0),
    )
    assert teaching.teacher_of(defended) == recipe()


def test_a_teacher_may_have_a_recipe_of_its_own_and_teachers_too():
    first = recipe(model=ModelSpec("mlp-5"), epochs=2)
    second = recipe(targets=Distilled(temperature=2.0, teacher=first), epochs=4)
    third = recipe(targets=replace(SPLIT, teacher=second))
    assert list(teaching.lineage(third)) == [third, second, first]
    assert teaching.epochs_per_model(third) == 3 + 5 * (4 + 2)
    epochs = []
    soft = teaching.teach(third, material(), job(), "stacked", epochs.append)
    assert sum(epochs) == 3 * 5 * (4 + 2)
    assert soft is not None


def test_a_teacher_that_the_students_engine_cannot_train_gets_another():
    r = recipe(model=ModelSpec("mlp-9"), targets=Distilled(teacher=recipe(model=ModelSpec("convnet-1"))))
    shape = (3, 8, 8)
    soft = teaching.teach(r, material(shape=shape), job(models=(4,), sizes=(33,)), "stacked")
    assert soft is not None
    expected = rows_by_hand(
        recipe(model=ModelSpec("convnet-1")), job().members[0], 4, seeds.derive(7, "teacher"), shape=shape
    )
    members = job(models=(4,), sizes=(33,)).members[0]
    torch.testing.assert_close(soft[0, members], expected[members], atol=2e-5, rtol=1e-4)


def test_a_private_teacher_trains_privately():
    private = recipe(privacy=DPSGD(delta=1e-3, noise=1.0))
    r = recipe(targets=Distilled(teacher=private))
    soft = teaching.teach(r, material(), job(), "sequential")
    assert soft is not None
    plain = teaching.teach(recipe(targets=Distilled()), material(), job(), "sequential")
    assert plain is not None
    assert not torch.equal(soft, plain)


def test_binary_models_with_one_logit_are_taught_by_pairs():
    r = recipe(model=ModelSpec(f"{__name__}:one_logit"), targets=Distilled())
    soft = teaching.teach(r, material(classes=2), job(), "stacked")
    assert soft is not None
    expected = rows_by_hand(recipe(model=r.model), job().members[0], 4, seeds.derive(7, "teacher"), classes=2)
    torch.testing.assert_close(soft[0, job().members[0]], expected[job().members[0]], atol=2e-5, rtol=1e-4)


def one_logit(shape, num_classes):
    return torch.nn.Sequential(torch.nn.Linear(shape[0], 5), torch.nn.Tanh(), torch.nn.Linear(5, 1))


def test_too_few_members_for_the_submodels_are_refused_by_name():
    few = Job((4,), (np.arange(3),), 7)
    r = recipe(targets=SplitTaught())
    with pytest.raises(InputError, match=r"model 4 has 3 members.*smaller left_out"):
        teaching.require(r, few)
    teaching.require(r, Job((4,), (np.arange(60),), 7))
    teaching.require(recipe(), few)


@pytest.mark.parametrize("train", [engines.ENGINES["sequential"], engines.ENGINES["stacked"]])
def test_a_student_learns_the_rows_and_not_the_labels(train):
    """Rows that name one class for everybody make a student that says so."""
    r = recipe(targets=Distilled(), epochs=3)
    rows = torch.zeros(3, 60, 3)
    rows[..., 2] = 1.0
    trained = train(r, material(), replace(job(), soft=rows), END, silent)
    labels = material().targets.numpy()
    for one, members in zip(trained, job().members, strict=True):
        correct = one.signals["correct"][0, members, 0]
        assert (correct == (labels[members] == 2)).mean() > 0.95


def test_groups_are_small_where_each_model_brings_its_own():
    module = build(ModelSpec("mlp-9-8"), (6,), 3)
    sizes = [
        engines.choose(recipe(targets=targets), module, models, CPU).group
        for targets in (SPLIT, Distilled(), Labels())
        for models in (64, 8, 2)
    ]
    assert sizes == [4, 2, 1, 16, 2, 1, 16, 2, 1]


def test_augmentation_of_the_student_is_not_the_teachers():
    r = recipe(targets=Distilled(), augmentation=HorizontalFlip())
    soft = teaching.teach(r, material(shape=(3, 8, 8)), job(), "sequential")
    plain = teaching.teach(recipe(targets=Distilled()), material(shape=(3, 8, 8)), job(), "sequential")
    assert soft is not None
    assert plain is not None
    assert torch.equal(soft, plain)
