"""The bound of the joint attack, and the attack without one of its parts."""

import numpy as np
from populations import stuck_free

from vestige.attacks.joint import Joint
from vestige.attacks.score import score
from vestige.stats.roc import roc
from vestige.studies.joint_bound import KnownOthers

SAMPLES, GROUPS = 1200, 60
GROUP = np.arange(SAMPLES) % GROUPS
FEATURES = np.random.default_rng(7).normal(size=(GROUPS, 12))[GROUP]
FEATURES = FEATURES + 0.2 * np.random.default_rng(8).normal(size=(SAMPLES, 12))
PLAIN = Joint(landmarks=200)
ASKED = {"labels": GROUP % 3, "features": FEATURES, "targets": [0], "references": range(8, 16)}


def populated(leak):
    """Samples of a group raise each other's signals."""
    membership = stuck_free(24, SAMPLES, 3)
    random = np.random.default_rng(4)
    present = np.stack([np.bincount(GROUP, row, GROUPS) for row in membership.mask.astype(float)])
    others = present[:, GROUP] - membership.mask - (SAMPLES / GROUPS - 1) / 2
    noise = random.normal(0, 1, SAMPLES) + 0.5 * random.normal(size=others.shape)
    return membership, leak * membership.mask + others + noise


def bounds(membership, values, coins):
    return score(values, membership, KnownOthers.of(PLAIN, coins), **ASKED).values[0]


def test_a_samples_own_coin_is_not_in_its_own_bound_and_is_in_those_of_its_neighbors():
    membership, values = populated(leak=1.5)
    coins = membership.mask[0]
    turned = coins.copy()
    turned[5] = ~turned[5]
    before, after = (bounds(membership, values, one) for one in (coins, turned))
    np.testing.assert_allclose(after[5], before[5], atol=1e-4)  # rounding of single precision
    neighbors = (GROUP[5] == GROUP) & (np.arange(SAMPLES) != 5)
    assert np.abs(after - before)[neighbors].min() > 1e-3


def test_the_bound_lies_above_the_attack_and_tells_nothing_of_another_models_coins():
    membership, values = populated(leak=1.5)
    own, others = membership.mask[0], membership.mask[[*range(1, 8), *range(16, 24)]]
    guessed = roc(score(values, membership, PLAIN, **ASKED).values[0], own).auc
    found = bounds(membership, values, own)
    assert roc(found, own).auc > guessed
    assert abs(np.mean([roc(found, other).auc for other in others]) - 0.5) < 0.01
    assert roc(bounds(membership, values, others[0]), own).auc < guessed  # the wrong coins explain nothing


def test_without_neighbors_what_the_target_says_of_others_does_not_count():
    membership, values = populated(leak=1.5)
    moved = values.copy()
    moved[0, GROUP[5] != GROUP] += 3.0
    for attack, stays in ((Joint(landmarks=200, neighbors=False), True), (PLAIN, False)):
        one, two = (score(v, membership, attack, **ASKED).values[0, 5] for v in (values, moved))
        assert (one == two) == stays


def test_an_attack_without_a_part_says_so():
    assert Joint(neighbors=False, stacked=True).name == "joint-stacked-without-neighbors"
    assert Joint(expectation=False).name == "joint-without-expectation"
