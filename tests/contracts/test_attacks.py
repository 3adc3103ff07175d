"""What every registered attack must do, and whatever is registered later with it."""

import dataclasses
from itertools import product

import numpy as np
import pytest

from vestige.attacks.catalog import ATTACKS, DEFAULT_SET, HEADLINE, by_name
from vestige.attacks.rmia import BASE, RMIA
from vestige.attacks.score import score
from vestige.core.errors import InputError
from vestige.data.membership import Membership, paired
from vestige.stats.gaussian import log_density
from vestige.stats.roc import roc

NAMES = sorted(ATTACKS)
FITTED = ("joint", "joint-embeddings", "vestige")
DESIGNS = ("paired", "independent", "balanced")


def coins(design, models, samples, seed):
    if design == "paired":
        return paired(models, samples, seed)
    random = np.random.default_rng(seed)
    if design == "balanced":
        return Membership(random.random((models, samples)).argsort(0) < models // 2, "balanced", seed)
    mask = random.random((models, samples)) < 0.5
    return Membership(mask[:, mask.any(0) & ~mask.all(0)], "independent", seed)


def noise(membership, seed):
    """Signals that know nothing of the coins, with difficulty and spread that differ between samples."""
    random = np.random.default_rng(seed)
    models, samples = membership.mask.shape
    return random.normal(1, 2, samples) + random.gamma(2, 1, samples) * random.normal(size=(models, samples))


def leaky(membership, seed):
    random = np.random.default_rng(seed)
    models, samples = membership.mask.shape
    return 4 * membership.mask + random.normal(size=(models, samples)) + random.normal(0, 0.5, samples)


def null_sd(curve):
    """The standard deviation of the AUC of scores that are independent of the truth."""
    return np.sqrt((curve.positives + curve.negatives + 1) / (12 * curve.positives * curve.negatives))


def given(samples):
    """What attacks may be told of samples besides signals."""
    features = np.random.default_rng(samples).normal(size=(samples, 5))
    return {"labels": np.arange(samples) % 3, "features": features, "embeddings": features}


def aucs(values, membership, attack):
    targets = range(min(len(values), 6)) if attack in FITTED else None  # one fit per target
    scores = score(values, membership, attack, **given(values.shape[1]), targets=targets)
    curves = [scores.roc(target) for target, row in enumerate(scores) if not np.isnan(row).all()]
    return np.array([curve.auc for curve in curves]), max(null_sd(curve) for curve in curves)


@pytest.mark.parametrize(("design", "models"), list(product(DESIGNS, (4, 8, 16))))
@pytest.mark.parametrize("name", NAMES)
def test_no_leak_gives_one_half(name, design, models):
    """The counting probe: if numbers of references told the coin, small populations would show it.

    Attacks with a fit per target see fewer samples here; `tests/attacks/test_joint.py` holds them to 0.01.
    """
    membership = coins(design, models, 3000 if name in FITTED else 20_000, seed=11)
    if models == 4 and name in ("lira-online", "lira-offline"):
        pytest.skip("one reference a side has no variance")
    if models == 4 and by_name(name).needs.references:
        pytest.skip("refused: fewer than four references")
    values, sd = aucs(noise(membership, 12), membership, name)
    assert abs(values.mean() - 0.5) < (4 * sd / np.sqrt(len(values) / 2) if name in FITTED else 0.01)
    assert np.abs(values - 0.5).max() < 5 * sd


def naive_lira(values, mask, target):
    """Leave-one-out as it is often written: every other model is a reference."""
    others = np.arange(len(values)) != target
    sides = []
    for side in (mask, ~mask):
        chosen = side[others]
        count = chosen.sum(0)
        mean = np.where(chosen, values[others], 0).sum(0) / count
        variance = (np.where(chosen, values[others] - mean, 0) ** 2).sum(0) / count
        sides.append(log_density(values[target], mean, np.maximum(variance, 1e-12)))
    return sides[0] - sides[1]


@pytest.mark.parametrize("design", ["paired", "balanced"])
def test_the_counting_probe_can_fail(design):
    membership = coins(design, 8, 3000, seed=11)
    values = noise(membership, 12)
    curve = roc(naive_lira(values, membership.mask, 0), membership.mask[0])
    assert abs(curve.auc - 0.5) > 4 * null_sd(curve)


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("name", NAMES)
def test_higher_means_more_likely_a_member(name, design):
    membership = coins(design, 8, 1000, seed=5)
    values, _ = aucs(leaky(membership, 6), membership, name)
    assert values.min() > 0.8


@pytest.mark.parametrize("name", NAMES)
def test_an_attack_is_named_described_and_frozen(name):
    attack = by_name(name)
    assert attack.name == name
    assert attack.paper
    assert 10 < len(attack.describe()) < 110
    assert dataclasses.replace(attack) == attack
    assert hash(attack) == hash(dataclasses.replace(attack))


@pytest.mark.parametrize("name", NAMES)
def test_scoring_twice_gives_the_same_bits(name):
    membership = coins("balanced", 8, 200, seed=2)
    values = noise(membership, 3)
    first, second = (score(values, membership, name, **given(200)).values for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", NAMES)
def test_the_row_does_not_depend_on_the_targets_own_coins(name):
    """Flip the target's coins (and its complement's) and keep the signals: the scores stay bit for bit."""
    membership = paired(8, 300, 4)
    values = noise(membership, 9)
    flipped = membership.mask.copy()
    flipped[[2, 3]] = ~flipped[[2, 3]]
    before = score(values, membership, name, **given(300), targets=[2]).values
    after = score(values, Membership(flipped, "paired", 4), name, **given(300), targets=[2]).values
    np.testing.assert_allclose(before, after, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("online", [True, False])
def test_rmia_ranks_like_base_up_to_ties(online):
    membership = paired(8, 400, 1)
    values = leaky(membership, 2)
    base = score(values, membership, BASE(online=online))
    rmia = score(values, membership, RMIA(online=online, gamma=1.5))
    for target in range(8):
        order = np.argsort(base[target])
        assert (np.diff(rmia[target][order]) >= 0).all()


def test_the_headline_leads_the_default_set():
    assert DEFAULT_SET[0] == HEADLINE
    assert set(DEFAULT_SET) <= set(ATTACKS)


def test_a_misspelt_name_suggests_its_neighbors():
    with pytest.raises(InputError, match=r"did you mean .*student-t"):
        by_name("student")
