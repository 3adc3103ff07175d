import numpy as np

from vestige.risk.difficulty import accuracy_over_time, difficulty
from vestige.signals.source import ArraySignals

GENERATOR = np.random.default_rng(0)
MASK = np.array([[1, 0, 1], [0, 1, 0], [1, 1, 0], [0, 0, 1]], bool)
PHI = GENERATOR.normal(size=(4, 2, 3, 1))
CORRECT = GENERATOR.integers(0, 2, (4, 2, 3, 1)).astype(np.uint8)
SIGNALS = ArraySignals({"scaled_logit": PHI, "correct": CORRECT})


def test_difficulty_equals_its_definition():
    found = difficulty(SIGNALS, MASK)
    for i in range(3):
        inside, outside = MASK[:, i], ~MASK[:, i]
        assert np.isclose(found.out_loss[i], np.log1p(np.exp(-PHI[outside, 1, i, 0])).mean())
        right = CORRECT[:, 1, i, 0].astype(float)
        assert np.isclose(found.memorization[i], right[inside].mean() - right[outside].mean())


def test_accuracy_equals_its_definition():
    found = accuracy_over_time(SIGNALS, MASK)
    for k in range(4):
        for c in range(2):
            right = CORRECT[k, c, :, 0].astype(float)
            assert np.isclose(found.train[k, c], right[MASK[k]].mean())
            assert np.isclose(found.test[k, c], right[~MASK[k]].mean())


def test_without_correctness_there_is_no_accuracy_and_no_memorization():
    bare = ArraySignals({"scaled_logit": PHI})
    assert accuracy_over_time(bare, MASK) is None
    assert np.isnan(difficulty(bare, MASK).memorization).all()
