"""Critical weights: which they are, and that they stay at their initialization."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from vestige.core.errors import InputError
from vestige.core.record import content_hash, plain
from vestige.data.dataset import Dataset
from vestige.defenses.writing import from_text
from vestige.models.catalog import ModelSpec
from vestige.signals.measure import Observation
from vestige.training import batches, critical, engines, sequential
from vestige.training.critical import largest, set_apart, weight_scores
from vestige.training.engine import Job, Material, initialized
from vestige.training.lessons import lesson
from vestige.training.losses import CrossEntropy
from vestige.training.recipe import Conflict, Recipe
from vestige.training.routing import Protected, Retraining

RECIPE = Recipe(model=ModelSpec("mlp-9-8-relu"), epochs=4, batch_size=8)
MEMBERS = np.arange(5, 45)
JOB = Job((4,), (MEMBERS,), 7)


def material(shape=(6,)):
    inputs = np.random.default_rng(0).normal(size=(60, *shape)).astype(np.float32)
    return Material.of(Dataset(inputs, np.arange(60) % 3, 3, "toy"), torch.device("cpu"))


def trained(recipe):
    end = Observation(checkpoints=(recipe.epochs,))
    return sequential.train(recipe, material(), JOB, end, lambda _: None)[0].weights


@pytest.mark.parametrize("share", [0.0, 0.13, 0.5, 1.0])
def test_the_share_of_all_weights_with_the_largest_scores(share):
    scores = {"a": torch.rand(3, 5), "b": torch.rand(7)}
    mask = largest(scores, share)
    assert sum(int(one.sum()) for one in mask.values()) == math.floor(share * 22)
    chosen = [float(v) for name in scores for v in scores[name][mask[name]]]
    others = [float(v) for name in scores for v in scores[name][~mask[name]]]
    assert not chosen or not others or min(chosen) >= max(others)


def test_about_a_tenth_of_the_members_is_set_apart():
    members = torch.arange(100, 1100)
    apart = set_apart(members, 3)
    assert 60 < len(apart) < 140
    assert set(apart.tolist()) <= set(members.tolist())
    assert torch.equal(apart, set_apart(members, 3))


def test_scores_of_batches_add_up_and_are_those_of_single_samples_averaged(monkeypatch):
    """The slow twin: a backward pass for each sample, averaged within a batch, absolute values between."""
    monkeypatch.setattr(critical, "BATCH", 5)
    module, initial = (initialized(RECIPE, material(), seed, 4).eval() for seed in (7, 8))
    members, apart = torch.arange(20, 32), torch.tensor([21, 25, 30])
    privacy, learnability = weight_scores(module, initial, material(), members, apart, 0.3)
    inputs, targets = material().inputs, material().targets
    expected = {name: [0.0, 0.0] for name, _ in module.named_parameters()}
    for own, held in ((members[:6], apart[:2]), (members[6:], apart[2:])):
        fits, moves = [], []
        for sample in own.tolist():
            log_p = module(inputs[[sample]]).log_softmax(-1)[0]
            fits.append(torch.autograd.grad(-log_p[targets[sample]], list(module.parameters())))
        for sample in held.tolist():
            now = module(inputs[[sample]]).softmax(-1)[0]
            before = initial(inputs[[sample]]).softmax(-1)[0].detach()
            far = (now * (now / before).log()).sum()
            moves.append(torch.autograd.grad(far, list(module.parameters())))
        for place, (name, weight) in enumerate(module.named_parameters()):
            fit = sum(one[place] for one in fits) / len(fits)
            moved = sum(one[place] for one in moves) / len(moves)
            expected[name][0] += ((0.7 * fit + 0.3 * moved) * weight).abs().detach()
            expected[name][1] += (fit * weight).abs().detach()
    for name, (first, second) in expected.items():
        torch.testing.assert_close(privacy[name], first, atol=1e-6, rtol=1e-4)
        torch.testing.assert_close(learnability[name], second, atol=1e-6, rtol=1e-4)


def test_frozen_parameters_have_no_score():
    module, initial = (initialized(RECIPE, material(), seed, 4).eval() for seed in (7, 8))
    frozen, *free = dict(module.named_parameters())
    module.get_parameter(frozen).requires_grad_(False)
    privacy, learnability = weight_scores(
        module, initial, material(), torch.arange(20), torch.arange(2), trade=1
    )
    assert list(privacy) == list(learnability) == free
    assert not any(value.requires_grad for value in privacy.values())


def test_critical_weights_end_where_they_began_bit_for_bit():
    """With weight decay every weight that may move does, those of a unit that never answers too."""
    recipe = from_text("cwrf:label_smoothing:0.2/share=0.2+weight_decay:0.01")(RECIPE)
    start = initialized(recipe, material(), 7, 4).state_dict()
    end = trained(recipe)
    same = sum(int((start[name] == end[name]).sum()) for name in start)
    total = sum(value.numel() for value in start.values())
    assert same == math.floor(0.2 * total)


def test_all_weights_are_the_initialization_and_none_is_plain_training_on():
    start = initialized(RECIPE, material(), 7, 4).state_dict()
    whole = trained(from_text("cwrf:label_smoothing:0.2/share=1")(RECIPE))
    assert all(torch.equal(value, whole[name]) for name, value in start.items())


def test_a_share_of_none_is_plain_training_on():
    """A loop of its own takes the model of the first phase on, with a new optimizer and new batches."""
    recipe = from_text("cwrf:label_smoothing:0.2/share=0")(RECIPE)
    module = initialized(recipe, material(), 7, 4)
    module.load_state_dict(trained(RECIPE))
    optimizer = recipe.optimizer.build(module.parameters())
    for epoch in (4, 5):
        for group in optimizer.param_groups:
            group["lr"] = recipe.optimizer.lr * recipe.schedule(epoch - 4, 2)
        order = torch.from_numpy(lesson(recipe, material(), JOB, 0, epoch).orders[0])
        for span in batches.bounds(len(order), 8):
            now = order[slice(*span)]
            loss = nn.functional.cross_entropy(
                module(material().inputs[now]), material().targets[now], label_smoothing=0.2
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    for name, value in trained(recipe).items():
        torch.testing.assert_close(value, module.state_dict()[name])


def test_what_it_makes_of_a_recipe():
    found = from_text("cwrf:relax_loss:level=0.4;upper=0.9/share=0.1/trade=0.3")(RECIPE)
    assert (found.epochs, found.retraining.epochs) == (6, 2)
    assert (found.retraining.critical.share, found.retraining.critical.trade) == (0.1, 0.3)
    assert found.retraining.loss.upper == 0.9
    choice = engines.choose(found, initialized(found, material(), 7, 4), 4, torch.device("cpu"))
    assert choice.engine == "sequential"
    assert content_hash(found) != content_hash(from_text("cwrf:relax_loss:0.4/share=0.1")(RECIPE))


def test_a_second_phase_of_regions_keeps_its_hash():
    """The form that was written before single weights could be retrained around."""
    regions = Retraining(protected=Protected(words=("head",)), loss=CrossEntropy(), epochs=2)
    assert plain(regions).keys() == {"type", "protected", "loss", "epochs"}
    shares = [
        content_hash(from_text(f"cwrf:label_smoothing:0.2/share={share}")(RECIPE)) for share in (0.1, 0.2)
    ]
    assert len({content_hash(RECIPE), *shares}) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cwrf:label_smoothing:0.2/share=2", "cwrf share=2"),
        ("cwrf:mixup:1", "cwrf cannot train on with mixup: it changes mixing"),
        ("cwrf:label_smoothing:0.2+pptp:label_smoothing:0.2/protect=head", "would displace retraining"),
        ("pptp:label_smoothing:0.2/protect=head+cwrf:label_smoothing:0.2", "would displace routing"),
        ("cwrf:label_smoothing:0.2+relax_loss:0.5", "put that defense into cwrf"),
        ("relax_loss:0.5+cwrf:label_smoothing:0.2", "cwrf would displace loss=RelaxLoss"),
        ("pptp:label_smoothing:0.2/protect=head/phase=two_phase+cwrf:relax_loss:1", "displace retraining"),
        ("cwrf:pptp:label_smoothing:0.2", "cwrf cannot train on with pptp"),
        ("cwrf:dp_sgd:noise=1;delta=1e-5", "cwrf cannot train on with dp_sgd"),
        ("cwrf:label_smoothing:0.2+early_stopping:2", "early_stopping would cut"),
        ("cwrf:relax_loss:0.2+mixup:1", "relax_loss and mixup cannot be combined"),
        ("cwrf:label_smoothing:0.2+dp_sgd:noise=1/delta=1e-5", "cwrf and dp_sgd cannot be combined"),
    ],
)
def test_bad_input(text, message):
    with pytest.raises((InputError, Conflict), match=message):
        from_text(text)(RECIPE)
