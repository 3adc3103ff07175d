import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vestige.core.errors import InputError
from vestige.risk.known import (
    Protocol,
    advantage_at,
    average_threshold,
    draw,
    known_members,
    powerful_threshold,
)

SCORES = st.lists(st.integers(-6, 6), min_size=2, max_size=12)


def population(targets=6, samples=3000, shift=1.0, seed=0):
    random = np.random.default_rng(seed)
    member = random.random((targets, samples)) < 0.5
    return random.standard_normal((targets, samples)) + shift * member, member, np.arange(targets)


def test_the_average_attack_is_the_mean_of_known_members_and_strict():
    losses = np.array([0.5, 1.0, 1.5])
    threshold = average_threshold(-losses)
    for loss, named in ((0.999, True), (1.0, False), (1.001, False)):
        assert (-loss >= threshold) == named == (loss < losses.mean())


@settings(max_examples=80, deadline=None)
@given(SCORES, SCORES)
def test_the_powerful_attack_is_the_best_of_all_thresholds(inside, outside):
    members, others = np.array(inside, float), np.array(outside, float)
    chosen = powerful_threshold(members, others)
    candidates = [*members, *others, np.inf]
    best = max(np.mean(members >= t) - np.mean(others >= t) for t in candidates)
    assert advantage_at(chosen, members, others) == pytest.approx(best)
    fewest = min(
        np.mean(np.append(members, others) >= t)
        for t in candidates
        if np.mean(members >= t) - np.mean(others >= t) >= best - 1e-12
    )
    assert np.mean(np.append(members, others) >= chosen) == pytest.approx(fewest)


def test_the_released_grid_is_mean_plus_c_deviations_of_the_loss_and_the_first_best():
    random = np.random.default_rng(0)
    members, others = random.exponential(1.0, 100), random.exponential(2.0, 100)
    advantages = []
    grid = [members.mean() + c * members.std() for c in np.linspace(-5, 5, 1001)]
    for threshold in grid:
        advantages.append(np.mean(members < threshold) - np.mean(others < threshold))
    expected = grid[int(np.argmax(advantages))]
    assert -powerful_threshold(-members, -others, "grid") == pytest.approx(expected, abs=1e-12)
    observed = powerful_threshold(-members, -others)
    assert advantage_at(observed, -members, -others) >= max(advantages)


@settings(max_examples=50, deadline=None)
@given(SCORES, SCORES, st.integers(-7, 7))
def test_the_advantage_is_twice_the_balanced_accuracy_less_one(inside, outside, threshold):
    members, others = np.array(inside, float), np.array(outside, float)
    accuracy = (np.mean(members >= threshold) + np.mean(others < threshold)) / 2
    assert advantage_at(float(threshold), members, others) == pytest.approx(2 * accuracy - 1)


def test_the_known_are_never_judged():
    members, others = np.arange(300), np.arange(300, 700)
    seen = [draw(members, others, 100, 150, (0, 2, number)) for number in range(4)]
    for one in seen:
        assert not set(one.known_members) & set(one.members)
        assert not set(one.known_others) & set(one.others)
        assert set(one.known_members) | set(one.members) <= set(members)
        assert set(one.known_others) | set(one.others) <= set(others)
        sizes = [len(x) for x in (one.known_members, one.known_others, one.members, one.others)]
        assert sizes == [100, 100, 150, 150]
    assert set(seen[0].known_members) != set(seen[1].known_members)
    again = draw(members, others, 100, 150, (0, 2, 0))
    assert (again.known_members == seen[0].known_members).all()


def test_every_draw_equals_a_slow_count():
    scores, member, clusters = population(targets=3, samples=500)
    protocol = Protocol(known=20, draws=3)
    found = known_members(scores, member, clusters, protocol, seed=7)
    for t in range(3):
        for d in range(3):
            one = draw(np.flatnonzero(member[t]), np.flatnonzero(~member[t]), 20, 5000, (7, t, d))
            mean = sum(scores[t][i] for i in one.known_members) / 20
            hits = sum(scores[t][i] > mean for i in one.members) / len(one.members)
            wrong = sum(scores[t][i] > mean for i in one.others) / len(one.others)
            assert found.average.draws[t, d] == pytest.approx(hits - wrong)
            assert len(one.members) + len(one.others) == 500 - 40
    np.testing.assert_allclose(found.powerful.values, found.powerful.draws.mean(1))
    assert found.average.estimate.value == pytest.approx(found.average.draws.mean())


def test_shifted_normals_have_their_advantage():
    from scipy.stats import norm

    scores, member, clusters = population(targets=12)
    found = known_members(scores, member, clusters)
    at_mean = norm.sf(0) - norm.sf(1.0)
    assert found.average.estimate.value == pytest.approx(at_mean, abs=0.03)
    assert found.average.estimate.low < at_mean < found.average.estimate.high
    best = 2 * norm.cdf(0.5) - 1
    assert best - 0.05 < found.powerful.estimate.value < best + 0.01
    assert found.note == ""


@pytest.mark.parametrize("candidates", ["observed", "grid"])
def test_coins_that_mean_nothing_give_no_advantage(candidates):
    scores, member, clusters = population(targets=20, samples=1000)
    coins = np.random.default_rng(5).random(member.shape) < 0.5
    found = known_members(scores * 0 + np.random.default_rng(6).random(scores.shape), coins, clusters)
    protocol = Protocol(candidates=candidates)
    shuffled = known_members(scores, np.roll(coins, 1, 0), clusters, protocol)
    for rule in (found.average, found.powerful, shuffled.average, shuffled.powerful):
        error = rule.values.std(ddof=1) / np.sqrt(len(rule.values))
        assert abs(rule.estimate.value) < 3 * error
        assert rule.estimate.low < 0 < rule.estimate.high


def test_scores_the_wrong_way_round_lose():
    scores, member, clusters = population(targets=4)
    right, wrong = known_members(scores, member, clusters), known_members(-scores, member, clusters)
    assert right.average.estimate.value > 0.3
    assert wrong.average.estimate.value < -0.3


def test_two_kinds_of_scores_meet_the_same_draws():
    scores, member, clusters = population(targets=3, samples=400)
    one, other = (known_members(s, member, clusters, seed=3) for s in (scores, np.exp(scores)))
    np.testing.assert_array_equal(one.powerful.draws, other.powerful.draws)
    assert (known_members(scores, member, clusters, seed=4).powerful.draws != one.powerful.draws).any()


def test_few_samples_are_halved_and_said_so():
    scores, member, clusters = population(targets=3, samples=100)
    found = known_members(scores, member, clusters)
    expected = [min(row.sum(), (~row).sum()) // 2 for row in member]
    assert found.known.tolist() == expected
    assert f"knows {min(expected)} to {max(expected)} members" in found.note
    assert "in place of 100" in found.note


def test_unscored_samples_are_neither_known_nor_judged():
    scores, member, clusters = population(targets=2, samples=600)
    kept = scores.copy()
    kept[:, 400:] = np.nan
    found = known_members(kept, member, clusters, seed=1)
    cut = known_members(scores[:, :400], member[:, :400], clusters, seed=1)
    np.testing.assert_array_equal(found.powerful.draws, cut.powerful.draws)
    with pytest.raises(InputError, match="target 0 has 0 members"):
        known_members(np.where(member, np.nan, scores), member, clusters)


def test_one_target_has_a_value_without_an_interval():
    scores, member, _ = population(targets=2, samples=400)
    estimate = known_members(scores, member, np.zeros(2, int)).average.estimate
    assert estimate.value is not None
    assert estimate.low is None
    assert "One independent target" in estimate.note


def test_protocols_are_checked():
    with pytest.raises(InputError, match="known=0"):
        Protocol(known=0)
    with pytest.raises(InputError, match="candidates='all'"):
        Protocol(candidates="all")
