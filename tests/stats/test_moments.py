import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestige.stats import moments


def accumulate(values, inside, usable=None):
    total = moments.empty(*values.shape[1:])
    for model in range(len(values)):
        moments.add(total, values[model], inside[model], None if usable is None else usable[model])
    return total


def check(side, values, chosen):
    # values near 1e6 carry deviations to about 1e-10 of themselves only
    atol = 1e-12 * max(1.0, float(np.abs(values).max()) ** 0.5)
    for sample in range(values.shape[1]):
        rows = values[chosen[:, sample], sample]
        assert side.count[sample, 0] == len(rows)
        if len(rows):
            np.testing.assert_allclose(side.mean[sample], rows.mean(0), rtol=1e-9)
            np.testing.assert_allclose(side.squares[sample], ((rows - rows.mean(0)) ** 2).sum(0), 1e-9, atol)


@given(st.integers(0, 1000), st.integers(2, 12), st.integers(1, 2), st.sampled_from([0.0, 1e6]))
def test_moments_equal_direct_ones_before_and_after_a_removal(seed, models, augmentations, offset):
    random = np.random.default_rng(seed)
    values = random.normal(size=(models, 7, augmentations)) + offset
    inside = random.random((models, 7)) < 0.5
    total = accumulate(values, inside)
    check(total.inside, values, inside)
    check(total.outside, values, ~inside)
    gone = inside.copy()
    gone[0] = False
    after = total.inside.without(values[0], inside[0][:, None].astype(float))
    for sample in range(7):
        rows = values[gone[:, sample], sample]
        assert after.count[sample, 0] == len(rows)
        if len(rows):
            np.testing.assert_allclose(after.mean[sample], rows.mean(0), rtol=1e-9)
            direct = ((rows - rows.mean(0)) ** 2).sum(0)
            trusted = ~after.lost_digits(total.inside, False)[sample]
            if trusted:
                np.testing.assert_allclose(after.squares[sample], direct, rtol=1e-9, atol=1e-9)


def test_an_unusable_row_counts_for_neither_side():
    random = np.random.default_rng(0)
    values = random.normal(size=(9, 5, 1))
    inside, usable = random.random((2, 9, 5)) < 0.6
    total = accumulate(values, inside, usable)
    check(total.inside, values, inside & usable)
    check(total.outside, values, ~inside & usable)


def test_taking_the_last_row_away_leaves_no_mean_and_no_spread():
    total = accumulate(np.array([[[3.0]]]), np.array([[True]]))
    after = total.inside.without(np.array([[3.0]]), 1.0)
    assert np.isnan(after.mean[0, 0])
    assert (after.count[0, 0], after.squares[0, 0]) == (0.0, 0.0)
    assert np.isnan(after.variance()[0, 0])


def test_lost_digits_are_noticed():
    values = np.array([1.0, 1e-20, 3e-20])[:, None, None]
    total = accumulate(values, np.ones((3, 1), bool))
    after = total.inside.without(values[0], 1.0)
    assert after.lost_digits(total.inside, all_positive=True)[0]
    kept = total.inside.without(values[1], 1.0)
    assert not kept.lost_digits(total.inside, all_positive=True)[0]


def test_the_mean_of_all_weighs_sides_by_their_counts():
    values = np.array([1.0, 2.0, 6.0])[:, None, None]
    total = accumulate(values, np.array([[True], [False], [False]]))
    assert total.mean_of_all()[0, 0] == pytest.approx(3.0)


def test_equal_counts_take_no_memory_and_change_nothing():
    random = np.random.default_rng(0)
    values, inside = random.normal(size=(4, 6, 1)), np.repeat([[True], [False]], 2, axis=0).repeat(6, axis=1)
    total = accumulate(values, inside)
    common = total.with_common_counts()
    assert common.inside.count.strides[0] == 0
    row, plain = values[0], total.inside.without(values[0], 1.0)
    np.testing.assert_array_equal(common.inside.without(row, 1.0).squares, plain.squares)


def test_column_sums_do_not_depend_on_the_other_columns():
    column = np.random.default_rng(0).normal(size=(9999, 1))
    pair = np.concatenate([column, column], axis=1)
    assert (moments.column_sum(pair) == moments.column_sum(column)).all()


@given(st.integers(0, 50_000))
def test_blocks_cover_everything_once(length):
    covered = list(moments.blocks(length))
    assert sum(block.stop - block.start for block in covered) == length
    assert all(block.start % moments.BLOCK == 0 for block in covered)
