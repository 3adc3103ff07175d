import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vestige.core.errors import InputError
from vestige.explain.histogram import scaled_logit_histograms


def drawn(seed=0, shift=1.0, checkpoints=3, members=300, nonmembers=170):
    random = np.random.default_rng(seed)
    growth = np.arange(checkpoints)[:, None] * shift
    return random.standard_normal((checkpoints, members)) + growth, random.standard_normal(
        (checkpoints, nonmembers)
    )


def test_the_shares_are_those_of_numpy():
    inside, outside = drawn()
    found = scaled_logit_histograms(inside, outside, 20)
    low, high = np.quantile(np.concatenate([inside.ravel(), outside.ravel()]), [0.001, 0.999])
    assert (found.edges[0], found.edges[-1]) == pytest.approx((low, high))
    assert np.allclose(np.diff(found.edges), (high - low) / 20)
    for values, shares in ((inside, found.members), (outside, found.nonmembers)):
        for row, share in zip(values, shares, strict=True):
            counts = np.histogram(row, found.edges)[0]
            counts[0] += (row < low).sum()
            counts[-1] += (row > high).sum()
            assert np.allclose(share, counts / len(row))


def test_the_figures_are_those_of_all_pairs_and_all_thresholds():
    inside, outside = (np.round(values, 1) for values in drawn(1))
    found = scaled_logit_histograms(inside, outside)
    for k in range(3):
        one, other = inside[k], outside[k]
        pairs = np.mean((one[:, None] > other) + 0.5 * (one[:, None] == other))
        gaps = [(one >= t).mean() - (other >= t).mean() for t in np.concatenate([one, other, [np.inf]])]
        assert found.auc[k] == pytest.approx(pairs)
        assert found.advantage[k] == pytest.approx(max(gaps))
    assert found.auc[0] == pytest.approx(0.5, abs=0.08)
    assert (np.diff(found.auc) > 0.1).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 60), st.sampled_from([1, 2, 37]))
def test_shares_sum_to_one_whatever_lies_beyond_the_edges(seed, bins, nonmembers):
    random = np.random.default_rng(seed)
    inside, outside = random.standard_cauchy((2, 40)), random.standard_cauchy((2, nonmembers))
    inside[0, :2], outside[1, 0] = [np.inf, -np.inf], np.inf
    found = scaled_logit_histograms(inside, outside, bins)
    assert np.allclose(found.members.sum(1), 1)
    assert np.allclose(found.nonmembers.sum(1), 1)
    assert np.isfinite(found.edges).all()


def test_unknown_values_are_left_out_and_noted():
    inside, outside = drawn(2)
    gaps = inside.copy()
    gaps[1, ::3] = np.nan
    found = scaled_logit_histograms(gaps, outside)
    kept = scaled_logit_histograms([gaps[1][~np.isnan(gaps[1])]], outside[1:2])
    assert found.auc[1] == kept.auc[0]
    assert found.members[1].sum() == pytest.approx(1)
    assert "100 of 1410" in found.notes[0]
    gaps[2] = np.nan
    found = scaled_logit_histograms(gaps, outside)
    assert np.isnan(found.auc).tolist() == [False, False, True]
    assert np.isnan(found.members[2]).all()
    assert not np.isnan(found.nonmembers[2]).any()


def test_values_that_do_not_vary_fill_one_bin():
    found = scaled_logit_histograms([[2, 2]], [[2, 2, 2]], 10)
    assert found.members.max() == found.nonmembers.max() == 1
    assert (found.auc[0], found.advantage[0]) == (0.5, 0)


def test_bad_values_are_refused():
    with pytest.raises(InputError, match="members has shape"):
        scaled_logit_histograms([1.0, 2.0], [[1.0]])
    with pytest.raises(InputError, match="members has 2 checkpoints and nonmembers 1"):
        scaled_logit_histograms([[1.0], [2.0]], [[1.0]])
    with pytest.raises(InputError, match="no finite"):
        scaled_logit_histograms([[np.nan]], [[np.inf]])
    with pytest.raises(InputError, match="bins=0"):
        scaled_logit_histograms([[1.0]], [[2.0]], 0)
