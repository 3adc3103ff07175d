import numpy as np
import pytest
from populations import coins, signals
from twins import Twin

from vestige.attacks.lira import LiRA
from vestige.attacks.rmia import BASE, RMIA
from vestige.attacks.score import score
from vestige.attacks.student_t import StudentT

SAMPLES = 40
LABELS = np.arange(SAMPLES) % 3

TWINS = {
    "lira-online": lambda twin: twin.lira_online(),
    "lira-online-fixed": lambda twin: twin.lira_online("per-side"),
    "lira-offline": lambda twin: twin.lira_offline(),
    "lira-offline-fixed": lambda twin: twin.lira_offline("fixed"),
    "rmia-online": lambda twin: twin.rmia(online=True),
    "rmia-offline": lambda twin: twin.rmia(online=False),
    "base-online": lambda twin: twin.base(online=True),
    "base-offline": lambda twin: twin.base(online=False),
    "attack-r": lambda twin: twin.attack_r(),
    "attack-p": lambda twin: twin.attack_p(),
    "calibrated-loss": lambda twin: twin.calibrated_loss(),
    "loss-per-class": lambda twin: twin.loss_per_class(LABELS),
    "student-t": lambda twin: twin.student_t(),
}

OPTIONS = {
    "shared": (LiRA(fixed="shared"), lambda twin: twin.lira_online("shared")),
    "two-sided": (
        LiRA(online=False, variance="per-sample", tail="two-sided"),
        lambda twin: twin.lira_offline(tail="two-sided"),
    ),
    "two-sided fixed": (
        LiRA(online=False, tail="two-sided"),
        lambda twin: twin.lira_offline("fixed", "two-sided"),
    ),
    "median": (LiRA(center="median"), lambda twin: twin.lira_online("per-side", np.median)),
    "median per sample": (
        LiRA(variance="per-sample", center="median"),
        lambda twin: twin.lira_online("per-sample", np.median),
    ),
    "cold": (BASE(temperature=1.0), lambda twin: twin.base(online=True, temperature=1.0)),
    "a": (BASE(online=False, a=0.8), lambda twin: twin.base(online=False, a=0.8)),
    "gamma": (RMIA(gamma=1.0), lambda twin: twin.rmia(online=True, gamma=1.0)),
    "no guard": (StudentT(guard=np.inf), lambda twin: twin.student_t(guard=np.inf)),
}


@pytest.mark.parametrize("design", ["paired", "independent", "balanced"])
@pytest.mark.parametrize("name", TWINS)
def test_every_attack_equals_its_twin(name, design):
    membership = coins(design, 14, SAMPLES, seed=3)
    values = signals(membership, 2.0)
    scores = score(values, membership, name, labels=LABELS)
    for target in (0, 13):
        expected = TWINS[name](Twin(values, membership, target))
        np.testing.assert_allclose(scores[target], expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_equals_its_twin(option):
    attack, twin = OPTIONS[option]
    membership = coins("paired", 13, SAMPLES, seed=5)
    values = signals(membership, 2.0)
    scores = score(values, membership, attack)
    for target in (1, 12):
        np.testing.assert_allclose(
            scores[target], twin(Twin(values, membership, target)), rtol=1e-9, atol=1e-9
        )


def test_a_dominating_target_costs_no_digits():
    """The target's probability is 1 and the others' 1e-20: total minus own would leave nothing."""
    membership = coins("independent", 8, 30)
    values = np.random.default_rng(0).normal(-92.0, 1.0, (8, 30))
    values[2] = 50.0
    for name, twin in (
        ("base-online", lambda twin: twin.base(online=True)),
        ("base-offline", lambda twin: twin.base(online=False)),
        ("lira-online-fixed", lambda twin: twin.lira_online("per-side")),
    ):
        expected = twin(Twin(values, membership, 2))
        np.testing.assert_allclose(score(values, membership, name)[2], expected, rtol=1e-9)


def test_an_outlying_target_leaves_the_spread_of_the_others():
    membership = coins("paired", 10, 30)
    values = np.random.default_rng(0).normal(0.0, 1e-4, (10, 30))
    values[4] = 1e5
    expected = Twin(values, membership, 4).lira_online()
    np.testing.assert_allclose(score(values, membership, "lira-online")[4], expected, rtol=1e-9)


def test_more_samples_than_a_block_score_like_fewer():
    """Per-sample attacks score a sample the same whatever lies beside it."""
    membership = coins("paired", 6, 20_000)
    values = signals(membership, 1.0)
    few = type(membership)(membership.mask[:, 15_000:], "paired")
    for attack in ("base-online", "lira-online", "calibrated-loss", "attack-r"):
        models = score(values, membership, attack, targets=[1])
        np.testing.assert_allclose(
            models[0, 15_000:], score(values[:, 15_000:], few, attack, targets=[1])[0], 1e-12
        )


def test_the_out_deviation_comes_from_out_scores():
    """OUT references spread ten times as wide as IN: taking one for the other changes the score a lot."""
    membership = coins("paired", 20, 200)
    noise = np.random.default_rng(1).normal(size=membership.mask.shape)
    values = np.where(membership.mask, 3 + 0.2 * noise, 2 * noise)
    twin = Twin(values, membership, 0)
    in_squares, in_freedom = twin.pooled(True)
    out_squares, out_freedom = twin.pooled(False)
    assert np.sqrt(out_squares / out_freedom) > 8 * np.sqrt(in_squares / in_freedom)
    offline = score(values, membership, LiRA(online=False, tail="two-sided"), targets=[0])[0]
    variance = out_squares / out_freedom
    means = np.array([twin.references(sample, False).mean() for sample in range(200)])
    expected = 0.5 * ((values[0] - means) ** 2 / variance + np.log(2 * np.pi * variance))
    np.testing.assert_allclose(offline, expected, rtol=1e-9)


def test_only_the_two_sided_tail_takes_low_confidence_for_membership():
    membership = coins("paired", 20, 50)
    values = np.random.default_rng(1).normal(size=(20, 50))
    values[0, :25], values[0, 25:] = -6.0, 0.0
    one = score(values, membership, "lira-offline-fixed", targets=[0])[0]
    two = score(values, membership, LiRA(online=False, tail="two-sided"), targets=[0])[0]
    assert one[:25].max() < one[25:].min()
    assert two[:25].min() > two[25:].max()


def test_shared_variance_is_linear_in_the_signal_and_never_falls():
    membership = coins("paired", 12, 60)
    values = signals(membership, 2.0)
    values[0] = 1e3
    assert (score(values, membership, LiRA(fixed="shared"), targets=[0])[0] > 0).mean() > 0.9


def test_the_guard_keeps_very_confident_targets_members():
    membership = coins("paired", 16, 300)
    noise = np.random.default_rng(2).normal(size=membership.mask.shape)
    values = np.where(membership.mask, 4 + 0.3 * noise, 3 * noise)
    values[0] = 60.0
    guarded = score(values, membership, "student-t", targets=[0])[0]
    bare = score(values, membership, StudentT(guard=np.inf), targets=[0])[0]
    assert (guarded > 0).all()
    assert (bare < 0).any()
