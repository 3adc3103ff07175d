import numpy as np
import pytest
from scipy.stats import spearmanr

from vestige.core.errors import InputError
from vestige.data.membership import paired
from vestige.explain.stability import chance_jaccard, jaccard, stability
from vestige.explain.vulnerable import attack_set
from vestige.stats.ranks import spearman


def sets(shared, models=12, samples=400, seed=0):
    """Members of higher scores; `shared` says how much of a score is the record's own in every model."""
    random = np.random.default_rng(seed)
    membership = paired(models, samples, seed)
    own = np.abs(random.standard_normal(samples))
    scores = random.standard_normal((models, samples)) + shared * own * membership.mask
    return attack_set(scores, membership, 0.1), scores


def test_means_equal_a_loop_over_pairs():
    found, scores = sets(2.0)
    overlap, ranks = [], []
    for a in range(12):
        for b in range(a + 1, 12):
            both = found.member[a] & found.member[b]
            if a // 2 == b // 2:
                assert not both.any()
                continue
            one, other = (set(np.flatnonzero(found.named[m] & both)) for m in (a, b))
            overlap.append(len(one & other) / len(one | other))
            ranks.append(spearmanr(scores[a, both], scores[b, both]).statistic)
    result = stability(found, scores)
    assert result.pairs == len(overlap) == 60
    assert result.jaccard.value == pytest.approx(np.mean(overlap))
    assert result.rank_correlation.value == pytest.approx(np.mean(ranks))


def test_sets_of_the_same_records_are_steadier_than_chance():
    result = stability(*sets(4.0))
    assert result.jaccard.low > result.chance
    assert result.rank_correlation.low > 0.3


def test_sets_drawn_apart_agree_as_chance_does():
    gaps, covered = [], []
    for seed in range(20):
        result = stability(*sets(0.0, seed=seed))
        gaps.append(result.jaccard.value - result.chance)
        covered.append(result.rank_correlation.low <= 0 <= result.rank_correlation.high)
    assert abs(np.mean(gaps)) < 3 * np.std(gaps) / np.sqrt(20) + 1e-3
    assert np.mean(covered) >= 0.8


def test_the_chance_of_an_overlap_equals_a_simulation():
    random = np.random.default_rng(0)
    one = np.arange(50) < 12
    drawn = [jaccard(one, random.permutation(50) < 20) for _ in range(4000)]
    assert chance_jaccard(12, 20, 50) == pytest.approx(np.mean(drawn), abs=4 * np.std(drawn) / 4000**0.5)
    assert chance_jaccard(50, 50, 50) == 1
    assert np.isnan(chance_jaccard(0, 0, 50))
    assert chance_jaccard(0, 5, 50) == 0


def test_ranks_leave_out_what_is_missing():
    one, other = np.array([1.0, 2, np.nan, 4, 5]), np.array([2.0, 1, 7, 5, 4])
    known = ~np.isnan(one)
    assert spearman(one, other) == pytest.approx(spearmanr(one[known], other[known]).statistic)
    assert np.isnan(spearman(np.ones(5), other))


def test_few_models_or_no_common_members_are_told():
    few, scores = sets(1.0, models=4)
    assert "too few" in stability(few, scores).jaccard.note
    assert stability(few).rank_correlation.value is None
    pair, _ = sets(1.0, models=2)
    with pytest.raises(InputError, match="members in common"):
        stability(pair)
    with pytest.raises(InputError, match="make them equal"):
        stability(few, scores[:, :5])
