"""Scores of single weights: against the formula written out, and what regions add up to."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from vestige.data.dataset import Dataset
from vestige.localization.weights import (
    RegionScores,
    _gathered,  # pyright: ignore[reportPrivateUsage]
)
from vestige.models.regions import Region
from vestige.training.critical import weight_scores

SAMPLES = 12


def network(seed):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3)).eval()


@pytest.fixture
def material():
    from vestige.training.engine import Material

    inputs = np.random.default_rng(0).normal(size=(SAMPLES, 3)).astype(np.float32)
    return Material.of(Dataset(inputs, np.arange(SAMPLES) % 3, 3, "toy"), torch.device("cpu"))


def scored(material, trade=0.5, apart=(0, 1, 2)):
    members = torch.arange(10)
    return weight_scores(
        network(1), network(2), material, members, torch.tensor(apart, dtype=torch.long), trade
    )


def test_scores_are_the_product_of_weight_and_gradient(material):
    module, initial = network(1), network(2)
    privacy, learnability = scored(material, 0.3)
    fit = functional.cross_entropy(module(material.inputs[:10]), material.targets[:10])
    now, before = module(material.inputs[:3]).softmax(-1), initial(material.inputs[:3]).softmax(-1).detach()
    moved = (now * (now / before).log()).sum(-1).mean()
    for name, weight in module.named_parameters():
        (own,) = torch.autograd.grad(fit, weight, retain_graph=True)
        (both,) = torch.autograd.grad(0.7 * fit + 0.3 * moved, weight, retain_graph=True)
        torch.testing.assert_close(learnability[name], (own * weight).abs().detach())
        torch.testing.assert_close(privacy[name], (both * weight).abs().detach(), atol=1e-6, rtol=1e-4)


def test_without_trade_both_scores_are_the_same(material):
    privacy, learnability = scored(material, 0.0)
    assert all(torch.equal(privacy[name], learnability[name]) for name in privacy)


def test_nobody_set_apart_leaves_the_fit_alone(material):
    privacy, learnability = scored(material, 0.5, ())
    assert all(torch.allclose(privacy[name], 0.5 * learnability[name]) for name in privacy)


def test_regions_share_the_whole():
    regions = [Region("one", ("a",)), Region("two", ("b", "c"))]
    privacy = {"a": torch.tensor([3.0, 1.0]), "b": torch.tensor([2.0, 2.0, 1.0]), "c": torch.tensor([1.0])}
    learnability = {
        "a": torch.tensor([6.0, 2.0]),
        "b": torch.tensor([0.0, 1.0, 0.0]),
        "c": torch.tensor([1.0]),
    }
    shares, learned, correlation, weights = _gathered(regions, privacy, learnability)
    np.testing.assert_allclose(shares, [0.4, 0.6])
    np.testing.assert_allclose(learned, [0.8, 0.2])
    np.testing.assert_allclose(correlation, [1.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(weights, [2 / 6, 4 / 6])


def test_risk_is_the_mean_per_parameter_over_that_of_the_network_with_the_share_beside_it():
    found = RegionScores(
        privacy=np.array([[0.4, 0.6], [0.2, 0.8]]),
        learnability=np.array([[0.8, 0.2], [0.6, 0.4]]),
        correlation=np.ones((2, 2)),
        weights=np.array([0.1, 0.9]),
        clusters=np.arange(2),
    )
    small = found.estimates(0)
    assert small["privacy"].value == pytest.approx(3.0)  # a tenth of the weights has three of its parts
    assert small["generalization"].value == pytest.approx(7.0)
    assert (small["privacy_share"].value, small["generalization_share"].value) == pytest.approx((0.3, 0.7))
    assert small["privacy"].low == pytest.approx(10 * small["privacy_share"].low)


def test_equal_scores_have_no_correlation():
    one = {"a": torch.ones(3)}
    assert np.isnan(_gathered([Region("one", ("a",))], one, one)[2, 0])
