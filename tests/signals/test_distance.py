from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from noisy_digits import noisy_digits
from scipy.optimize import minimize
from torch import nn

from vestige.core.errors import InputError
from vestige.models.catalog import ModelSpec, build
from vestige.signals.distance import (
    Distances,
    boundary_distance,
    distance_to_confident,
    first_order_distance,
    label_losses,
)
from vestige.signals.level import Absolute, Relative, as_scaled_logit
from vestige.signals.linear import linear_boundary_distance, linear_distance
from vestige.signals.walk import Walk
from vestige.stats.roc import roc

LONG = {"l2": Walk(step=0.05, max_steps=600), "linf": Walk(norm="linf", step=0.01, max_steps=600)}


def linear(classes=2, features=12, seed=0):
    torch.manual_seed(seed)
    module = build(ModelSpec("linear"), (features,), classes)
    with torch.no_grad():
        module[-1].weight.mul_(3)
    return module


def points(samples=60, features=12, classes=2, seed=0, scale=1.0):
    generator = torch.Generator().manual_seed(seed)
    inputs = scale * torch.randn(samples, features, generator=generator)
    return inputs, torch.randint(0, classes, (samples,), generator=generator)


def tiny(seed=0, dtype=torch.float32):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(5, 12), nn.Tanh(), nn.Linear(12, 3)).to(dtype)


def textbook(module, inputs, targets, confidence, norm):
    """(logit(c) - z (2y - 1)) / ||w||, by numpy alone, with z the difference of the two logits."""
    weight, bias = module[-1].weight.detach().numpy().astype(float), module[-1].bias.detach().numpy()
    w, b = weight[1] - weight[0], float(bias[1]) - float(bias[0])
    z = inputs.numpy().astype(float) @ w + b
    size = np.sqrt((w**2).sum()) if norm == "l2" else np.abs(w).sum()
    return (np.log(confidence / (1 - confidence)) - z * (2 * targets.numpy() - 1)) / size


@pytest.mark.parametrize("norm", ["l2", "linf"])
@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.999])
def test_two_linear_classes_have_the_closed_form(norm, confidence):
    module, (inputs, targets), level = linear(), points(), Absolute(confidence=confidence)
    expected = textbook(module, inputs, targets, confidence, norm)
    walked = distance_to_confident(module, inputs, targets, level, LONG[norm])
    assert not walked.censored.any()
    assert (expected > 0).any()
    assert confidence > 0.99 or (expected < 0).any()
    assert np.abs(walked.values - expected).max() < 1e-4
    exact = linear_distance(module, inputs, targets, level, norm=norm)
    np.testing.assert_allclose(exact, expected, atol=1e-6)
    first = first_order_distance(module, inputs, targets, Absolute(confidence=0.5), norm=norm)
    assert (np.sign(first) == np.sign(textbook(module, inputs, targets, 0.5, norm))).all()


def test_one_logit_is_a_model_of_two_classes():
    torch.manual_seed(0)
    one = nn.Sequential(nn.Flatten(), nn.Linear(12, 1))
    inputs, targets = points()
    walked = distance_to_confident(one, inputs, targets, Absolute(), LONG["l2"])
    np.testing.assert_allclose(walked.values, linear_distance(one, inputs, targets, Absolute()), atol=1e-4)


def convex_distance(module, point, target, height):
    """The distance to the convex set of confident points of a linear model, by a general solver."""
    weight, bias = (p.detach().numpy().astype(float) for p in module[-1].parameters())

    def phi(x):
        z = weight @ x + bias
        others = np.delete(z, target)
        return z[target] - others.max() - np.log(np.exp(others - others.max()).sum())

    inside = {"type": "ineq", "fun": lambda x: phi(x) - height}
    start = point + 1e-3
    found = minimize(lambda x: ((x - point) ** 2).sum(), start, constraints=inside, tol=1e-12)
    return np.sqrt(found.fun)


def test_more_linear_classes_come_close_to_the_true_minimum_from_above():
    module, (inputs, targets) = linear(classes=4), points(30, classes=4, seed=1)
    level = Absolute(confidence=0.9)
    walked = distance_to_confident(module, inputs, targets, level, LONG["l2"])
    outside = np.flatnonzero(walked.values > 0)
    height = as_scaled_logit(level.loss())
    best = [
        convex_distance(module, inputs[i].numpy().astype(float), int(targets[i]), height) for i in outside
    ]
    assert len(outside) > 10
    ratio = walked.values[outside] / best
    assert ratio.min() > 1 - 1e-3
    assert ratio.max() < 1.1
    with pytest.raises(InputError, match="4 classes has no closed form"):
        linear_distance(module, inputs, targets, level)


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_the_boundary_of_linear_classes(norm):
    module, (inputs, targets) = linear(classes=4), points(60, classes=4)
    exact = linear_boundary_distance(module, inputs, targets, norm=norm)
    walked = boundary_distance(module, inputs, targets, LONG[norm])
    wrong = module(inputs).argmax(1) != targets
    assert (walked.values[wrong] == 0).all()
    assert (walked.values > 0).sum() == (~wrong).sum() > 5
    assert (walked.values >= exact - 1e-4).all()
    assert np.median(walked.values[~wrong] / exact[~wrong]) < 1.05
    two, (some, labels) = linear(), points()
    np.testing.assert_allclose(
        boundary_distance(two, some, labels, LONG[norm]).values,
        linear_boundary_distance(two, some, labels, norm=norm),
        atol=1e-4,
    )


def slow_distance(module, point, target, tau, step, most):
    """One sample: plain steps along the gradient of the loss, then a fine grid on the last of them."""

    def loss(x):
        return nn.functional.cross_entropy(module(x[None]), target[None])

    start = point.clone()
    sign = -1.0 if float(loss(point).detach()) > tau else 1.0
    for _ in range(most):
        x = point.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(loss(x), x)
        ahead = point + sign * step * gradient / gradient.norm()
        if (float(loss(ahead).detach()) > tau) != (sign < 0):
            grid = point + torch.linspace(0, 1, 20001).double()[:, None] * (ahead - point)
            losses = nn.functional.cross_entropy(module(grid), target.expand(20001), reduction="none")
            first = int(((losses > tau) != (sign < 0)).nonzero()[0])
            return -sign * float((grid[first] - start).norm())
        point = ahead
    return None


def test_a_small_network_equals_the_walk_of_one_sample_at_a_time():
    module, (inputs, targets) = tiny(dtype=torch.float64), points(12, 5, 3, scale=2.0)
    inputs, level = inputs.double(), Absolute(confidence=0.6)
    with torch.no_grad():
        module[2].weight.mul_(4)
    walked = distance_to_confident(module, inputs, targets, level, Walk(step=0.25, max_steps=40))
    slow = [slow_distance(module, x, y, level.loss(), 0.25, 40) for x, y in zip(inputs, targets, strict=True)]
    assert [s is None for s in slow] == walked.censored.tolist()
    reached = ~walked.censored
    assert {-1, 1} == set(np.sign(walked.values[reached]))
    np.testing.assert_allclose(walked.values[reached], [s for s in slow if s is not None], atol=1e-4)
    assert (np.abs(walked.values[~reached]) == 10.0).all()


def test_unsigned_distances_are_the_positive_part():
    module, (inputs, targets) = tiny(), points(40, 5, 3)
    signed = distance_to_confident(module, inputs, targets, Absolute(confidence=0.4))
    unsigned = distance_to_confident(module, inputs, targets, Absolute(confidence=0.4), Walk(signed=False))
    assert (signed.values < 0).any()
    np.testing.assert_allclose(unsigned.values, np.maximum(signed.values, 0), atol=1e-5)
    assert (unsigned.steps[signed.values < 0] == 0).all()


def test_the_predicted_class_can_be_the_goal():
    module, (inputs, targets) = tiny(), points(40, 5, 3)
    predicted = module(inputs).argmax(1)
    level = Absolute(confidence=0.7)
    toward = distance_to_confident(module, inputs, targets, level, Walk(target="predicted"))
    same = distance_to_confident(module, inputs, predicted, level)
    np.testing.assert_array_equal(toward.values, same.values)
    np.testing.assert_array_equal(toward.losses, label_losses(module, inputs, targets))
    assert (toward.losses != same.losses).any()


def test_the_box_holds_and_can_only_lengthen_the_walk():
    module = linear()
    inputs, targets = points()
    inputs = inputs.sigmoid()
    seen = []
    module.register_forward_pre_hook(lambda _, given: seen.append(given[0].detach()))
    free = distance_to_confident(module, inputs, targets, Absolute(), Walk(step=0.05))
    assert min(float(x.min()) for x in seen) < 0
    seen.clear()
    boxed = distance_to_confident(module, inputs, targets, Absolute(), Walk(step=0.05, box=(0.0, 1.0)))
    assert min(float(x.min()) for x in seen) >= 0
    assert max(float(x.max()) for x in seen) <= 1
    both = ~boxed.censored & ~free.censored
    assert (np.abs(boxed.values[both]) >= np.abs(free.values[both]) - 1e-4).all()
    with pytest.raises(InputError, match="does not hold all inputs"):
        distance_to_confident(module, inputs, targets, Absolute(), Walk(box=(0.0, 0.5)))


def test_a_walk_that_cannot_move_is_censored_at_once():
    flat = nn.Sequential(nn.Linear(4, 3))
    with torch.no_grad():
        flat[0].weight.zero_()
        flat[0].bias.copy_(torch.tensor([1.0, 0.0, 0.0]))
    found = distance_to_confident(flat, torch.zeros(5, 4), torch.tensor([0, 1, 2, 0, 1]), Absolute())
    assert found.censored.all()
    assert (found.values == 25.0).all()
    assert found.steps.max() == 0
    assert not found.usable
    assert "100% of the walks" in found.note


def test_confidence_close_to_one_still_has_a_slope():
    steep = linear()
    with torch.no_grad():
        steep[-1].weight.mul_(60)
    inputs, targets = points(30)
    walked = distance_to_confident(steep, inputs, targets, Absolute(confidence=0.9), LONG["l2"])
    losses = label_losses(steep, inputs, targets)
    assert losses.min() < 1e-30  # where the loss itself has no gradient in float32
    np.testing.assert_allclose(
        walked.values, linear_distance(steep, inputs, targets, Absolute(confidence=0.9)), atol=1e-4
    )


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(12)), st.integers(1, 12), st.floats(0.34, 0.95))
def test_company_and_order_change_nothing(order, batch_size, confidence):
    module, (inputs, targets) = tiny(dtype=torch.float64), points(12, 5, 3, scale=2.0)
    inputs, level, walk = inputs.double(), Absolute(confidence=confidence), {"step": 0.2, "max_steps": 30}
    whole = distance_to_confident(module, inputs, targets, level, Walk(**walk))
    mixed = distance_to_confident(
        module, inputs[order], targets[order], level, Walk(**walk, batch_size=batch_size)
    )
    np.testing.assert_allclose(mixed.values, whole.values[order], atol=1e-9)
    np.testing.assert_array_equal(mixed.steps, whole.steps[order])
    alone = distance_to_confident(module, inputs[3:4], targets[3:4], level, Walk(**walk))
    np.testing.assert_allclose(alone.values, whole.values[3:4], atol=1e-9)


def test_a_higher_level_is_farther():
    module, (inputs, targets) = tiny(), points(40, 5, 3)
    levels = [distance_to_confident(module, inputs, targets, Absolute(confidence=c)) for c in (0.4, 0.5, 0.6)]
    for nearer, farther in pairwise(levels):
        assert (nearer.values < farther.values + 1e-3).all()


def test_finished_samples_cost_nothing():
    module, (inputs, targets) = tiny(), points(40, 5, 3, scale=2.0)
    passed = []
    module.register_forward_pre_hook(
        lambda _, given: passed.append(len(given[0])) if given[0].requires_grad else None
    )
    walk = Walk(batch_size=7, max_steps=60)
    found = distance_to_confident(module, inputs, targets, Absolute(confidence=0.5), walk)
    assert 0 < found.censored.sum() < 40
    assert sum(passed) == (found.steps + 1).sum()
    assert max(passed) == 7


def test_the_model_is_left_as_it_was():
    module = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Tanh(), nn.Linear(8, 2))
    module.train()
    module[1].eval()
    module[0].weight.requires_grad_(False)
    module[4].weight.grad = torch.ones(2, 8)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    inputs, targets = points(20, 6, 2)
    given, random = inputs.clone(), torch.get_rng_state()
    distance_to_confident(module, inputs, targets, Absolute())
    boundary_distance(module, inputs, targets)
    first_order_distance(module, inputs, targets, Absolute())
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert [part.training for part in module] == [True, False, True, True, True]
    assert torch.equal(module[4].weight.grad, torch.ones(2, 8))
    assert module[4].bias.grad is None
    assert not module[0].weight.requires_grad
    assert torch.equal(inputs, given)
    assert not inputs.requires_grad
    assert torch.equal(torch.get_rng_state(), random)
    assert torch.is_grad_enabled()


def test_progress_counts_samples_up_to_all():
    module, (inputs, targets), seen = tiny(), points(40, 5, 3), []
    distance_to_confident(
        module, inputs, targets, Absolute(), report=lambda done, total: seen.append((done, total))
    )
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (40, 40)


def test_levels():
    assert Absolute(confidence=0.9).loss() == pytest.approx(-np.log(0.9))
    assert Relative(quantile=0.5).loss(np.array([1.0, 5.0, 2.0])) == 2.0
    for loss in (1e-12, 0.1, 3.0, 800.0):
        assert np.logaddexp(0, -as_scaled_logit(loss)) == pytest.approx(loss, rel=1e-9)
    assert as_scaled_logit(0.0) == np.inf
    with pytest.raises(InputError, match="known_losses is missing"):
        Relative().loss()
    with pytest.raises(InputError, match="confidence=1"):
        Absolute(confidence=1.0)


def test_scores_are_higher_for_members_either_way():
    arrays = {"censored": np.zeros(2, bool), "steps": np.zeros(2, int), "losses": np.zeros(2), "level": 0.1}
    values = np.array([-1.0, 2.0])
    assert Distances(values=values, **arrays).scores.tolist() == [1.0, -2.0]
    assert Distances(values=values, nearer_is_member=False, **arrays).scores.tolist() == [-1.0, 2.0]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"norm": "l1"}, "norm='l1'"),
        ({"target": "any"}, "target='any'"),
        ({"step": 0.0}, "step=0"),
        ({"max_steps": 0}, "max_steps=0"),
        ({"box": (1.0, 0.0)}, "box="),
        ({"batch_size": 0}, "batch_size=0"),
    ],
)
def test_options_out_of_range_are_refused(given, message):
    with pytest.raises(InputError, match=message):
        Walk(**given)


def test_inputs_that_are_not_floats_are_refused():
    with pytest.raises(InputError, match="uint8"):
        distance_to_confident(tiny(), torch.zeros(3, 5, dtype=torch.uint8), torch.zeros(3).long(), Absolute())
    with pytest.raises(InputError, match="one label per row"):
        boundary_distance(tiny(), torch.zeros(3, 5), torch.zeros(2).long())


def known_of(digits):
    return label_losses(digits.module, digits.inputs[:100], digits.targets[:100])


def test_on_noisy_digits_the_distance_tells_members_as_well_as_the_loss():
    digits = noisy_digits()
    found = distance_to_confident(
        digits.module, digits.inputs, digits.targets, Relative(), known_losses=known_of(digits)
    )
    by_distance, by_loss = roc(found.scores, digits.member).auc, roc(-found.losses, digits.member).auc
    assert by_distance > 0.6
    assert abs(by_distance - by_loss) < 0.02
    assert found.censor_rate < 0.05
    away = boundary_distance(digits.module, digits.inputs, digits.targets)
    assert roc(away.scores, digits.member).auc > 0.55
    plain = first_order_distance(
        digits.module, digits.inputs, digits.targets, Relative(), known_losses=known_of(digits)
    )
    assert roc(-plain, digits.member).auc > 0.55


def test_a_smoothed_model_is_never_very_confident_so_the_level_must_be_relative():
    digits = noisy_digits(smoothing=0.9)
    walk = Walk(box=(0.0, 1.0))
    absolute = distance_to_confident(
        digits.module, digits.inputs[::5], digits.targets[::5], Absolute(confidence=0.99), walk
    )
    relative = distance_to_confident(
        digits.module, digits.inputs, digits.targets, Relative(), walk, known_losses=known_of(digits)
    )
    assert absolute.censor_rate > 0.99
    assert not absolute.usable
    assert relative.censor_rate < 0.05
    assert relative.usable
    assert relative.note == ""
