import numpy as np
import pytest

from vestige.core.errors import InputError
from vestige.data.membership import paired
from vestige.risk.calibration import calibration, expected_calibration_error, recorded_calibration
from vestige.signals.source import ArraySignals


def slow_error(confidence, correct, bins=15):
    total = 0.0
    for m in range(1, bins + 1):
        inside = [i for i, c in enumerate(confidence) if (m - 1) / bins < c <= m / bins]
        if inside:
            accuracy = sum(bool(correct[i]) for i in inside) / len(inside)
            total += abs(accuracy - sum(confidence[i] for i in inside) / len(inside)) * len(inside)
    return total / len(confidence)


def test_the_error_equals_the_sum_over_bins():
    random = np.random.default_rng(0)
    confidence = random.uniform(0.1, 1, 500)
    correct = random.random(500) < confidence**2
    assert expected_calibration_error(confidence, correct) == pytest.approx(slow_error(confidence, correct))
    edges = np.arange(1, 16) / 15
    assert expected_calibration_error(edges, edges > 0.5) == pytest.approx(slow_error(edges, edges > 0.5))


def test_closed_forms():
    always = np.full(400, 0.8)
    assert expected_calibration_error(always, np.ones(400, bool)) == pytest.approx(0.2)
    assert expected_calibration_error(always, np.arange(400) % 5 > 0) == pytest.approx(0.0, abs=1e-12)
    assert expected_calibration_error(np.ones(10, np.float32), np.zeros(10, bool)) == 1.0
    opposite = np.array([0.9, 0.6])  # too sure in one bin, too shy in another: nothing cancels
    assert expected_calibration_error(opposite, np.array([False, True])) == pytest.approx(0.65)


def test_a_calibrated_model_has_almost_none():
    random = np.random.default_rng(1)
    confidence = random.uniform(0.3, 1, 40_000)
    assert expected_calibration_error(confidence, random.random(40_000) < confidence) < 0.02


def overfitted(models=8, samples=4000):
    """Sure at 0.9 everywhere; right in 0.9 of the members and in 0.6 of the others."""
    membership = paired(models, samples, 0)
    random = np.random.default_rng(2)
    correct = random.random((models, samples)) < np.where(membership.mask, 0.9, 0.6)
    return np.full((models, samples), 0.9), correct, membership


def test_members_and_others_are_kept_apart():
    confidence, correct, membership = overfitted()
    found = calibration(confidence, correct, membership.mask, membership.clusters())
    assert found.members_estimate.value == pytest.approx(0.0, abs=0.02)
    assert found.non_members_estimate.value == pytest.approx(0.3, abs=0.02)
    assert found.non_members_estimate.low < 0.3 < found.non_members_estimate.high
    own = membership.mask[2]
    assert found.members[2] == expected_calibration_error(confidence[2][own], correct[2][own])


def test_recorded_signals_give_the_same_and_a_missing_one_is_named():
    confidence, correct, membership = overfitted(4, 200)
    arrays = {
        "top_confidence": np.stack([confidence * 0 + 1, confidence], 1)[..., None].astype(np.float32),
        "correct": np.stack([correct, correct], 1)[..., None].astype(np.uint8),
    }
    found = recorded_calibration(ArraySignals(arrays), membership)
    expected = calibration(confidence, correct, membership.mask, membership.clusters())
    np.testing.assert_allclose(found.members, expected.members, atol=1e-6)
    first = recorded_calibration(ArraySignals(arrays), membership, checkpoint=0)
    assert (first.members > found.members).all()
    with pytest.raises(InputError, match="top_confidence"):
        recorded_calibration(ArraySignals({"correct": arrays["correct"]}), membership)


def test_what_is_no_probability_is_refused():
    with pytest.raises(InputError, match="0 samples"):
        expected_calibration_error(np.zeros(0), np.zeros(0, bool))
    with pytest.raises(InputError, match="give probabilities"):
        expected_calibration_error(np.array([3.0]), np.array([True]))
