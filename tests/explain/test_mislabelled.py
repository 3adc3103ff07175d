import numpy as np
import pytest

from vestige.core.errors import InputError
from vestige.explain.mislabelled import label_check, suspicion


def wrong_labels(seed=0, rate=0.05):
    """Labels flipped at random; a loss and the neighbors' labels each see it with an error of their own."""
    random = np.random.default_rng(seed)
    flipped = random.random(600) < rate
    foreign = random.binomial(10, np.where(flipped, 0.6, 0.25)) / 10
    return random.standard_normal(600) + 1.5 * flipped, foreign, flipped


def test_both_signs_together_find_more_than_either_alone():
    loss, foreign, flipped = wrong_labels()
    both = label_check(suspicion(loss, foreign), flipped)
    assert both.auc > max(label_check(loss, flipped).auc, label_check(foreign, flipped).auc)
    assert both.at_count.precision.low > both.at_count.chance
    assert both.at_count.records == flipped.sum()
    assert [top.share for top in both.top] == [0.01, 0.05, 0.1]


def test_the_score_is_the_mean_of_two_places():
    np.testing.assert_allclose(suspicion([1, 2, 3, 4], [0.2, 0.2, 1.0, 0.0]), [0.3125, 0.4375, 0.75, 0.5])
    np.testing.assert_allclose(suspicion([1, np.nan, 3], [0.0, 0.5, np.nan]), [0.25, 0.75, 0.75])
    assert np.isnan(suspicion([1, np.nan], [0.0, np.nan])[1])


def test_the_order_is_by_either_sign():
    loss, foreign, _ = wrong_labels()
    scores = suspicion(loss, foreign)
    assert suspicion(np.exp(loss), 3 * foreign) == pytest.approx(scores)  # only ranks count
    raised = loss.copy()
    raised[7] = loss.max() + 1
    assert suspicion(raised, foreign)[7] > scores[7]


def test_labels_flipped_at_random_are_not_found():
    loss, foreign, _ = wrong_labels(rate=0.0)
    random = np.random.default_rng(1)
    scores = suspicion(loss, foreign)
    aucs = [label_check(scores, random.random(600) < 0.05).auc for _ in range(100)]
    assert np.mean(aucs) == pytest.approx(0.5, abs=0.03)


def test_bad_input_is_told():
    with pytest.raises(InputError, match="disagreement holds 2 entries for 3"):
        suspicion([1, 2, 3], [0, 1])
    for flipped in ([0, 0, 0], [1, 1, 1]):
        with pytest.raises(InputError, match="some must have, and some not"):
            label_check([1, 2, 3], flipped)
