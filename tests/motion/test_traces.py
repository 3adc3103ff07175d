"""Traces of one run against obvious twins, and what a list made from them is worth."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestige.core.errors import InputError
from vestige.motion import traces

RANDOM = np.random.default_rng(3)
LOSSES = RANDOM.exponential(size=(7, 40))


def quartile(values, q):
    """The textbook definition, linear between order statistics."""
    ordered = sorted(values)
    place = q * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def test_the_interquartile_range_is_the_textbooks():
    slow = [quartile(column, 0.75) - quartile(column, 0.25) for column in LOSSES.T]
    np.testing.assert_allclose(traces.loss_trace_iqr(LOSSES), slow, atol=1e-12)


def test_a_sample_whose_loss_moves_ranks_above_one_that_rests():
    rests, falls = np.full(5, 0.1), np.array([4.0, 3.0, 1.0, 0.2, 0.1])
    values = traces.loss_trace_iqr(np.stack([rests, falls], 1))
    assert values[0] == 0
    assert values[1] == pytest.approx(2.8)


def test_the_cumulative_loss_is_the_mean():
    slow = [sum(column) / 7 for column in LOSSES.T]
    np.testing.assert_allclose(traces.cumulative_loss(LOSSES), slow)
    halves = LOSSES.astype(np.float32)
    assert traces.cumulative_loss(halves).dtype == np.float64


@given(st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=1, max_size=8))
def test_learning_time_is_the_first_checkpoint_without_a_later_error(rows):
    correct = np.array(rows, bool)
    slow = [
        next((t for t in range(len(rows)) if all(row[sample] for row in rows[t:])), len(rows))
        for sample in range(4)
    ]
    assert traces.learned_at(correct).tolist() == slow
    assert traces.learning_time(correct).tolist() == slow


def test_learning_epochs_are_those_of_the_checkpoints():
    correct = np.array([[0, 1, 0], [1, 1, 1], [1, 1, 0]], bool)
    epochs = traces.learning_epoch(correct, np.array([0.0, 5.0, 20.0]))
    assert epochs.tolist() == [5.0, 0.0, np.inf]


def test_the_list_holds_members_only_highest_first():
    values = np.array([1.0, 9.0, 3.0, 9.0, 5.0, 8.0])
    members = np.array([1, 0, 1, 1, 1, 1], bool)
    assert traces.most_exposed(values, members, 0.6).tolist() == [3, 5, 4]
    assert traces.most_exposed(values, members, 0.01).tolist() == [3]


def test_a_list_from_the_truth_is_right_and_a_reversed_one_wrong():
    members = np.ones(100, bool)
    exposed = np.arange(100) >= 90
    rising = np.arange(100.0)
    assert traces.list_precision(rising, members, exposed, 0.1) == 1.0
    assert traces.list_precision(-rising, members, exposed, 0.1) == 0.0


def test_equal_values_count_by_their_average_over_all_orders():
    values = np.array([3.0, 2.0, 2.0, 2.0, 1.0])
    exposed = np.array([1, 1, 0, 0, 1], bool)
    members = np.ones(5, bool)
    size = 3
    over_orders = []
    for order in itertools.permutations(range(5)):
        listed = sorted(range(5), key=lambda i, order=order: (-values[i], order[i]))[:size]
        over_orders.append(exposed[listed].mean())
    found = traces.list_precision(values, members, exposed, size / 5)
    assert found == pytest.approx(np.mean(over_orders))


def test_traces_without_information_reach_the_chance_level():
    models, samples = 200, 400
    noise = RANDOM.exponential(size=(models, 4, samples))
    members = RANDOM.random((models, samples)) < 0.5
    exposed = RANDOM.random(samples) < 0.2
    precision, chance = traces.warning_precision(noise, members, exposed, checkpoint=3, share=0.05)
    assert chance == pytest.approx(exposed.mean(), abs=0.01)
    assert precision.mean() == pytest.approx(chance, abs=0.04)


def test_only_checkpoints_up_to_the_present_are_read():
    losses = RANDOM.exponential(size=(3, 5, 30))
    members = np.ones((3, 30), bool)
    exposed = RANDOM.random(30) < 0.3
    before = traces.warning_precision(losses, members, exposed, checkpoint=2, share=0.2)
    losses[:, 3:] *= RANDOM.exponential(size=(3, 2, 30)) * 50
    after = traces.warning_precision(losses, members, exposed, checkpoint=2, share=0.2)
    np.testing.assert_array_equal(before[0], after[0])


def test_the_precision_per_model_is_that_of_its_own_members():
    losses = RANDOM.exponential(size=(4, 6, 50))
    members = RANDOM.random((4, 50)) < 0.5
    exposed = RANDOM.random(50) < 0.4
    precision, chance = traces.warning_precision(
        losses, members, exposed, checkpoint=5, share=0.3, measure=traces.cumulative_loss
    )
    for model in range(4):
        own = [s for s in range(50) if members[model, s]]
        own.sort(key=lambda s, model=model: -losses[model, :, s].mean())
        listed = own[: round(0.3 * len(own))]
        assert precision[model] == pytest.approx(np.mean([exposed[s] for s in listed]))
    assert chance == pytest.approx(np.mean([exposed[row].mean() for row in members]))


@pytest.mark.parametrize("share", [0.0, -0.1, 1.5])
def test_a_share_outside_the_unit_interval_is_refused(share):
    with pytest.raises(InputError, match=f"share={share}"):
        traces.list_size(share, 10)


def test_unknown_indicators_and_checkpoints_are_refused():
    with pytest.raises(InputError, match="loss_trace_iqr"):
        traces.indicator("loss_trace")
    with pytest.raises(InputError, match="checkpoint=7"):
        traces.warning_precision(
            LOSSES[None], np.ones((1, 40), bool), np.ones(40, bool), checkpoint=7, share=0.1
        )
