import numpy as np
import pytest

from vestige.attacks.catalog import by_name
from vestige.attacks.pool import Pool
from vestige.attacks.score import score_pool
from vestige.data.membership import Membership, from_mask, independent, paired
from vestige.risk import control
from vestige.risk.blind import blind_baseline
from vestige.signals.source import ArraySignals


def attacker(membership, attack="lira-online-fixed"):
    return lambda signals: score_pool(Pool(signals, membership), by_name(attack)).at()


def naive_leave_one_out(mask):
    """Difference of the means over all other models, the target's complement included: leaks by counting."""

    def run(signals):
        values = np.stack([signals.row("scaled_logit", m, 0)[:, 0] for m in range(len(mask))])
        rows = []
        for target in range(len(mask)):
            rest = np.arange(len(mask)) != target
            count_in = mask[rest].sum(0)
            rows.append(np.where(mask[rest], values[rest], 0).sum(0) * 1e-9 - count_in)
        return np.stack(rows)

    return run


def recorded(mask, leak, seed=0):
    """Signals of hard and easy samples, with members' values raised; [models 2 samples 1]."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal(mask.shape) + 3 * rng.standard_normal(mask.shape[1]) + leak * mask
    return ArraySignals({"scaled_logit": np.stack([values * 0, values], 1)[..., None].astype(np.float32)})


DESIGNS = {
    "paired": lambda: paired(12, 700, 1),
    "independent": lambda: independent(13, 700, 1),
    "balanced": lambda: from_mask(
        np.random.default_rng(5).permuted(np.tile(np.arange(10)[:, None] < 5, 700), axis=0)
    ),
}


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("attack", ["lira-online-fixed", "rmia-online", "loss"])
def test_sound_attacks_pass_all_three(design, attack):
    membership = DESIGNS[design]()
    targets = np.arange(membership.num_models)
    run = attacker(membership, attack)
    assert control.negative_control(run, membership.mask, targets, 0).passed is True
    assert (
        control.positive_control(run, recorded(membership.mask, 0.0), membership.mask, targets).passed is True
    )
    scores = run(recorded(membership.mask, 2.0))
    assert control.foreign_coins(scores, membership.mask, membership.clusters()).passed is True


def test_a_leak_by_counting_fails_the_negative_control():
    mask = paired(8, 400, 0).mask
    found = control.negative_control(naive_leave_one_out(mask), mask, np.arange(8), 0)
    assert found.passed is False
    assert found.estimate.value == 1.0


def test_attacks_that_see_nothing_or_have_the_wrong_sign_fail_the_positive_control():
    membership = paired(8, 400, 0)
    noise = np.random.default_rng(0).standard_normal((8, 400))
    targets = np.arange(8)
    signals = recorded(membership.mask, 0.0)
    assert control.positive_control(lambda _: noise, signals, membership.mask, targets).passed is False
    right = attacker(membership)
    assert control.positive_control(lambda s: -right(s), signals, membership.mask, targets).passed is False


def test_the_planted_shift_is_at_the_last_checkpoint_and_for_members_only():
    membership = paired(4, 50, 0)
    signals, seen = recorded(membership.mask, 0.0), []

    def look(planted):
        assert planted.shape == (4, 1, 50, 1)
        seen.append(planted.row("scaled_logit", 1, 0) - signals.row("scaled_logit", 1, 1))
        return np.random.default_rng(0).standard_normal((4, 50))

    control.positive_control(look, signals, membership.mask, np.arange(4))
    assert np.array_equal(seen[0][:, 0] > 1, membership.mask[1])
    assert np.abs(seen[0][~membership.mask[1]]).max() < 1e-6


def test_without_scaled_logits_the_positive_control_is_not_run():
    membership = paired(4, 50, 0)
    signals = ArraySignals({"loss": np.zeros((4, 1, 50, 1))})
    found = control.positive_control(attacker(membership), signals, membership.mask, np.arange(4))
    assert found.passed is None
    assert found.note


def test_scores_of_samples_rather_than_of_members_fail_foreign_coins():
    rng = np.random.default_rng(0)
    split = rng.random(500) < 0.5  # all models trained on about the same half
    member = split ^ (rng.random((6, 500)) < 0.05)
    scores = rng.standard_normal((6, 500)) + 2 * split
    assert control.foreign_coins(scores, member, np.arange(6)).passed is False


def test_foreign_coins_need_two_independent_targets():
    membership = paired(2, 50, 0)
    found = control.foreign_coins(np.zeros((2, 50)), membership.mask, membership.clusters())
    assert found.passed is None


def test_the_null_interval_covers_lira_on_noise():
    """Scores of targets that serve each other as references spread by the factor that the interval allows."""
    values = []
    for seed in range(40):
        membership = paired(8, 200, seed)
        found = control.negative_control(attacker(membership), membership.mask, np.arange(8), seed)
        values.append((found.estimate.value - 0.5) / found.estimate.standard_error)
    assert 0.7 < np.std(values) < 1.3  # standard error of a deviation from 40 draws: .11


def members(rate, seed=0, targets=20, samples=1200):
    rng = np.random.default_rng(seed)
    mask = rng.random((targets, samples)) < rate
    return mask, np.arange(targets)


def test_blind_baseline_is_at_chance_for_random_coins():
    rng = np.random.default_rng(1)
    inputs, labels = rng.standard_normal((1200, 8, 12)), rng.integers(0, 5, 1200)
    found = blind_baseline(inputs, labels, *members(0.5), seed=0)
    assert found.passed is True
    assert found.estimate.value == pytest.approx(0.5, abs=0.02)


def test_blind_baseline_sees_members_that_differ_by_input_or_label():
    rng = np.random.default_rng(1)
    inputs, labels = rng.standard_normal((1200, 96)).astype(np.float32), rng.integers(0, 5, 1200)
    mask, clusters = members(0.5)
    shifted = inputs + 0.5 * mask[0][:, None]
    same_split = np.repeat(mask[:1], 20, 0)
    assert blind_baseline(shifted, labels, same_split, clusters, seed=0).passed is False
    by_label = rng.random((20, 1200)) < np.where(labels == 0, 0.8, 0.4)
    assert blind_baseline(inputs, labels, by_label, clusters, seed=0).passed is False


def test_blind_baseline_takes_bytes_and_complementary_pairs():
    membership = paired(8, 300, 0)
    pixels = np.random.default_rng(0).integers(0, 256, (300, 3, 6, 6)).astype(np.uint8)
    labels = np.arange(300) % 3
    found = blind_baseline(pixels, labels, membership.mask, membership.clusters(), seed=0)
    assert found.passed is True
    assert "4 independent targets" in found.estimate.method


def test_a_control_that_was_not_run_does_not_fail():
    def with_outcome(passed):
        return control.Control(
            name="n", purpose="", expectation="", estimate=control.unsupported(""), passed=passed
        )

    assert control.all_passed((with_outcome(None), with_outcome(True)))
    assert not control.all_passed((with_outcome(None), with_outcome(False)))


def test_membership_designs_here_are_what_they_say():
    assert {name: build().design for name, build in DESIGNS.items()} == {name: name for name in DESIGNS}
    assert isinstance(DESIGNS["balanced"](), Membership)
