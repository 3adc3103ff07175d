import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestige.core.errors import InputError
from vestige.risk.exposure import exposure, ranking
from vestige.risk.plane import Plane, PlaneCounter, operating_point
from vestige.risk.region import REGIONS, region_of


def test_four_models_and_three_samples_by_hand():
    mask = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 0, 1]], bool)  # two non-members each
    counter = PlaneCounter(mask, np.zeros(1), alpha=0.5)
    scores = np.array([[3, 2, 1], [5, 4, 1], [0, 1, 2], [9, 9, 8]], float)
    for target in range(4):
        counter.add(target, 0, scores[target])
    plane = counter.plane()
    # One false positive each: above the lower non-member. Targets: {0,1}, {0,1}, {2}, none (tied at 9).
    assert plane.n_in.tolist() == [[2, 1, 1]]
    assert plane.n_out.tolist() == [[2, 3, 3]]
    assert np.array_equal(plane.tpr, [[0.5, 1, 0]])
    assert np.allclose(plane.fpr, [[0.5, 1 / 3, 1 / 3]], rtol=1e-15)
    assert np.allclose(plane.center_of_mass, [[7 / 18, 0.5]])


def test_unscored_samples_are_not_counted():
    mask = np.array([[1, 0, 0], [0, 1, 0]], bool)
    counter = PlaneCounter(mask, np.zeros(1), alpha=0.5)
    counter.add(0, 0, np.array([np.nan, 1.0, 0.0]))
    counter.add(1, 0, np.array([0.0, 1.0, np.nan]))
    plane = counter.plane()
    assert plane.n_in.tolist() == [[0, 1, 0]]
    assert np.isnan(plane.tpr[0, 0])
    assert plane.rates(0, 0)[1].value is None
    assert not np.isnan(plane.center_of_mass).any()


def test_population_fpr_is_kept_and_no_leak_sits_at_alpha():
    rng = np.random.default_rng(0)
    member = rng.random((64, 1500)) < 0.5
    counter = PlaneCounter(member, np.arange(2.0))
    for target in range(64):
        for checkpoint in range(2):
            counter.add(target, checkpoint, rng.standard_normal(1500).astype(np.float32))
    plane = counter.plane()
    assert plane.alpha == 0.01
    assert np.allclose(plane.center_of_mass, 0.01, atol=0.002)
    assert abs(plane.advantage.mean()) < 0.002
    assert np.allclose(plane.shares.sum(1), 1)


@given(st.integers(0, 60), st.integers(1, 60), st.integers(0, 60), st.integers(1, 60))
def test_regions_are_a_partition(a, n, b, m):
    fpr, tpr = min(a, n) / n, min(b, m) / m
    advantage = round(tpr - fpr, 9)
    found = REGIONS[region_of(np.array([fpr]), np.array([tpr]))[0]]
    expected = [
        name
        for name, holds in {
            "High": tpr >= 0.5 and fpr <= 0.1,
            "Emerging": advantage >= 0.2 and not (tpr >= 0.5 and fpr <= 0.1),
            "Ambiguous": abs(advantage) < 0.2 and round(tpr + fpr, 9) > 1,
            "Safe": abs(advantage) < 0.2 and round(tpr + fpr, 9) <= 1,
            "Inverted": advantage <= -0.2,
        }.items()
        if holds
    ]
    assert [found] == expected


def path(tprs):
    """A plane of one sample per column with FPR 0 and these TPR hits of 10."""
    hits = np.array(tprs, np.int32)
    trials = np.full(hits.shape, 10, np.int32)
    zeros = np.zeros(hits.shape, np.int32)
    epochs = np.arange(len(hits)) * 5.0
    return Plane(hits_in=hits, hits_out=zeros, n_in=trials, n_out=trials, epochs=epochs, alpha=0.01)


def test_first_exposed_counts_only_stays_until_the_end():
    plane = path([[0, 9, 5, 9], [6, 9, 1, 9], [7, 2, 5, 9], [8, 9, 6, 2]])
    assert plane.first_exposed.tolist() == [1, 3, 2, -1]


def test_exposure_orders_dates_and_names_records():
    plane = path([[0, 9, 5, 9], [6, 9, 1, 9], [7, 2, 5, 9], [8, 9, 6, 2]])
    found = exposure(
        plane, np.array([70, 71, 72, 73]), np.array([0, 1, 1, 5]), attack="a", class_names=("cat", "dog")
    )
    assert [r.sample for r in found.records] == [71, 70, 72, 73]
    assert [r.label for r in found.records] == ["dog", "cat", "dog", "5"]
    assert [r.since_epoch for r in found.records] == [15.0, 5.0, 10.0, None]
    assert found.records[0].steadiness == 0.75
    assert found.high == 3
    assert found.half_by_epoch == 10.0
    low, high = found.records[0].tpr.low, found.records[0].tpr.high
    assert (low, high) == pytest.approx((0.5550, 0.9975), abs=1e-4)  # Clopper and Pearson 1934, 9 of 10
    assert ranking(plane, np.array([3.0, 0, 9, 0])).tolist() == [1, 0, 2, 3]


def test_the_operating_point_is_raised_and_says_so():
    member = np.zeros((2, 30), bool)
    member[:, :10] = True
    assert operating_point(0.05, member) == (0.05, "")
    alpha, warning = operating_point(0.01, member)
    assert alpha == 0.05
    assert "20 non-members per target" in warning
    with pytest.raises(InputError, match="every sample"):
        operating_point(0.01, np.ones((2, 3), bool))
