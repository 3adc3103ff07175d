import numpy as np
import pytest
from scipy import stats

from vestige.core.errors import InputError
from vestige.leakage.certified import certified
from vestige.leakage.entropy import NATS_PER_BIT, binary_entropy, binary_kl
from vestige.leakage.rate_limits import Events
from vestige.leakage.shift import gaussian_shift
from vestige.stats.intervals import proportion_interval

REPEATS = 40  # of which 5 % may fail: more than 7 have a probability near 1e-3


def attacked(mu, targets, records, seed, shared=0.0):
    """Scores of the best attack on a shift; `shared` moves all scores of a target together."""
    random = np.random.default_rng(seed)
    member = random.random((targets, records)) < 0.5
    scores = random.normal(size=member.shape) + mu * member + shared * random.normal(size=(targets, 1))
    return scores, member


@pytest.mark.parametrize(("targets", "records", "shared"), [(1, 600, 0.0), (8, 100, 0.0), (8, 100, 0.5)])
def test_chance_proves_nothing(targets, records, shared):
    found = [certified(*attacked(0.0, targets, records, seed, shared), seed=seed) for seed in range(REPEATS)]
    for measure in ("kl", "kl_reverse", "mutual_information"):
        assert sum(getattr(each, measure).bound > 0 for each in found) <= 7


@pytest.mark.parametrize(("targets", "records", "shared"), [(1, 600, 0.0), (8, 200, 0.0), (8, 200, 0.5)])
@pytest.mark.parametrize("mu", [0.5, 2.0])
def test_what_is_proven_is_true(mu, targets, records, shared):
    truth = gaussian_shift(mu)
    found = [certified(*attacked(mu, targets, records, seed, shared), seed=seed) for seed in range(REPEATS)]
    for measure in ("kl", "kl_reverse", "mutual_information"):
        bounds = [getattr(each, measure).bound for each in found]
        assert sum(bound > getattr(truth, measure) for bound in bounds) <= 7


@pytest.mark.parametrize("confidence", [0.5, 0.8])
def test_the_limits_of_both_rates_hold_together_as_often_as_they_say(confidence):
    held = 0
    for seed in range(100):
        at = certified(*attacked(1.0, 1, 400, seed), confidence=confidence, seed=seed).kl
        tpr, fpr = stats.norm.sf(at.threshold - 1.0), stats.norm.sf(at.threshold)
        held += at.tpr_low <= tpr and fpr <= at.fpr_high
    assert held / 100 >= confidence - 3 * np.sqrt(confidence * (1 - confidence) / 100)


def test_much_evidence_comes_near_the_best_single_threshold():
    scores, member = attacked(2.0, 40, 5000, 0)
    found = certified(scores, member)
    threshold = np.linspace(-5, 8, 2001)
    tpr, fpr = stats.norm.sf(threshold - 2), stats.norm.sf(threshold)
    assert found.kl.bound == pytest.approx(binary_kl(tpr, fpr).max(), rel=0.06)
    assert found.kl_reverse.bound == pytest.approx(binary_kl(fpr, tpr).max(), rel=0.06)
    told = binary_entropy((tpr + fpr) / 2) - (binary_entropy(tpr) + binary_entropy(fpr)) / 2
    assert found.mutual_information.bound == pytest.approx(told.max(), rel=0.06)


def test_every_bound_follows_from_its_rates_and_beats_fano():
    found = certified(*attacked(2.0, 8, 500, 3))
    assert found.kl.bound == binary_kl(found.kl.tpr_low, found.kl.fpr_high)
    at = found.mutual_information
    error = (at.fpr_high + 1 - at.tpr_low) / 2
    assert at.bound >= NATS_PER_BIT - binary_entropy(error)
    assert at.tpr_low < at.tpr
    assert at.fpr < at.fpr_high
    assert found.members + found.non_members == 4 * 500


def test_a_single_cluster_gets_clopper_and_pearson():
    scores, member = attacked(1.0, 1, 300, 1)
    found = certified(scores, member, confidence=0.9)
    at = found.kl
    low, _ = proportion_interval(round(at.tpr * found.members), found.members, confidence=0.9)
    _, high = proportion_interval(round(at.fpr * found.non_members), found.non_members, confidence=0.9)
    assert at.tpr_low == pytest.approx(low)
    assert at.fpr_high == pytest.approx(high)


def test_targets_that_repeat_each_other_prove_no_more():
    scores, member = attacked(1.0, 8, 150, 2)
    doubled = np.repeat(scores, 3, axis=0), np.repeat(member, 3, axis=0)
    once = certified(scores, member)
    told = certified(*doubled, clusters=np.repeat(np.arange(8), 3))
    untold = certified(*doubled)
    assert told.clusters == once.clusters == 4
    assert told.kl.bound == pytest.approx(once.kl.bound, abs=0.1)
    assert untold.kl.bound > told.kl.bound


def test_dependence_within_clusters_lowers_the_effective_trials():
    random = np.random.default_rng(0)
    rates = random.random((20, 1))
    trials = np.full((20, 1), 50.0)
    dependent = Events(random.binomial(50, rates).astype(float), trials)
    independent = Events(random.binomial(50, 0.5, (20, 1)).astype(float), trials)
    assert dependent.effective_trials(0.025)[0] < 100
    assert 300 < independent.effective_trials(0.025)[0] <= 1000
    assert dependent.high(0.025)[0] - dependent.low(0.025)[0] > 0.2


def test_the_wrong_orientation_proves_nothing():
    scores, member = attacked(2.0, 8, 200, 4)
    assert certified(-scores, member).kl.bound == 0


def test_missing_scores_are_left_out_and_seeds_repeat():
    scores, member = attacked(1.0, 8, 100, 5)
    scores[:, :20] = np.nan
    found = certified(scores, member, seed=3)
    assert found == certified(scores, member, seed=3)
    assert found.members + found.non_members == 4 * 80


def test_few_targets_are_noted():
    assert "fewer than 4 clusters" in certified(*attacked(1.0, 2, 100, 6)).notes[0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: certified([1.0, 2.0], [True]), "one shape"),
        (lambda: certified([1.0, 2.0], [True, True]), "members and non-members"),
        (lambda: certified(*attacked(1.0, 2, 50, 0), confidence=1.0), "confidence"),
        (lambda: certified(*attacked(1.0, 2, 50, 0), clusters=[1]), "clusters"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
