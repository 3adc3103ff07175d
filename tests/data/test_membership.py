import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vestige.attacks.score import score
from vestige.core.errors import InputError
from vestige.data.membership import Membership, from_mask, independent, paired


@given(st.integers(2, 9), st.integers(2, 30), st.integers(0, 5))
def test_pairs_are_complementary_halves(models, samples, seed):
    mask = paired(models, samples, seed).mask
    for pair in range(models // 2):
        assert (mask[2 * pair] ^ mask[2 * pair + 1]).all()
    assert (np.abs(mask.sum(1) - samples / 2) <= 0.5).all()


@given(st.integers(3, 12), st.integers(0, 5))
def test_references_of_a_pair_design_do_not_count_the_target(models, seed):
    membership = paired(models, 40, seed)
    for target in range(models):
        usable = membership.reference_mask(target)
        counts = (membership.mask & usable).sum(0)
        held = membership.mask[target]
        unpaired = membership.mask[models - 1] if models % 2 and target != models - 1 else np.zeros(40, bool)
        assert len(set((counts - unpaired)[held]) | set((counts - unpaired)[~held])) == 1


def balanced_mask(models, samples, seed):
    generator = np.random.default_rng(seed)
    return np.argsort(generator.random((models, samples)), axis=0) < models // 2


@settings(max_examples=20)
@given(st.sampled_from([4, 6, 8]), st.integers(0, 5))
def test_a_balanced_design_is_recognized_and_its_counts_are_equal(models, seed):
    membership = from_mask(balanced_mask(models, 60, seed))
    assert membership.design == "balanced"
    for target in range(models):
        usable = membership.reference_mask(target)
        assert set((membership.mask & usable).sum(0)) == {models // 2 - 1}
        assert set((~membership.mask & usable).sum(0)) == {models // 2 - 1}


def test_designs_are_recognized_from_masks():
    assert from_mask(paired(7, 50, 0).mask).design == "paired"
    assert from_mask(independent(16, 50, 0).mask).design == "independent"


def test_left_out_models_hold_the_other_coin():
    for membership in (paired(6, 50, 1), from_mask(balanced_mask(6, 50, 1))):
        for target in range(6):
            left_out = membership.left_out(target)
            columns = np.arange(50)
            assert (membership.mask[left_out, columns] != membership.mask[target]).all()


def test_each_opposite_model_is_left_out_equally_often():
    membership = from_mask(balanced_mask(6, 60_000, 1))
    left_out = membership.left_out(0)
    for coin in (False, True):
        members = membership.mask[0] == coin
        others = membership.mask[1:, members] != coin
        shares = np.array([(left_out[members] == k).sum() for k in range(1, 6)]) / others.sum(1)
        assert np.abs(shares - 1 / 3).max() < 0.015  # three opposite models per sample, about 9,000 each


def test_independent_coins_use_every_other_model():
    membership = independent(12, 50, 0, rate=0.4)
    assert membership.reference_mask(3).sum() == 11 * 50
    assert abs(independent(20, 2000, 1, rate=0.4).mask.mean() - 0.4) < 0.01


def test_more_models_leave_the_first_ones_as_they_were():
    assert (paired(4, 30, 0).mask == paired(8, 30, 0).mask[:4]).all()
    assert (independent(20, 30, 0).mask[:12] == independent(12, 30, 0).mask).all()


def test_seeds_matter():
    assert (paired(4, 30, 0).mask != paired(4, 30, 1).mask).any()


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: paired(1, 10, 0), "models=1 must be at least 2"),
        (lambda: independent(4, 10, 0, rate=1.0), "rate=1.0"),
        (lambda: independent(2, 100, 0), "use more models or the paired design"),
        (lambda: from_mask(np.ones((1, 5), bool)), "models=1"),
        (lambda: from_mask(np.ones((4, 5), bool), "independent"), "in every model"),
        (lambda: Membership(np.eye(2, dtype=bool), "weekly"), "design='weekly'"),
        (lambda: from_mask(balanced_mask(6, 60, 0), "paired"), "does not fit the mask, which looks balanced"),
        (lambda: from_mask(independent(16, 50, 0).mask, "balanced"), "looks independent"),
        (
            lambda: from_mask(balanced_mask(8, 60, 0), "independent"),
            "each sample is in 4 of the 8 models.* chance of 1e-3[34]; pass design='balanced'",
        ),
        (
            lambda: from_mask(balanced_mask(5, 200, 0), "independent"),
            "in 2 of the 5 models.*; pass design='balanced'",
        ),
        (
            lambda: from_mask(paired(8, 50, 0).mask, "independent"),
            "complementary samples.*; pass design='pai",
        ),
        (
            lambda: from_mask(paired(7, 50, 0).mask, "independent"),
            "complementary samples.*; pass design='pai",
        ),
        (
            lambda: from_mask(paired(3, 90, 0).mask, "independent"),
            "complementary samples.*; pass design='pai",
        ),
    ],
)
def test_bad_designs_are_refused(build, message):
    with pytest.raises(InputError, match=message):
        build()


def test_masks_that_independent_coins_may_make_are_not_refused():
    """Few samples, or two models: then each sample that can be scored is in one of them."""
    assert from_mask(balanced_mask(4, 12, 0), "independent").design == "independent"
    assert from_mask(paired(4, 8, 0).mask, "independent").design == "independent"
    coins = np.random.default_rng(0).random((2, 4000)) < 0.3
    assert from_mask(coins[:, coins.sum(0) == 1], "independent").design == "independent"
    assert from_mask(independent(16, 50, 0).mask, "independent").design == "independent"


def test_the_chance_of_a_mask_is_that_of_drawing_it():
    """For four fair coins that are not all equal: two heads 6 / 14, complementary neighbors 4 / 14."""
    mask = np.array([[1, 1, 1, 0, 0, 0], [1, 0, 0, 1, 1, 0], [0, 1, 0, 1, 0, 1], [0, 0, 1, 0, 1, 1]]) > 0
    for samples in (60, 90):
        both = np.tile(mask, samples // 6)
        with pytest.raises(InputError, match=f"1e{samples * np.log10(6 / 14):.0f}; pass design='balanced'"):
            from_mask(both, "independent")
        with pytest.raises(InputError, match=f"1e{samples * np.log10(4 / 14):.0f}; pass design='paired'"):
            from_mask(paired(4, samples, 0).mask, "independent")


def test_signals_that_say_nothing_are_not_told_apart_by_a_design_that_is_not_theirs():
    """All-zero signals under wrongly independent coins would be told by counting, all of them wrongly."""
    mask = balanced_mask(4, 300, 0)
    with pytest.raises(InputError, match="pass design='balanced'"):
        score(np.zeros(mask.shape), mask, "base-online", design="independent")
    assert score(np.zeros(mask.shape), mask, "base-online", design="balanced").roc(0).auc == 0.5
