"""DP-SGD beside other defenses: the most noise that keeps a task useful."""

import numpy as np

from vestige.audits.options import Options
from vestige.audits.step import silent
from vestige.designs import tuning
from vestige.designs.tuning import NOISES, tuned_private

BASE = Options(dataset="digits", samples=400, epochs=8, model="mlp-32", jobs=1, batch_size=16, checkpoints=2)


def test_the_most_noise_that_keeps_accuracy_is_taken(tmp_path, monkeypatch):
    """With accuracies of our own making, so that the choice is known."""
    accuracies = {"none": 0.9, "4": 0.2, "2": 0.5, "1": 0.82, "0.5": 0.85}
    asked = []

    def accuracy(trial, listener):
        name = trial.options.defense.removeprefix("dp_sgd:noise=").partition("/")[0]
        asked.append((name, trial.options.seed, trial.options.models))
        return accuracies[name]

    monkeypatch.setattr(tuning, "_accuracy", accuracy)
    found = tuned_private(BASE, 7, tmp_path, silent)
    assert found.defense == "dp_sgd:noise=1/delta=1e-5"
    assert asked == [(name, 7, 2) for name in ("none", "4", "2", "1")]
    assert "0.810" in found.note
    assert "0.820" in found.note


def test_where_all_cost_too_much_the_least_noise_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(tuning, "_accuracy", lambda trial, _: float(trial.options.defense == "none"))
    assert tuned_private(BASE, 7, tmp_path, silent).defense == f"dp_sgd:noise={NOISES[-1]:g}/delta=1e-5"


def test_trained_candidates_are_used_again(tmp_path):
    first = tuned_private(BASE, 3, tmp_path, silent)
    steps = []
    assert tuned_private(BASE, 3, tmp_path, steps.append) == first
    assert np.sum([step.seconds for step in steps]) < 1
    noise = float(first.defense.removeprefix("dp_sgd:noise=").partition("/")[0])
    assert noise in NOISES
