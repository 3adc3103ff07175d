import numpy as np
import pytest
from populations import stuck_free

from vestige.attacks.compression import fisher_direction
from vestige.attacks.hierarchical import Hierarchical
from vestige.attacks.joint import Joint
from vestige.attacks.score import score
from vestige.core.errors import InputError
from vestige.stats.roc import roc

MEMBERSHIP = stuck_free(20, 400, 0)
RANDOM = np.random.default_rng(0)
LEAK = np.array([0.0, 1.0, 1.5])
NOISE = RANDOM.normal(size=(20, 3, 400))
VALUES = NOISE + LEAK[:, None] * MEMBERSHIP.mask[:, None, :] + RANDOM.normal(size=400)
ASKED = {"labels": np.arange(400) % 4, "targets": range(6), "references": range(8, 16)}


def auc(attack):
    scores = score(VALUES, MEMBERSHIP, attack, **ASKED)
    rows = scores.at(-1)
    return np.mean([roc(row, own).auc for row, own in zip(rows, scores.member, strict=True)])


def test_the_direction_is_that_of_fisher():
    inside = MEMBERSHIP.mask
    weights = fisher_direction(VALUES.transpose(1, 0, 2), inside, np.ones_like(inside))
    # noises are independent and equal, so the direction is that of the differences
    cosine = weights @ LEAK / np.linalg.norm(weights) / np.linalg.norm(LEAK)
    assert cosine > 0.995
    rows = []
    for sample in range(400):
        for side in (True, False):
            group = VALUES[inside[:, sample] == side][:, :, sample]
            rows.append(group - group.mean(0))
    residuals = np.concatenate(rows)
    covariance = residuals.T @ residuals / len(residuals)
    assert weights @ covariance @ weights == pytest.approx(covariance[-1, -1])


@pytest.mark.parametrize("kind", [Hierarchical, Joint])
def test_checkpoints_together_tell_more_than_the_last(kind):
    if kind is Joint:
        ASKED["features"] = np.random.default_rng(1).normal(size=(400, 5))
    assert auc(kind(checkpoints="all")) > auc(kind()) + 0.02


def test_copies_of_one_checkpoint_add_nothing():
    same = np.repeat(VALUES[:, 2:], 3, axis=1)
    several = score(same, MEMBERSHIP, Hierarchical(checkpoints="all"), **ASKED).at(-1)
    alone = score(VALUES[:, 2], MEMBERSHIP, Hierarchical(), **ASKED).values
    np.testing.assert_allclose(several, alone, rtol=1e-6, atol=1e-6)


def test_a_misspelt_choice_is_refused():
    with pytest.raises(InputError, match="checkpoints"):
        Hierarchical(checkpoints="every")
