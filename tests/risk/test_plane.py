import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestige.core.errors import InputError
from vestige.risk.decisions import Decisions
from vestige.risk.exposure import exposure, ranking
from vestige.risk.operating_point import (
    BestAccuracy,
    LikelihoodRatio,
    PopulationFPR,
    operating_point_from,
    supported,
)
from vestige.risk.plane import Plane
from vestige.risk.region import NAMED, REGIONS, Box, BoxRegions, NamedRegions, grid, regions_from


def test_four_models_and_three_samples_by_hand():
    mask = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 0, 1]], bool)  # two non-members each
    counter = Decisions(mask, np.zeros(1), PopulationFPR(0.5))
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
    counter = Decisions(mask, np.zeros(1), PopulationFPR(0.5))
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
    counter = Decisions(member, np.arange(2.0))
    for target in range(64):
        for checkpoint in range(2):
            counter.add(target, checkpoint, rng.standard_normal(1500).astype(np.float32))
    plane = counter.plane()
    assert plane.point == PopulationFPR(0.01)
    assert np.allclose(plane.center_of_mass, 0.01, atol=0.002)
    assert abs(plane.advantage.mean()) < 0.002
    assert np.allclose(plane.shares.sum(1), 1)


@given(st.integers(0, 60), st.integers(1, 60), st.integers(0, 60), st.integers(1, 60))
def test_regions_are_a_partition(a, n, b, m):
    fpr, tpr = min(a, n) / n, min(b, m) / m
    advantage = round(tpr - fpr, 9)
    found = REGIONS[NAMED.of(np.array([fpr]), np.array([tpr]))[0]]
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
    return Plane(hits_in=hits, hits_out=zeros, n_in=trials, n_out=trials, epochs=epochs)


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
    assert supported(PopulationFPR(0.05), member) == (PopulationFPR(0.05), ())
    raised, warnings = supported(PopulationFPR(0.01), member)
    assert raised == PopulationFPR(0.05)
    assert "20 non-members per target" in warnings[0]
    with pytest.raises(InputError, match="every sample"):
        supported(PopulationFPR(0.01), np.ones((2, 3), bool))


def test_few_models_on_a_side_are_said():
    halves = np.arange(8)[:, None] % 2 == np.arange(300)[None] % 2
    assert "only 4 models" in Decisions(halves, np.zeros(1)).warnings[0]
    many = np.arange(16)[:, None] % 2 == np.arange(300)[None] % 2
    assert Decisions(many, np.zeros(1)).warnings == ()


@given(st.lists(st.floats(-2, 2), min_size=6, max_size=30), st.integers(0, 2**30))
def test_the_most_accurate_threshold_beats_every_other(values, seed):
    scores = np.round(np.array(values), 1)
    member = np.random.default_rng(seed).permutation(np.arange(len(scores)) % 2 == 0)

    def accuracy(named):
        return named[member].mean() - named[~member].mean()

    best = max(accuracy(scores >= t) for t in [*scores, np.inf])
    assert accuracy(BestAccuracy().named(scores, member)) == pytest.approx(best)


def test_the_likelihood_ratio_names_above_zero_and_never_nan():
    scores = np.array([0.0, 1e-9, -1.0, np.nan])
    assert LikelihoodRatio().named(scores, np.ones(4, bool)).tolist() == [False, True, False, False]


def test_operating_points_by_name():
    assert operating_point_from("0.001") == PopulationFPR(0.001)
    assert operating_point_from("lr>0") == LikelihoodRatio()
    assert operating_point_from("best-accuracy") == BestAccuracy()
    for wrong in ("lr", "0", "1.5", ""):
        with pytest.raises(InputError, match=r"operating.point"):
            operating_point_from(wrong)


@given(st.integers(2, 10), st.floats(0, 1), st.floats(0, 1))
def test_a_grid_has_each_point_in_its_own_cell(cells, fpr, tpr):
    parts = grid(cells)
    found = parts.of(np.array([fpr]), np.array([tpr]))[0]
    box = parts.boxes[found]
    assert box.fpr[0] - 2e-9 <= fpr <= box.fpr[1]
    assert box.tpr[0] - 2e-9 <= tpr <= box.tpr[1]
    assert sum(b.area for b in parts.boxes) == pytest.approx(1)
    assert parts.of(np.array([0.0]), np.array([1.0]))[0] in parts.vulnerable


def test_an_unseen_rate_is_never_vulnerable():
    nan, one = np.array([np.nan]), np.array([1.0])
    assert NAMED.of(nan, one)[0] not in NAMED.vulnerable
    assert grid(4).of(nan, one)[0] == grid(4).of(np.zeros(1), np.zeros(1))[0]


LEFT, RIGHT = ({"fpr": (0.0, 0.5), "tpr": (0.0, 1.0)}, {"fpr": (0.5, 1.0), "tpr": (0.0, 1.0)})


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        ((Box(name="a", **LEFT, vulnerable=True),), "0.5 of the plane uncovered"),
        ((Box(name="a", **LEFT), Box(name="b", fpr=(0.4, 1.0), tpr=(0.0, 1.0))), "'a' and 'b' overlap"),
        ((Box(name="a", **LEFT), Box(name="a", **RIGHT)), "must differ"),
        ((Box(name="a", **LEFT), Box(name="b", **RIGHT)), "none is vulnerable"),
    ],
)
def test_regions_that_do_not_partition_the_plane_are_refused(boxes, message):
    with pytest.raises(InputError, match=message):
        BoxRegions(boxes)


def test_regions_from_a_file(tmp_path):
    path = tmp_path / "regions.toml"
    path.write_text("[named]\nhigh_tpr = 0.8\n")
    assert regions_from(str(path)) == NamedRegions(high_tpr=0.8)
    path.write_text(
        '[[region]]\nname = "left"\nfpr = [0, 0.5]\ntpr = [0, 1]\nvulnerable = true\n'
        '[[region]]\nname = "right"\nfpr = [0.5, 1]\ntpr = [0, 1]\n'
    )
    assert regions_from(str(path)).names == ("left", "right")
    for wrong in ("[[region]]\nname = 'x'\n", "[other]\n", "[[region]]\nname='x'\nfpr=1\ntpr=[0,1]\n", "?"):
        path.write_text(wrong)
        with pytest.raises(InputError, match="regions"):
            regions_from(str(path))


def test_borders_that_would_put_a_low_advantage_into_high_are_refused():
    with pytest.raises(InputError, match="emerging"):
        NamedRegions(high_tpr=0.2, high_fpr=0.1)


def test_weighted_counts_equal_literal_repetition():
    rng = np.random.default_rng(1)
    member = rng.random((6, 40)) < 0.5
    decisions = Decisions(member, np.zeros(1), PopulationFPR(0.2))
    scores = rng.standard_normal((6, 40))
    scores[2, 5] = np.nan
    for target in range(6):
        decisions.add(target, 0, scores[target])
    drawn = np.array([0, 0, 2, 5, 5, 5])
    weights = np.bincount(drawn, minlength=6).astype(float)[None]
    sides = decisions.sides(0, weights)
    named, scored = decisions.named(0)[drawn], decisions.scored(0)[drawn]
    assert np.array_equal(sides.hits_in[0], (named & member[drawn]).sum(0))
    assert np.array_equal(sides.n_out[0], (scored & ~member[drawn]).sum(0))
    with np.errstate(invalid="ignore"):
        expected = (named & ~member[drawn]).sum(0) / (scored & ~member[drawn]).sum(0)
    assert np.allclose(sides.fpr[0], expected, equal_nan=True)
