"""DP-SGD against steps written by hand, and against what it promises."""

import numpy as np
import pytest
import torch
from opacus.validators import ModuleValidator
from torch import nn

from vestige.core import seeds
from vestige.core.errors import InputError
from vestige.data.dataset import Dataset
from vestige.data.transforms import GaussianNoise
from vestige.models.catalog import ModelSpec, build
from vestige.models.group_norm import without_batch_norm
from vestige.signals.measure import Observation
from vestige.training import engines, private
from vestige.training.engine import Job, Material, initialized
from vestige.training.losses import CrossEntropy, RelaxLoss
from vestige.training.mixing import Mixup
from vestige.training.optimizers import SAM, SGD
from vestige.training.privacy import DPSGD
from vestige.training.recipe import Recipe
from vestige.training.reopened import as_trained, reopened
from vestige.training.sequential import observe
from vestige.training.targets import Distilled, DisturbedLabels

OBSERVE = Observation(checkpoints=(0, 1, 2))
CPU = torch.device("cpu")
MEMBERS = np.arange(5, 45)


def material(shape=(6,), samples=60):
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(samples, *shape)).astype(np.float32)
    return Material.of(Dataset(inputs, np.arange(samples) % 3, 3, "toy"), CPU)


def recipe(model="mlp-9", noise=1.0, clip=1.0, **changes):
    privacy = DPSGD(delta=1e-3, noise=noise, clip=clip)
    fields = {"model": ModelSpec(model), "epochs": 2, "batch_size": 8, "privacy": privacy}
    return Recipe(**{**fields, **changes})


def learner(r, members=MEMBERS, shape=(6,), model=4):
    return private.Learner(r, material(shape), Job((model,), (members,), 7), 0)


def silent(_):
    return None


def train(r, members=MEMBERS, shape=(6,), models=(4,), seed=7):
    job = Job(models, (members,) * len(models), seed)
    return private.train(r, material(shape), job, OBSERVE, silent)


def batch_norm(shape, num_classes):
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.BatchNorm2d(4, affine=False),
        nn.Flatten(),
        nn.Linear(4 * 64, num_classes),
    )


IMAGES = (3, 8, 8)
CASES = [("mlp-9", (6,)), ("convnet", IMAGES), (f"{__name__}:batch_norm", IMAGES)]


def gradients(module, inputs, targets):
    """Of each sample's loss, by plain autograd, one backward pass each."""
    rows = []
    for x, y in zip(inputs, targets, strict=True):
        module.zero_grad()
        nn.functional.cross_entropy(module(x[None]), y[None]).backward()
        rows.append([p.grad.clone() for p in module.parameters()])
    return rows


def clipped(row, clip):
    norm = torch.sqrt(sum(g.square().sum() for g in row))
    return [g * min(1.0, clip / float(norm)) for g in row]


@pytest.mark.parametrize(("model", "shape"), CASES)
@pytest.mark.parametrize("clip", [1e6, 0.3])
def test_a_step_is_the_mean_of_clipped_gradients_over_the_expected_batch(model, shape, clip):
    r = recipe(model, noise=1e-9 / clip, clip=clip, optimizer=SGD(lr=0.1, momentum=0.0))
    one = learner(r, shape=shape)
    twin = as_trained(r, initialized(r, material(shape), 7, 4))
    chosen = torch.tensor([7, 9, 30])
    rows = gradients(twin, material(shape).inputs[chosen], material(shape).targets[chosen])
    assert clip > 1 or any(sum(g.square().sum() for g in row) > clip**2 for row in rows)
    with private._quiet():
        one.step(chosen, material(shape).targets[chosen])
    summed = [sum(gs) for gs in zip(*(clipped(row, clip) for row in rows), strict=True)]
    for ours, theirs, total in zip(one.module.parameters(), twin.parameters(), summed, strict=True):
        torch.testing.assert_close(ours.data, theirs.data - 0.1 * total / 8, atol=1e-6, rtol=1e-5)


def test_with_no_noise_and_no_clipping_a_full_batch_is_plain_gradient_descent():
    r = recipe(noise=1e-12, clip=1e6, batch_size=40, optimizer=SGD(lr=0.1))
    plain = initialized(r, material(), 7, 4)
    optimizer = r.optimizer.build(plain.parameters())
    for _ in range(2):
        optimizer.zero_grad()
        logits = plain(material().inputs[5:45])
        nn.functional.cross_entropy(logits, material().targets[5:45]).backward()
        optimizer.step()
    for name, value in train(r)[0].weights.items():
        torch.testing.assert_close(value, plain.state_dict()[name], atol=1e-6, rtol=1e-5)


def test_an_empty_batch_is_a_step_of_noise_of_the_stated_size():
    r = recipe("mlp-200", noise=2.0, clip=0.5, optimizer=SGD(lr=1.0, momentum=0.0))
    one = learner(r)
    before = torch.cat([p.detach().clone().flatten() for p in one.module.parameters()])
    nobody = torch.zeros(0, dtype=torch.int64)
    one.step(nobody, nobody)
    moved = torch.cat([p.detach().flatten() for p in one.module.parameters()]) - before
    assert float(moved.std()) == pytest.approx(2.0 * 0.5 / 8, rel=0.1)
    assert abs(float(moved.mean())) < 4 * float(moved.std()) / len(moved) ** 0.5


def test_batches_that_do_not_fit_are_clipped_in_parts_with_one_noise(monkeypatch):
    whole = train(recipe())[0].weights
    monkeypatch.setattr(private, "MOST_NUMBERS", 3 * sum(v.numel() for v in whole.values()))
    for name, value in train(recipe())[0].weights.items():
        torch.testing.assert_close(value, whole[name], atol=1e-6, rtol=1e-5)


def test_poisson_batches_have_the_stated_rate_the_last_member_among_them_and_may_be_empty():
    one = learner(recipe(batch_size=2))
    draws = [one.sampling.draw(one.members, one.batches) for _ in range(4000)]
    counts = np.bincount(np.concatenate(draws), minlength=60)
    assert set(np.flatnonzero(counts)) == set(MEMBERS)
    expected, deviation = 4000 * 0.05, (4000 * 0.05 * 0.95) ** 0.5
    assert np.abs(counts[MEMBERS] - expected).max() < 4.5 * deviation
    sizes = np.array([len(draw) for draw in draws])
    assert sizes.var() == pytest.approx(40 * 0.05 * 0.95, rel=0.15)
    assert (sizes == 0).mean() == pytest.approx(0.95**40, abs=0.02)


def test_the_steps_of_an_epoch_count_the_partial_batch(monkeypatch):
    steps = []
    monkeypatch.setattr(private.Learner, "step", lambda self, chosen, targets: steps.append(len(chosen)))
    train(recipe(batch_size=12, epochs=3))
    assert len(steps) == 10


@pytest.mark.parametrize(("model", "shape"), CASES)
def test_models_train_repeat_bit_for_bit_and_open_again(model, shape):
    r = recipe(model, augmentation=GaussianNoise(0.1))
    torch.manual_seed(1)
    before = torch.get_rng_state()
    (one,), (again,), (other,) = (train(r, shape=shape, seed=seed) for seed in (7, 7, 8))
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(one.weights[name], again.weights[name]) for name in one.weights)
    assert any(not torch.equal(one.weights[name], other.weights[name]) for name in one.weights)
    assert one.signals["scaled_logit"].shape == (3, 60, 1)
    seen = observe(reopened(r, material(shape), one.weights), material(shape), OBSERVE)[0]
    np.testing.assert_allclose(seen["scaled_logit"], one.signals["scaled_logit"][-1, :, 0], atol=1e-5)


def test_models_do_not_depend_on_their_company():
    together = train(recipe(), models=(3, 4))[1]
    (alone,) = train(recipe())
    assert all(torch.equal(alone.weights[name], together.weights[name]) for name in alone.weights)


def test_dropout_and_batch_noise_come_from_named_streams():
    r = recipe(model="mlp-9", noise=1e-9)
    dropped = Recipe(model=ModelSpec("mlp-9", (("dropout", 0.5),)), privacy=r.privacy, epochs=2, batch_size=8)
    (one,), (again,) = train(dropped), train(dropped)
    (plain,) = train(r)
    assert all(torch.equal(one.weights[name], again.weights[name]) for name in one.weights)
    assert not torch.equal(one.weights["1.weight"], plain.weights["1.weight"])


def test_noise_hides_the_member_that_clipping_lets_through():
    """One member more moves a noiseless step by at most clip / expected batch size, whatever the member."""
    r = recipe(noise=1e-12, clip=0.3, optimizer=SGD(lr=1.0, momentum=0.0))
    ones = [learner(r), learner(r)]
    with private._quiet():
        for one, chosen in zip(ones, ([7, 9, 30], [7, 9, 30, 11]), strict=True):
            one.step(torch.tensor(chosen), material().targets[chosen])
    parts = [torch.cat([p.detach().flatten() for p in one.module.parameters()]) for one in ones]
    assert 0 < float((parts[0] - parts[1]).norm()) <= 0.3 / 8 * 1.001


def test_fewer_members_than_a_batch_train_on_full_batches():
    one = learner(recipe(batch_size=64), members=np.arange(10))
    assert (one.sampling.draw(one.members, one.batches) == np.arange(10)).all()
    assert one.optimizer.expected_batch_size == 10


def test_a_budget_becomes_the_noise_of_the_optimizer():
    one = learner(recipe(privacy=DPSGD(delta=1e-3, epsilon=4.0, accountant="rdp")))
    assert 0.3 < one.optimizer.noise_multiplier < 5.0


def test_batch_norm_gives_way_to_the_groups_that_opacus_would_take():
    module = nn.Sequential(nn.BatchNorm2d(48), nn.Sequential(nn.BatchNorm1d(5)), nn.BatchNorm2d(64))
    theirs = ModuleValidator.fix(module)
    ours = without_batch_norm(module)
    assert str(ours) == str(theirs)
    assert [part.num_groups for part in (ours[0], ours[1][0], ours[2])] == [16, 1, 32]


def test_a_batch_norm_that_is_shared_or_the_whole_model_or_without_scale_goes_too():
    shared = nn.BatchNorm1d(4)
    module = without_batch_norm(
        nn.ModuleDict({"a": shared, "b": shared, "c": nn.BatchNorm1d(4, affine=False)})
    )
    assert module["a"] is module["b"]
    assert {type(part) for part in module.values()} == {nn.GroupNorm}
    assert isinstance(without_batch_norm(nn.BatchNorm1d(4)), nn.GroupNorm)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"mixing": Mixup(alpha=1.0)}, "mixup"),
        ({"targets": Distilled(temperature=2.0)}, "teacher"),
        ({"optimizer": SAM()}, "SAM"),
        ({"precision": "bf16"}, "float32"),
        ({"loss": RelaxLoss(level=0.5)}, "mean of the batch"),
    ],
)
def test_what_would_void_the_guarantee_is_refused_before_training(changes, reason):
    with pytest.raises(InputError, match=reason):
        engines.choose(recipe(**changes), build(ModelSpec("mlp-9"), (6,), 3), 8, CPU)


def test_a_layer_with_statistics_of_the_batch_is_refused():
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.InstanceNorm2d(4, affine=True, track_running_stats=True))
    with pytest.raises(InputError, match="no gradient per sample"):
        engines.choose(recipe(), module, 8, CPU)


class Scaled(nn.Module):
    """Parameters and a buffer of its own beside a layer with statistics of the batch."""

    def __init__(self):
        super().__init__()
        self.layers = batch_norm(IMAGES, 3)
        self.scale = nn.Parameter(torch.ones(()))
        self.register_buffer("seen", torch.zeros(3))

    def forward(self, x):
        return self.layers(x) * self.scale


def test_a_part_with_a_buffer_is_named_and_not_printed():
    with pytest.raises(InputError) as caught:
        engines.choose(recipe(), Scaled(), 8, CPU)
    assert "the network (Scaled) holds parameters beside a buffer, seen, where one" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_private_recipes_get_the_private_engine_and_no_other():
    module = build(ModelSpec(f"{__name__}:batch_norm"), IMAGES, 3)
    choice = engines.choose(recipe(), module, 8, CPU)
    assert (choice.engine, choice.group) == ("private", 1)
    assert "DP-SGD" in choice.reason
    assert any(isinstance(part, nn.BatchNorm2d) for part in module)  # left as it was
    for name in ("sequential", "stacked", "vmapped"):
        with pytest.raises(InputError, match="differentially private"):
            engines.choose(recipe(), module, 8, CPU, name)
    with pytest.raises(InputError, match="no differential privacy"):
        engines.choose(recipe(privacy=None), module, 8, CPU, "private")


def test_label_smoothing_is_a_per_sample_loss_and_changes_the_step():
    smooth = train(recipe(noise=1e-9, loss=CrossEntropy(label_smoothing=0.5)))[0].weights
    assert not torch.equal(smooth["1.weight"], train(recipe(noise=1e-9))[0].weights["1.weight"])


def test_disturbed_labels_are_drawn_from_a_stream_of_their_own():
    calm, disturbed = recipe(), recipe(targets=DisturbedLabels(rate=1.0))
    (one,), (two,), (plain,) = train(disturbed), train(disturbed), train(calm)
    assert torch.equal(one.weights["1.weight"], two.weights["1.weight"])
    assert not torch.equal(one.weights["1.weight"], plain.weights["1.weight"])


def test_streams_of_batches_and_noise_are_their_own():
    one = learner(recipe())
    ours = one.sampling.draw(one.members, one.batches)
    named = seeds.generator(7, "poisson batches", 4).random(40) < 0.2
    assert (ours == MEMBERS[named]).all()
