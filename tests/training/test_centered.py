"""Center-based relaxed learning against its formulas, and in an engine."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from vestige.core.errors import InputError
from vestige.data.dataset import Dataset
from vestige.defenses.conflict import DefenseConflict
from vestige.defenses.writing import from_text
from vestige.models.catalog import ModelSpec, build
from vestige.signals.measure import Observation
from vestige.stats.roc import roc
from vestige.training import engines, sequential
from vestige.training.centered import Centered, CenterRelaxed, bounded
from vestige.training.engine import Job, Material, initialized
from vestige.training.losses import CrossEntropy, RelaxLoss
from vestige.training.objective import Objective, bound
from vestige.training.optimizers import SAM
from vestige.training.recipe import Conflict, Recipe
from vestige.training.routing import Protected, Routing

GENERATOR = np.random.default_rng(0)
LOGITS = torch.from_numpy(GENERATOR.normal(size=(7, 4)) * 3)
TARGETS = torch.tensor([0, 1, 2, 3, 0, 1, 2])
FEATURES, CENTERS = (torch.from_numpy(GENERATOR.normal(size=(n, 5))) for n in (7, 4))


def slow_first(loss, logits, targets, epoch_from_one):
    """The logits' part as the published code walks through it, with plain numpy."""
    squashed = np.array([z / (1 + loss.squash * np.sqrt((z**2).sum())) for z in logits])
    p_hat = np.exp(squashed) / np.exp(squashed).sum(1, keepdims=True)
    entropies = np.array([-np.log(p[y]) for p, y in zip(p_hat, targets, strict=True)])
    mean = entropies.mean()
    if epoch_from_one % 2 == 0:
        return abs(mean - loss.level)
    if mean > loss.level:
        return mean
    total = 0.0
    for z, p, y in zip(logits, p_hat, targets, strict=True):
        confidence = min((np.exp(z) / np.exp(z).sum())[y], loss.upper)
        q = np.full(len(z), (1 - confidence) / (len(z) - 1))
        q[y] = confidence
        total += -(q * np.log(p)).sum()
    return total / len(logits)


def slow_second(loss, features, centers, logits, targets, epoch_from_one):
    def short(v):
        return v / (1 + loss.center_squash * np.sqrt((v**2).sum()))

    far = [((short(f) - short(centers[y])) ** 2).sum() for f, y in zip(features, targets, strict=True)]
    d = 0.5 * np.mean(far)
    if epoch_from_one % 2 == 0:
        return abs(d - loss.center_level)
    if d > loss.center_level:
        return d
    p = [
        min((np.exp(z) / np.exp(z).sum())[y], loss.center_upper) for z, y in zip(logits, targets, strict=True)
    ]
    rest = [(short(f) ** 2).sum() for f in features]
    return 0.5 * np.mean([a * x + (1 - a) * b for a, x, b in zip(p, far, rest, strict=True)])


@pytest.mark.parametrize("epoch", [0, 1])
@pytest.mark.parametrize("level", [0.1, 1.0, 5.0])
def test_both_parts_are_those_of_the_formulas(epoch, level):
    loss = CenterRelaxed(level=level, center_level=level / 10, squash=0.1, upper=0.8, center_upper=0.7)
    first = loss(LOGITS, TARGETS, epoch).mean()
    second = loss.spread(FEATURES, CENTERS, LOGITS, TARGETS, epoch).mean()
    z, y = LOGITS.numpy(), TARGETS.numpy()
    assert float(first) == pytest.approx(slow_first(loss, z, y, epoch + 1))
    assert float(second) == pytest.approx(
        slow_second(loss, FEATURES.numpy(), CENTERS.numpy(), z, y, epoch + 1)
    )


def test_bounded_rows_keep_their_direction_and_stay_within():
    rows = bounded(1000 * FEATURES, 0.5)
    assert (rows.norm(dim=-1) < 2).all()
    assert torch.allclose(nn.functional.cosine_similarity(rows, FEATURES), torch.ones(7, dtype=torch.float64))
    assert torch.equal(bounded(FEATURES, 0.0), FEATURES)


@pytest.mark.parametrize("epoch", [0, 1])
def test_the_gradient_is_that_of_the_held_target(epoch):
    loss = CenterRelaxed(level=5.0)
    found = loss.logit_gradient(LOGITS, TARGETS, epoch)
    nudge, step = torch.zeros_like(LOGITS), 1e-6
    p = torch.softmax(LOGITS, -1).gather(-1, TARGETS[:, None]).squeeze(-1)
    for place in ((0, 0), (3, 1), (6, 2)):
        nudge.zero_()[place] = step
        if epoch == 1:
            ends = [float(loss(LOGITS + s * nudge, TARGETS, epoch)[place[0]]) for s in (1, -1)]
        else:
            ends = [float(_flat(loss, LOGITS + s * nudge, p)[place[0]]) for s in (1, -1)]
        assert float(found[place]) == pytest.approx((ends[0] - ends[1]) / (2 * step), abs=1e-6)


@pytest.mark.parametrize("epoch", [0, 1])
@pytest.mark.parametrize("level", [0.0, 5.0])
def test_the_gradient_of_the_spread_is_that_of_differences(level, epoch):
    """In the features and in the centers, above the level and below it."""
    loss = CenterRelaxed(level=1.0, center_level=level, center_squash=0.7, center_upper=0.6)
    free = [FEATURES.clone().requires_grad_(), CENTERS.clone().requires_grad_()]

    def value(features, centers):
        return loss.spread(features, centers, LOGITS, TARGETS, epoch).mean()

    for which, found in enumerate(torch.autograd.grad(value(*free), free)):
        for place in ((0, 0), (3, 4), (2, 1)):
            ends = []
            for step in (1e-6, -1e-6):
                moved = [FEATURES.clone(), CENTERS.clone()]
                moved[which][place] += step
                ends.append(float(value(*moved)))
            assert float(found[place]) == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-6)


def test_the_spread_has_closed_forms():
    """Without a bound: features at their centers are at distance 0; centers at 0 leave half the norm."""
    loss = CenterRelaxed(level=1.0, center_level=0.0, center_squash=0.0)
    away = 1 - torch.softmax(LOGITS, -1).gather(-1, TARGETS[:, None])[:, 0]
    own = CENTERS[TARGETS]
    torch.testing.assert_close(
        loss.spread(own, CENTERS, LOGITS, TARGETS), away * own.square().sum(-1) / 2
    )  # no farther than the level, so it is pulled to 0 by what the label is not given
    assert torch.equal(loss.spread(own, CENTERS, LOGITS, TARGETS, 1), torch.zeros(7, dtype=torch.float64))
    half = FEATURES.square().sum(-1) / 2
    for level in (0.0, 1e9):  # p and 1 - p weigh the same value
        flat = CenterRelaxed(level=1.0, center_level=level, center_squash=0.0)
        torch.testing.assert_close(flat.spread(FEATURES, 0 * CENTERS, LOGITS, TARGETS), half)
    risen = CenterRelaxed(level=1.0, center_level=1e3, center_squash=0.0)
    torch.testing.assert_close(risen.spread(FEATURES, 0 * CENTERS, LOGITS, TARGETS, 1), 1e3 - half)


@pytest.mark.parametrize("epoch", [0, 1])
@pytest.mark.parametrize("level", [0.1, 5.0])
def test_without_a_bound_the_first_part_is_relax_loss_counted_from_one(level, epoch):
    same = RelaxLoss(level=level, upper=0.8, form="tabular", detach=True, first_epoch=1)
    found = CenterRelaxed(level=level, upper=0.8, squash=0.0)(LOGITS, TARGETS, epoch)
    torch.testing.assert_close(found, same(LOGITS, TARGETS, epoch))


def test_features_of_zero_give_finite_gradients():
    loss, dead = CenterRelaxed(level=0.0), torch.zeros(7, 5, requires_grad=True)
    loss.spread(dead, CENTERS.float(), LOGITS.float(), TARGETS).mean().backward()
    assert dead.grad.isfinite().all()


def _flat(loss, logits, p):
    log_p = torch.log_softmax(bounded(logits, loss.squash), -1)
    hit = nn.functional.one_hot(TARGETS, 4)
    soft = hit * p[:, None] + (1 - hit) * (1 - p[:, None]) / 3
    return -(soft * log_p).sum(-1)


def material(samples=60):
    inputs = np.random.default_rng(1).normal(size=(samples, 6)).astype(np.float32)
    return Material.of(Dataset(inputs, np.arange(samples) % 3, 3, "toy"), torch.device("cpu"))


def recipe(loss, **changes):
    return Recipe(
        **{"model": ModelSpec("mlp-9-8-relu"), "epochs": 3, "batch_size": 8, "loss": loss, **changes}
    )


JOB = Job((4,), (np.arange(5, 45),), 7)
OBSERVE = Observation(checkpoints=(0, 3))


def test_a_step_moves_the_centers_by_their_own_rate():
    r = recipe(CenterRelaxed(level=0.1, weight=0.7, center_lr=0.25, center_level=0.0))
    module = initialized(r, material(), 7, 4)
    objective = Objective.of(r, module, material().inputs[:2], 3, 11)
    assert isinstance(objective.loss, Centered)
    before = objective.loss.centers.detach().clone()
    inputs, targets = material().inputs[:8], material().targets[:8]
    features = module[:-1](inputs).detach()
    free = before.clone().requires_grad_()
    spread = objective.loss.loss.spread(features, free, module(inputs).detach(), targets, 0).mean()
    expected = before - 0.25 * torch.autograd.grad(0.7 * spread, free)[0]
    objective.differentiate(module(inputs), targets, 0)
    assert torch.allclose(objective.loss.centers, expected, atol=1e-7)
    assert not torch.allclose(before, expected)


def test_routed_the_rest_learns_from_plain_cross_entropy():
    loss = CenterRelaxed(level=0.3)
    r = recipe(CrossEntropy(), routing=Routing(protected=Protected(words=("layer2", "head")), loss=loss))
    module = initialized(r, material(), 7, 4)
    inputs, targets = material().inputs[:8], material().targets[:8]
    twin = copy.deepcopy(module)
    nn.functional.cross_entropy(twin(inputs), targets).backward()
    objective = Objective.of(r, module, inputs[:2], 3, 11)
    objective.differentiate(module(inputs), targets, 0)
    for (name, ours), (_, plain) in zip(module.named_parameters(), twin.named_parameters(), strict=True):
        assert torch.allclose(ours.grad, plain.grad, atol=1e-7) == name.startswith("1."), name


@pytest.mark.parametrize("text", ["crl:0.5", "pptp:crl:0.5/protect=back", "cwrf:crl:0.5/share=0.1"])
def test_it_repeats_bit_for_bit_and_other_models_have_other_centers(text):
    r = from_text(text)(recipe(CrossEntropy()))
    once, again = (sequential.train(r, material(), JOB, OBSERVE, lambda _: None)[0].weights for _ in "ab")
    assert all(torch.equal(value, again[name]) for name, value in once.items())
    assert not any("center" in name for name in once)
    ours, theirs = (
        Objective.of(r, initialized(r, material(), 7, 4), material().inputs[:2], 3, seed) for seed in (1, 2)
    )
    one, other = ((o.protecting or o.loss) for o in (ours, theirs))
    assert not isinstance(one, Centered) or not torch.equal(one.centers, other.centers)


def test_without_weight_the_stacked_engine_agrees_and_with_it_is_not_asked():
    light = recipe(CenterRelaxed(level=0.9, weight=0.0))
    one, other = (
        engine(light, material(), JOB, OBSERVE, lambda _: None)[0].weights
        for engine in (sequential.train, engines.ENGINES["stacked"])
    )
    for name, value in one.items():
        assert torch.allclose(value, other[name], atol=2e-5), name
    whole = recipe(CenterRelaxed(level=0.9))
    choice = engines.choose(whole, initialized(whole, material(), 7, 4), 8, torch.device("cpu"))
    assert choice.engine == "sequential"
    assert "centers" in choice.reason


def test_it_lowers_what_a_loss_tells(tmp_path):
    generator = np.random.default_rng(3)
    inputs = generator.normal(size=(200, 20)).astype(np.float32)
    targets = (inputs[:, 0] > 0).astype(np.int64)
    data = Material.of(
        Dataset(inputs, np.where(generator.random(200) < 0.3, 1 - targets, targets), 2, "toy"),
        torch.device("cpu"),
    )
    members = np.arange(100)
    coin = np.isin(np.arange(200), members)
    aucs = {}
    for name, loss in (("none", CrossEntropy()), ("crl", CenterRelaxed(level=0.5))):
        r = recipe(loss, epochs=40, model=ModelSpec("mlp-64-relu"))
        found = sequential.train(
            r, data, Job((0,), (members,), 1), Observation(checkpoints=(40,)), lambda _: None
        )[0]
        aucs[name] = roc(found.signals["scaled_logit"][0, :, 0], coin).auc
    assert aucs["none"] > 0.8
    assert aucs["crl"] < aucs["none"] - 0.1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("crl:-1", "crl level=-1"),
        ("crl:0.5/upper=2", "crl upper=2"),
        ("crl:0.5/center_lr=0", "crl center_lr=0"),
        ("crl:0.5+mixup:1", "crl and mixup cannot be combined"),
        ("crl:0.5+label_smoothing:0.1", "crl has taken its place"),
        ("label_smoothing:0.1+crl:0.5", "crl would displace label_smoothing"),
        ("crl:0.5+dp_sgd:noise=1/delta=1e-5", "dp_sgd and crl cannot be combined"),
    ],
)
def test_bad_input(text, message):
    with pytest.raises(InputError, match=message):
        from_text(text)(recipe(CrossEntropy()))


def test_what_cannot_go_with_centers():
    with pytest.raises(Conflict, match="crl and sam"):
        recipe(CenterRelaxed(level=1.0), optimizer=SAM())
    assert issubclass(DefenseConflict, Conflict)
    convolutional = nn.Sequential(nn.Conv2d(3, 4, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    inputs = torch.randn(2, 3, 4, 4)
    with pytest.raises(InputError, match="ends in none"):
        bound(CenterRelaxed(level=1.0), convolutional, inputs, 4, 0)
    logits_alone = CenterRelaxed(level=1.0, weight=0.0)
    assert bound(logits_alone, convolutional, inputs, 4, 0) is logits_alone
    assert build(ModelSpec("linear"), (6,), 3)
