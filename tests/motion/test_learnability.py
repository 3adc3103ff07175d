"""Hardness against loops, halves without a common model, null and planted associations."""

import dataclasses

import numpy as np
import pytest
from scipy.stats import spearmanr

from vestige.attacks.catalog import by_name
from vestige.attacks.hierarchical import Hierarchical
from vestige.attacks.joint import Joint
from vestige.attacks.part_pool import part_of
from vestige.attacks.pool import Pool
from vestige.attacks.strongest import Vestige
from vestige.core.errors import InputError
from vestige.data.membership import independent, paired
from vestige.motion.hardness import BY_NAME, epoch_learned, forgetting_events, hardness
from vestige.motion.learnability import halves, learnability
from vestige.risk.operating_point import PopulationFPR
from vestige.risk.region import NAMED
from vestige.signals.source import ArraySignals, Part

EPOCHS = np.array([0.0, 1, 3, 7])
LIRA = by_name("lira-online-fixed")


def population(models=24, samples=300, leak=True, seed=0):
    """Signals in which hard samples are learned late, and leak if they are to."""
    rng = np.random.default_rng(seed)
    membership = paired(models, samples, seed)
    hard = rng.random(samples)
    progress = np.array([0.0, 0.3, 0.7, 1.0])[None, :, None]
    gap = membership.mask[:, None] * (6 * hard if leak else np.zeros(samples)) * progress
    logits = 8 * progress - 12 * hard * progress + gap + rng.standard_normal((models, 4, samples))
    values = {"scaled_logit": logits[..., None], "correct": (logits > 0).astype(np.uint8)[..., None]}
    return ArraySignals(values), membership, hard


def test_epoch_learned_and_forgetting_by_hand():
    right = np.array([[0, 1, 1, 0], [1, 0, 1, 0], [0, 1, 1, 0], [1, 1, 1, 0]], bool)
    assert epoch_learned(right, EPOCHS).tolist() == [7, 3, 0, 8]
    assert forgetting_events(right).tolist() == [1, 1, 0, 0]


def test_hardness_equals_loops_over_models():
    signals, membership, _ = population(8, 20)
    depth = np.full((8, 20), np.nan)
    depth[:2] = np.arange(40).reshape(2, 20)
    found = hardness(signals, membership.mask, EPOCHS, depth)
    assert set(found.names) == set(BY_NAME)
    values = {name: found.of(name, np.ones((1, 8)))[0] for name in found.names}
    for i in range(20):
        inside = [k for k in range(8) if membership.mask[k, i]]
        outside = [k for k in range(8) if not membership.mask[k, i]]
        right = [[bool(signals.row("correct", k, t)[i, 0]) for t in range(4)] for k in range(8)]
        logit = [[float(signals.row("scaled_logit", k, t)[i, 0]) for t in range(4)] for k in range(8)]

        def learned(path):
            for t in range(4):
                if all(path[t:]):
                    return EPOCHS[t]
            return 8.0

        expected = {
            "epoch_learned": np.mean([learned(right[k]) for k in inside]),
            "forgetting": np.mean([sum(a and not b for a, b in zip(right[k], right[k][1:])) for k in inside]),  # noqa: B905
            "mean_loss": np.mean([np.log1p(np.exp(-z)) for k in inside for z in logit[k]]),
            "inconsistency": np.mean([not right[k][-1] for k in outside]),
            "memorization": np.mean([right[k][-1] for k in inside])
            - np.mean([right[k][-1] for k in outside]),
            "prediction_depth": depth[0 if membership.mask[0, i] else 1, i],
        }
        assert {name: values[name][i] for name in expected} == pytest.approx(expected)


def test_hardness_without_correctness_says_so():
    signals = ArraySignals({"scaled_logit": np.zeros((4, 1, 3, 1))})
    with pytest.raises(InputError, match="correct"):
        hardness(signals, np.ones((4, 3), bool), np.zeros(1))


@pytest.mark.parametrize("models", [8, 9, 12, 31])
def test_halves_share_no_model_and_keep_pairs_together(models):
    clusters = paired(models, 40, 0).clusters()
    split = halves(clusters)
    assert not set(split.hardness) & set(split.exposure)
    assert sorted(split.hardness + split.exposure) == list(range(models))
    assert not set(clusters[list(split.hardness)]) & set(clusters[list(split.exposure)])
    assert halves(paired(6, 40, 0).clusters()) is None
    assert halves(independent(24, 400, 0).clusters()) is not None


def test_part_of_a_membership_keeps_whole_pairs_paired():
    whole = paired(10, 50, 0)
    part = whole.only((4, 5, 8, 9))
    assert part.design == "paired"
    assert np.array_equal(part.mask, whole.mask[[4, 5, 8, 9]])
    assert part.left_out(0).tolist() == [1] * 50
    assert whole.only((0, 1, 2, 4, 5, 7)).design == "independent"
    with pytest.raises(InputError, match="at least 2"):
        whole.only((3,))


def test_a_subset_of_models_reads_those_models():
    signals, _, _ = population(6, 10)
    part = Part(signals, (4, 1))
    assert part.shape == (2, 4, 10, 1)
    assert np.array_equal(part.row("correct", 0, 2), signals.row("correct", 4, 2))
    few = Part(signals, (4, 1), np.array([7, 2]))
    assert few.shape == (2, 4, 2, 1)
    assert np.array_equal(few.row("correct", 1, 0), signals.row("correct", 1, 0)[[7, 2]])


def found(leak, models=24, seed=0):
    signals, membership, hard = population(models, leak=leak, seed=seed)
    return learnability(
        Pool(signals, membership), LIRA, EPOCHS, PopulationFPR(0.05), NAMED, seed=seed, replicates=40
    ), hard


def test_planted_hardness_goes_with_exposure():
    result, hard = found(leak=True)
    by_name = {a.measure: a for a in result.associations if a.outcome == "final_advantage"}
    for name in ("epoch_learned", "inconsistency", "mean_loss"):
        assert by_name[name].rank_correlation.low > 0.2
    bins = by_name["inconsistency"].bins
    assert bins[-1].outcome > bins[0].outcome + 0.4
    assert sum(b.samples for b in bins) == 300
    assert spearmanr(result.hardness["inconsistency"], hard).statistic > 0.8
    assert {a.outcome for a in result.associations} == {"final_advantage", "entry_epoch"}


def test_hardness_without_a_leak_foretells_nothing():
    for seed in range(3):
        result, _ = found(leak=False, seed=seed)
        for association in result.associations:
            assert abs(association.rank_correlation.value) < 0.2


def test_samples_on_one_side_of_a_half_are_left_out():
    signals, _, _ = population(16)
    coins = independent(16, 300, 0)
    split = halves(coins.clusters())
    stuck = ~coins.mask[list(split.exposure)].any(0) | coins.mask[list(split.exposure)].all(0)
    assert stuck.any()
    found = learnability(Pool(signals, coins), LIRA, EPOCHS, PopulationFPR(0.05), NAMED, replicates=10)
    among = next(a for a in found.associations if a.outcome == "final_advantage").bins
    assert sum(b.samples for b in among) <= 300 - stuck.sum()


def test_too_few_models_or_no_correctness_are_said():
    signals, membership, _ = population(6)
    few = learnability(Pool(signals, membership), LIRA, EPOCHS, PopulationFPR(), NAMED)
    assert few.associations == ()
    assert "8 models" in few.note
    bare = ArraySignals({"scaled_logit": np.zeros((8, 4, 300, 1))})
    unknown = learnability(Pool(bare, paired(8, 300, 0)), LIRA, EPOCHS, PopulationFPR(), NAMED)
    assert "correctness" in unknown.note


def leaking(models, samples=160):
    """Signals that raise members, with labels, features and embeddings of every model."""
    random = np.random.default_rng(0)
    coins = paired(models, samples, 0)
    values = random.normal(size=(models, 2, samples, 1)) + 2 * coins.mask[:, None, :, None]
    source = ArraySignals({"scaled_logit": values, "correct": (values > 0).astype(float)})
    made = {model: random.normal(size=(samples, 5)) for model in range(models)}
    features = random.normal(size=(samples, 3))
    return Pool(source, coins, labels=np.arange(samples) % 3, features=features, embeddings=made)


@pytest.mark.parametrize("attack", [Joint(kernel="embeddings", landmarks=40), Joint(landmarks=40), Vestige()])
def test_half_of_the_models_keep_their_embeddings_and_features(attack):
    found = learnability(leaking(12), attack, np.arange(2.0), PopulationFPR(0.05), NAMED, replicates=5)
    assert found.associations
    assert "References" not in found.note


@pytest.mark.parametrize("attack", [Joint(landmarks=40), Hierarchical(), Joint(kernel="embeddings")])
def test_where_half_of_the_models_are_too_few_for_the_attack_the_note_says_so(attack):
    found = learnability(leaking(8), attack, np.arange(2.0), PopulationFPR(0.05), NAMED)
    assert found.associations == ()
    assert "half of the models are too few" in found.note
    assert "4 references" in found.note


def test_vestige_takes_what_half_of_the_models_allow():
    pool = leaking(8)
    attack = Vestige().resolved(pool)
    assert "joint-stacked" in attack.describe()
    found = learnability(pool, attack, np.arange(2.0), PopulationFPR(0.05), NAMED, replicates=5)
    assert found.associations
    assert "by student-t" in found.note


def test_a_part_of_a_pool_has_the_embeddings_of_its_models_and_of_those_outside():
    pool = leaking(6)
    outside = np.arange(160.0)[:, None]
    pool = dataclasses.replace(pool, embeddings={3: pool.embeddings[3], 4: pool.embeddings[4], -1: outside})
    part = part_of(pool, (4, 0, 1), np.array([7, 2]))
    assert set(part.embeddings) == {0, -1}
    np.testing.assert_array_equal(part.embeddings[0], pool.embeddings[4][[7, 2]])
    np.testing.assert_array_equal(part.embeddings[-1], [[7], [2]])
