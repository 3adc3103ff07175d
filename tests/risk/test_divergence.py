import numpy as np

from vestige.risk.difficulty import AccuracyOverTime
from vestige.risk.divergence import training_warnings
from vestige.signals.source import ArraySignals


def signals(scales):
    values = np.random.default_rng(0).normal(size=(len(scales), 2, 50, 1))
    return ArraySignals({"scaled_logit": values * np.array(scales)[:, None, None, None]})


def accuracy(last):
    train = np.stack([np.zeros(len(last)), np.array(last)], 1)
    return AccuracyOverTime(train, train)


def test_sound_models_draw_no_remark():
    assert training_warnings(signals([1.0, 8.0, 30.0]), accuracy([1.0, 0.98, 0.6])) == ()
    assert training_warnings(ArraySignals({"loss": np.ones((2, 1, 3, 1))}), None) == ()


def test_exploded_logits_and_collapsed_models_are_counted():
    found = training_warnings(signals([1.0, 1e24, 1e6]), accuracy([0.99, 0.1, 1.0]))
    assert "2 of 3 models diverged" in found[0]
    assert "1 of 3 models collapsed" in found[1]
