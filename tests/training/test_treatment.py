"""Flagged members against slow twins; nobody but a model's own members has a part in who is flagged."""

import dataclasses

import numpy as np
import pytest
import torch
from torch.nn import functional

from vestige.core import seeds
from vestige.core.errors import InputError
from vestige.data import sources
from vestige.data.corruption import with_label_noise
from vestige.data.dataset import Dataset
from vestige.data.transforms import HorizontalFlip, Identity
from vestige.models.catalog import ModelSpec, build
from vestige.signals.measure import Observation
from vestige.training import engines, identification, proxies, sequential, teaching, treating
from vestige.training.engine import Job, Material
from vestige.training.flagged import FlaggedJob, augmented, flags_of, kept_beside
from vestige.training.losses import CrossEntropy, RelaxLoss
from vestige.training.mixing import Mixup
from vestige.training.optimizers import SGD
from vestige.training.privacy import DPSGD
from vestige.training.recipe import Conflict, Recipe
from vestige.training.targets import Distilled, DisturbedLabels, SplitTaught
from vestige.training.treatment import ACTIONS, FLAGS, Treatment
from vestige.vulnerability.outlierness import outlierness

CPU = torch.device("cpu")
SAMPLES, CLASSES, SHAPE, SEED = 60, 3, (6,), 7
END = Observation(checkpoints=(3,))
FAST = ("stacked", "vmapped")
each_engine = pytest.mark.parametrize("engine", ["sequential", *FAST])
each_flag = pytest.mark.parametrize("flag", FLAGS)


def inputs():
    return np.random.default_rng(0).normal(size=(SAMPLES, *SHAPE)).astype(np.float32)


def material(values=None, labels=None):
    values = inputs() if values is None else values
    labels = np.arange(SAMPLES) % CLASSES if labels is None else labels
    return Material.of(Dataset(values, labels, CLASSES, "toy"), CPU)


def job(sizes=(33, 40)):
    generator = np.random.default_rng(1)
    members = tuple(np.sort(generator.permutation(SAMPLES)[:size]) for size in sizes)
    return Job(tuple(range(4, 4 + len(sizes))), members, SEED)


def recipe(**changes):
    fields = {"model": ModelSpec("mlp-9-8"), "epochs": 3, "batch_size": 8, "optimizer": SGD(lr=0.2)}
    return Recipe(**{**fields, **changes})


def treating_recipe(**options):
    return recipe(treatment=Treatment(**options))


def silent(_):
    return None


def trained(r, m, j, engine="sequential"):
    ready = treating.ready(r, m, j, engine)
    return engines.named(engine)(r, m, ready, END, silent)


def equal(one, other):
    return all(
        torch.equal(a.weights[name], b.weights[name])
        and all(np.array_equal(a.signals[key], b.signals[key]) for key in a.signals)
        for a, b in zip(one, other, strict=True)
        for name in a.weights
    )


def module_by_hand(members, model, seed):
    (found,) = sequential.train(recipe(), material(), Job((model,), (members,), seed), END, silent)
    module = build(recipe().model, SHAPE, CLASSES)
    module.load_state_dict(found.weights)
    return module.eval().requires_grad_(False)


def scores_by_hand(flag, model, members):
    """One member at a time, from proxies trained one at a time."""
    seed = seeds.derive(SEED, "proxies", model)
    points, labels = material().inputs[members].double(), material().targets[members]
    scores = []
    if flag in ("centroid", "neighbors"):
        module = module_by_hand(members, 0, seed)
        features = module[:-1](points.float()).double()
        for one in range(len(members)):
            others = [i for i in range(len(members)) if i != one]
            if flag == "centroid":
                alike = [i for i in others if labels[i] == labels[one]]
                scores.append(float((features[one] - features[alike].mean(0)).norm()))
            else:
                distances = sorted(float((features[one] - features[i]).norm()) for i in others)
                scores.append(np.mean(distances[:10]))
        return np.array(scores)
    folds = proxies.fold_of(4, SEED, model, len(members))
    modules = [module_by_hand(members[folds != k], k, seed) for k in range(4)]
    for one, label in enumerate(labels):
        p = [
            torch.softmax(module(points[one : one + 1].float()).double(), -1)[0, label] for module in modules
        ]
        if flag == "out_of_fold_loss":
            scores.append(float(-p[folds[one]].log()))
        else:
            logits = [float(x.log() - (1 - x).log()) for x in p]
            inside = [value for k, value in enumerate(logits) if k != folds[one]]
            scores.append(np.mean(inside) - logits[folds[one]])
    return np.array(scores)


@each_flag
@pytest.mark.parametrize("engine", ["sequential", "stacked"])
def test_scores_and_flags_are_those_of_a_slow_twin(engine, flag):
    r = treating_recipe(flag=flag, share=0.2)
    for place, (model, members) in enumerate(zip(job().models, job().members, strict=True)):
        found = identification.identified(r, material(), job().at([place]), engine)
        expected = scores_by_hand(flag, model, members)
        np.testing.assert_allclose(found.scores, expected, atol=2e-4)
        highest = sorted(range(len(members)), key=lambda i: -expected[i])[: round(0.2 * len(members))]
        assert set(np.flatnonzero(found.flags)) == set(highest)


@each_flag
def test_non_members_have_no_part_in_who_is_flagged(flag):
    r = treating_recipe(flag=flag, share=0.3)
    generator = np.random.default_rng(5)
    for place, members in enumerate(job().members):
        others = np.setdiff1d(np.arange(SAMPLES), members)
        values, labels = inputs(), np.arange(SAMPLES) % CLASSES
        values[others] = generator.normal(size=(len(others), *SHAPE)) * 50
        labels[others] = generator.integers(CLASSES, size=len(others))
        ours, theirs = (
            identification.identified(r, m, job().at([place]), "stacked")
            for m in (material(), material(values, labels))
        )
        assert np.array_equal(ours.scores, theirs.scores)
        assert np.array_equal(ours.flags, theirs.flags)


@pytest.mark.parametrize("action", ACTIONS)
def test_models_of_other_non_members_are_the_same_bit_for_bit(action):
    r = treating_recipe(action=action, share=0.3)
    own = job().at([1])
    others = np.setdiff1d(np.arange(SAMPLES), own.members[0])
    values, labels = inputs(), np.arange(SAMPLES) % CLASSES
    values[others] += 3
    labels[others] = 0
    (one,), (other,) = trained(r, material(), own), trained(r, material(values, labels), own)
    assert all(torch.equal(one.weights[name], other.weights[name]) for name in one.weights)


@each_flag
def test_flags_depend_neither_on_company_nor_on_the_callers_random_state(flag):
    r = treating_recipe(flag=flag, share=0.3)
    torch.manual_seed(3)
    before = torch.get_rng_state()
    whole = treating.ready(r, material(), job(), "stacked")
    assert torch.equal(before, torch.get_rng_state())
    alone = treating.ready(r, material(), job().at([1]), "stacked")
    assert isinstance(whole, FlaggedJob)
    assert isinstance(alone, FlaggedJob)
    assert torch.equal(whole.flags[1], alone.flags[0])
    assert torch.equal(whole.at([1]).flags, alone.flags)
    members = torch.zeros(SAMPLES, dtype=torch.bool)
    members[job().members[1]] = True
    assert not (alone.flags[0] & ~members).any()
    assert int(alone.flags.sum()) == 12


@pytest.mark.parametrize(
    "neutral",
    [
        {"action": "drop", "share": 0.0},
        {"action": "relabel", "share": 0.0},
        {"action": "augment", "share": 0},
        {"action": "smooth", "strength": 0.0, "share": 0.4},
        {"action": "down_weight", "strength": 1, "share": 0.4},
    ],
    ids=lambda options: options["action"],
)
@each_engine
def test_a_treatment_that_does_nothing_gives_the_plain_models_bit_for_bit(engine, neutral):
    plain = engines.named(engine)(recipe(), material(), job(), END, silent)
    assert equal(trained(treating_recipe(**neutral), material(), job(), engine), plain)


@pytest.mark.parametrize(
    ("action", "mixing", "augmentation"),
    [
        ("drop", None, Identity()),
        ("smooth", None, HorizontalFlip()),
        ("down_weight", None, Identity()),
        ("down_weight", Mixup(alpha=1.0), Identity()),
        ("augment", None, Identity()),
        ("augment", Mixup(alpha=1.0), HorizontalFlip()),
    ],
)
@pytest.mark.parametrize("engine", FAST)
def test_engines_agree(engine, action, mixing, augmentation):
    values = np.random.default_rng(0).normal(size=(SAMPLES, 1, 3, 4)).astype(np.float32)
    r = dataclasses.replace(
        treating_recipe(action=action, share=0.3, strength=0.4), mixing=mixing, augmentation=augmentation
    )
    # proxies of one engine, so that rounding cannot flag another member
    ready = treating.ready(r, material(values), job(), "sequential")
    ours, reference = (
        engines.named(name)(r, material(values), ready, END, silent) for name in (engine, "sequential")
    )
    for one, other in zip(ours, reference, strict=True):
        for name, value in other.weights.items():
            torch.testing.assert_close(one.weights[name], value, atol=5e-5, rtol=1e-3)


@each_engine
def test_a_dropped_member_is_not_trained_on_and_stays_on_record(engine):
    r = treating_recipe(share=0.25)
    ready = treating.ready(r, material(), job(), engine)
    assert isinstance(ready, FlaggedJob)
    left = tuple(
        members[~flags.numpy()[members]] for members, flags in zip(job().members, ready.flags, strict=True)
    )
    assert [len(members) for members in left] == [25, 30]
    by_hand = engines.named(engine)(recipe(), material(), Job(job().models, left, SEED), END, silent)
    assert equal(trained(r, material(), job(), engine), by_hand)
    assert torch.equal(kept_beside(ready, 5)["vestige.treated"], ready.flags[1])
    assert kept_beside(job(), 5) == {}


@pytest.mark.parametrize(
    ("action", "row"),
    [
        ("smooth", [0.2 / 3, 0.8 + 0.2 / 3, 0.2 / 3]),
        ("down_weight", [0.0, 0.2, 0.0]),
        ("relabel", [0.0, 0.0, 1.0]),
    ],
)
def test_rows_of_flagged_members_and_of_the_others(action, row):
    """Of a member of class 1 that its proxy takes for class 2."""
    members = np.array([4, 7, 10])  # all of class 1
    flags, votes = np.array([False, True, False]), torch.tensor([0, 2, 0])
    found = identification.Identified(np.zeros(3), flags, votes)
    treatment = Treatment(action=action, strength=0.2)
    soft = treating.treated(treatment, material(), Job((0,), (members,), SEED), [found]).soft
    assert soft is not None
    torch.testing.assert_close(soft[0, 7], torch.tensor(row))
    others = np.setdiff1d(np.arange(SAMPLES), [7])
    assert torch.equal(soft[0, others], functional.one_hot(material().targets[others], 3).float())


def test_a_row_of_less_weight_bears_so_much_of_the_loss_in_value_and_gradient():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(9, 4, generator=generator, requires_grad=True)
    labels, weights = torch.arange(9) % 4, torch.linspace(0, 1, 9)
    rows = functional.one_hot(labels, 4) * weights[:, None]
    loss = CrossEntropy()
    torch.testing.assert_close(loss(logits, rows), weights * loss(logits, labels))
    (gradient,) = torch.autograd.grad(loss(logits, rows).sum(), logits)
    torch.testing.assert_close(loss.logit_gradient(logits.detach(), rows), gradient)
    # probabilities whose sum is rounded are left as they were
    p = torch.softmax(torch.randn(9, 4, generator=generator), -1)
    exact = torch.softmax(logits.detach(), -1).sub_(p)
    assert torch.equal(loss.logit_gradient(logits.detach(), p), exact)


def test_noise_falls_on_flagged_members_alone_and_its_stream_does_not_depend_on_them():
    r = treating_recipe(action="augment", strength=2.0)
    batch, order = torch.zeros(4000, 5), torch.arange(4000)
    flags = order % 4 == 0
    noisy, all_noisy = (
        augmented(r, batch, chosen, torch.Generator().manual_seed(1))
        for chosen in (flags, torch.ones_like(flags))
    )
    assert torch.equal(noisy[~flags], batch[~flags])
    assert torch.equal(noisy[flags], all_noisy[flags])
    assert float(noisy[flags].std()) == pytest.approx(2.0, rel=0.05)
    assert augmented(recipe(), batch, None, torch.Generator()) is batch
    assert flags_of(job(), 0, order) is None


def test_of_equal_scores_the_first_are_flagged_and_a_member_alone_in_its_class_first_of_all():
    assert identification.highest(np.array([1.0, 2.0, 2.0, 2.0, 0.0]), 2).tolist() == [0, 1, 1, 0, 0]
    assert not identification.highest(np.zeros(4), 0).any()
    features = torch.tensor([[0.0], [1.0], [5.0]], dtype=torch.float64)
    found = identification.centroid_distance(features, torch.tensor([0, 0, 1]))
    assert found.tolist() == [1.0, 1.0, np.inf]


def test_distances_are_those_of_the_outlier_report():
    generator = np.random.default_rng(3)
    features, labels = generator.normal(size=(700, 8)), generator.integers(4, size=700)
    reported = outlierness(features, labels, neighbors=10).values
    given, classes = torch.from_numpy(features), torch.from_numpy(labels)
    np.testing.assert_allclose(
        identification.centroid_distance(given, classes), reported["centroid_distance"], rtol=1e-9
    )
    np.testing.assert_allclose(
        identification.neighbor_distance(given, classes), reported["neighbor_distance"], rtol=1e-9
    )


def test_folds_are_even_random_and_the_models_own():
    folds = proxies.fold_of(4, SEED, 4, 41)
    assert sorted(np.bincount(folds)) == [10, 10, 10, 11]
    assert not np.array_equal(folds, proxies.fold_of(4, SEED, 5, 41))
    assert not np.array_equal(folds, proxies.fold_of(4, SEED + 1, 4, 41))


def test_proxies_have_the_models_recipe_without_what_defends_it_otherwise():
    defended = dataclasses.replace(
        treating_recipe(), mixing=Mixup(alpha=1.0), loss=CrossEntropy(label_smoothing=0.1)
    )
    proxy = recipe(loss=CrossEntropy(label_smoothing=0.1))
    assert teaching.proxy_of(defended) == proxy
    assert list(teaching.lineage(defended)) == [defended, proxy]


@each_flag
def test_epochs_of_proxies_count(flag):
    r = treating_recipe(flag=flag, folds=5)
    count = 5 if flag in ("out_of_fold_loss", "memorization") else 1
    assert teaching.epochs_per_model(r) == 3 * (1 + count)
    epochs = []
    treating.ready(r, material(), job(), "stacked", epochs.append)
    assert sum(epochs) == 2 * (3 * count)


@each_engine
def test_engines_refuse_members_that_nobody_identified(engine):
    with pytest.raises(InputError, match="needs flagged members"):
        engines.named(engine)(treating_recipe(), material(), job(), END, silent)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"share": 1.5}, "share=1.5"),
        ({"flag": "loss"}, "flag='loss'.*out_of_fold_loss"),
        ({"action": "delete"}, "action='delete'.*drop"),
        ({"folds": 1}, "folds=1"),
        ({"action": "smooth", "strength": 2.0}, "strength=2.0"),
        ({"action": "augment", "strength": 0.0}, "strength=0.0"),
        ({"action": "relabel", "flag": "centroid"}, "relabel.*centroid.*memorization"),
    ],
)
def test_bad_options_are_refused_by_name(options, message):
    with pytest.raises(InputError, match=message):
        Treatment(**options)


@pytest.mark.parametrize(
    ("options", "members", "message"),
    [
        ({}, 3, "model 4 has 3 members, too few for folds=4"),
        ({"flag": "neighbors"}, 10, "flag='neighbors'"),
        ({"share": 1.0}, 40, "share=1"),
    ],
)
def test_too_few_members_are_refused_before_training(options, members, message):
    with pytest.raises(InputError, match=message):
        teaching.require(treating_recipe(**options), job((members,)))
    teaching.require(treating_recipe(**{**options, "share": 0.5}), job((41,)))


@pytest.mark.parametrize(
    ("changes", "action", "other"),
    [
        ({"privacy": DPSGD(delta=1e-3, noise=1.0)}, "drop", "dp_sgd"),
        ({"targets": Distilled()}, "drop", "distillation"),
        ({"targets": SplitTaught(submodels=3, left_out=1)}, "augment", "selena"),
        ({"targets": DisturbedLabels(rate=0.1)}, "smooth", "disturb_label"),
        ({"loss": RelaxLoss(level=0.5)}, "relabel", "relax_loss"),
        ({"loss": CrossEntropy(label_smoothing=0.1)}, "down_weight", "label_smoothing"),
        ({"loss": CrossEntropy(confidence_penalty=0.1)}, "down_weight", "confidence_penalty"),
    ],
)
def test_what_cannot_go_together_is_refused_by_name(changes, action, other):
    r = recipe(treatment=Treatment(action=action), **changes)
    with pytest.raises(Conflict, match=f"treatment and {other} cannot be combined"):
        teaching.require(r, job())


@pytest.mark.parametrize("changes", [{"targets": DisturbedLabels(rate=0.1)}, {"loss": RelaxLoss(level=0.5)}])
def test_dropping_goes_with_other_targets_and_losses(changes):
    r = recipe(treatment=Treatment(), **changes)
    teaching.require(r, job())
    assert len(trained(r, material(), job())) == 2


def test_a_model_without_a_last_linear_layer_has_no_features():
    r = dataclasses.replace(
        treating_recipe(flag="centroid"), model=ModelSpec(f"{__name__}:ends_in_convolution")
    )
    with pytest.raises(InputError, match=r"flag='centroid'.*linear layer.*out_of_fold_loss"):
        treating.ready(r, material(inputs()[:, :, None]), job(), "sequential")


def ends_in_convolution(shape, num_classes):
    return torch.nn.Sequential(torch.nn.Conv1d(shape[0], num_classes, 1), torch.nn.Flatten())


def test_diverged_proxies_are_named():
    r = dataclasses.replace(treating_recipe(), optimizer=SGD(lr=3e38))
    with pytest.raises(InputError, match=r"proxies of model 4 diverged.*learning rate"):
        treating.ready(r, material(), job(), "sequential")


@pytest.fixture(scope="module")
def noisy_digits():
    clean = sources.load("digits")
    data, wrong = with_label_noise(clean, 0.1, 0)
    members = np.sort(np.random.default_rng(0).permutation(clean.num_samples)[:900])
    r = Recipe(
        model=ModelSpec("mlp-64"), epochs=25, batch_size=64, treatment=Treatment(share=0.1, action="relabel")
    )
    found = identification.identified(r, Material.of(data, CPU), Job((0,), (members,), 0), "stacked")
    return found, wrong[members], clean.targets[members]


def test_mostly_mislabelled_members_are_flagged(noisy_digits):
    found, wrong, _ = noisy_digits
    precision = float(wrong[found.flags].mean())
    assert precision > 0.75, precision  # one in ten by chance


def test_votes_give_mislabelled_members_their_true_label_back(noisy_digits):
    found, wrong, truth = noisy_digits
    assert found.votes is not None
    corrected = found.votes.numpy() == truth
    assert corrected[wrong & found.flags].mean() > 0.7  # one in nine by chance
