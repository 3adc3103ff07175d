import numpy as np
import pytest

from vestige.data.membership import independent, paired
from vestige.explanations.who import reference_scores, vulnerable_sets
from vestige.stats.roc import roc


def slow_reference_scores(values, membership):
    found = np.full(values.shape, np.nan)
    for target in range(len(values)):
        usable = membership.reference_mask(target)
        for sample in range(values.shape[1]):
            others = [
                values[model, sample]
                for model in range(len(values))
                if usable[model, sample] and not membership.mask[model, sample]
            ]
            if others:
                found[target, sample] = values[target, sample] - sum(others) / len(others)
    return found


@pytest.mark.parametrize("design", [paired, independent])
def test_reference_scores_equal_the_slow_twin(design):
    membership = design(16, 20, 3)
    values = np.random.default_rng(0).normal(size=(16, 20))
    np.testing.assert_allclose(
        reference_scores(values, membership), slow_reference_scores(values, membership)
    )


def test_a_pair_of_halves_has_no_references():
    membership = paired(2, 10, 0)
    assert np.isnan(reference_scores(np.zeros((2, 10)), membership)).all()


def auc(scores, member):
    return np.mean([roc(s, m).auc for s, m in zip(scores, member, strict=True)])


def leaky(samples, lift, seed=0):
    """Models whose scaled logit varies with the record's difficulty far more than with membership."""
    random, membership = np.random.default_rng(seed), paired(16, samples, seed)
    difficulty = 5 * random.normal(size=samples)
    return difficulty + random.normal(size=(16, samples)) + lift * membership.mask, membership


def test_references_take_difficulty_out_of_the_score():
    values, membership = leaky(600, 2.0)
    assert auc(values, membership.mask) < 0.65
    assert auc(reference_scores(values, membership), membership.mask) > 0.85


def test_without_a_trace_of_membership_sets_are_of_chance_size():
    values, membership = leaky(4000, 0.0)
    scores = {"reference": reference_scores(values, membership), "global": values}
    assert abs(auc(scores["reference"], membership.mask) - 0.5) < 0.01
    for sets in vulnerable_sets(scores, membership, 0.01).values():
        assert not sets.beyond_chance.sum() > 4
        assert abs(sets.times_chance().value - 1) < 0.35


def test_sets_of_a_leaky_run_are_beyond_chance():
    values, membership = leaky(600, 4.0)
    sets = vulnerable_sets({"reference": reference_scores(values, membership)}, membership, 0.01)
    assert sets["reference"].beyond_chance.all()
    assert sets["reference"].times_chance().value > 10
