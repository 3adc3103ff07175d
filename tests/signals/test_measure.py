import numpy as np
import pytest
import torch
from scipy.special import log_softmax, softmax

from vestige.core.errors import InputError
from vestige.signals.measure import Observation, measure, stored
from vestige.signals.source import UNITS, ArraySignals, read

ALL = ("scaled_logit", "correct", "entropy", "modified_entropy", "top_confidence", "gradient_norm")


def case(classes=5, samples=40, scale=3.0):
    generator = torch.Generator().manual_seed(0)
    logits = scale * torch.randn(samples, classes, generator=generator)
    targets = torch.randint(0, classes, (samples,), generator=generator)
    features = torch.randn(samples, 7, generator=generator)
    return logits, targets, features


def slow(logits, y, h):
    """One sample, straight from the definitions, in float64."""
    p = softmax(logits.astype(np.float64))
    mentr = -(1 - p[y]) * np.log(p[y]) - sum(p[j] * np.log(1 - p[j]) for j in range(len(p)) if j != y)
    residual = p - np.eye(len(p))[y]
    gradient = np.outer(residual, np.append(h, 1.0))
    return {
        "scaled_logit": np.log(p[y]) - np.log(np.delete(p, y).sum()),
        "correct": float(np.argmax(logits) == y),
        "entropy": -(p * np.log(p)).sum(),
        "top_confidence": p.max(),
        "modified_entropy": mentr,
        "gradient_norm": np.linalg.norm(gradient),
    }


def test_every_signal_is_measured_or_derived():
    assert {*ALL, "loss", "confidence"} == set(UNITS)


def test_signals_equal_their_definitions():
    logits, targets, features = case()
    values = measure(logits, targets, features, ALL)
    for i in range(len(targets)):
        expected = slow(logits[i].numpy(), int(targets[i]), features[i].numpy())
        for name in ALL:
            assert values[name][i] == pytest.approx(expected[name], rel=2e-4, abs=1e-5), name


def test_many_models_at_once_equal_one_at_a_time():
    logits, targets, features = case()
    stack = torch.stack([logits, -logits])
    both = measure(stack, targets, torch.stack([features, features]), ALL)
    for k in (0, 1):
        alone = measure(stack[k], targets, features, ALL)
        for name in ALL:
            np.testing.assert_array_equal(both[name][k], alone[name])


def test_extreme_logits_lose_nothing():
    logits = torch.tensor([[200.0, 0.0, 0.0], [0.0, 300.0, 299.0]])
    values = measure(logits, torch.tensor([0, 0]), None, ALL[:4])
    assert values["scaled_logit"] == pytest.approx([200 - np.log(2), -300 - np.log1p(np.exp(-1))], rel=1e-6)
    assert all(np.isfinite(v).all() for v in values.values())


def test_one_logit_is_a_binary_model():
    z = torch.tensor([[2.0], [-1.0], [0.5]])
    y = torch.tensor([1, 1, 0])
    values = measure(z, y, torch.zeros(3, 4), ("scaled_logit", "correct", "gradient_norm", "top_confidence"))
    assert values["scaled_logit"] == pytest.approx([2.0, -1.0, -0.5])
    assert values["correct"].tolist() == [1, 0, 0]
    sigmoid = 1 / (1 + np.exp(-z[:, 0].numpy()))
    assert values["gradient_norm"] == pytest.approx(np.abs(sigmoid - y.numpy()), rel=1e-5)
    assert values["top_confidence"] == pytest.approx(np.maximum(sigmoid, 1 - sigmoid), rel=1e-6)


def test_a_tie_is_not_correct():
    assert measure(torch.zeros(2, 3), torch.tensor([0, 1]), None, ("correct",))["correct"].tolist() == [0, 0]


def test_low_precision_logits_are_refused():
    with pytest.raises(TypeError, match="bfloat16"):
        measure(torch.zeros(2, 3, dtype=torch.bfloat16), torch.tensor([0, 1]), None, ("correct",))


def test_loss_and_confidence_follow_from_the_scaled_logit():
    logits, targets, _ = case(scale=8.0)
    phi = measure(logits, targets, None, ("scaled_logit",))["scaled_logit"]
    source = ArraySignals({"scaled_logit": phi[None, None, :, None]})
    log_p = log_softmax(logits.numpy().astype(np.float64), axis=1)[np.arange(40), targets]
    np.testing.assert_allclose(read(source, "loss", 0, 0)[:, 0], -log_p, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(read(source, "confidence", 0, 0)[:, 0], np.exp(log_p), rtol=1e-4)


def test_two_outcome_entropies_equal_the_recorded_ones_for_two_classes():
    logits, targets, _ = case(classes=2)
    values = measure(logits, targets, None, ("scaled_logit", "entropy", "modified_entropy"))
    source = ArraySignals({"scaled_logit": values["scaled_logit"][None, None, :, None]})
    for name in ("entropy", "modified_entropy"):
        np.testing.assert_allclose(read(source, name, 0, 0)[:, 0], values[name], rtol=1e-3, atol=1e-5)


def test_a_signal_that_is_not_there_is_named():
    with pytest.raises(InputError, match="gradient_norm"):
        read(ArraySignals({"scaled_logit": np.zeros((2, 1, 3, 1))}), "gradient_norm", 0, 0)


def test_observations_are_checked():
    with pytest.raises(InputError, match="did you mean entropy"):
        Observation(checkpoints=(0, 1), signals=("entropi",))
    with pytest.raises(InputError, match="increasing"):
        Observation(checkpoints=(0, 3, 2))
    assert stored(("loss", "entropy", "entropy")) == ("scaled_logit", "correct", "entropy")
