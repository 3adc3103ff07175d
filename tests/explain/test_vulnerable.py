import numpy as np
import pytest

from vestige.core.errors import InputError
from vestige.data.membership import independent, paired
from vestige.explain.vulnerable import attack_set, global_set


def signal(models=16, samples=400, shift=0.0, seed=0):
    """Scaled logits with an offset of each sample's own; training moves them up by `shift`."""
    random = np.random.default_rng(seed)
    membership = paired(models, samples, seed)
    values = 3 * random.standard_normal(samples) + random.standard_normal((models, samples))
    return values + shift * membership.mask, membership


def test_the_global_rule_equals_its_sentence():
    values, membership = signal()
    found = global_set(values, membership, 0.05)
    for row, member, named in zip(values, membership.mask, found.sets, strict=True):
        others = np.sort(row[~member])
        place = 0.95 * (len(others) - 1)
        low = int(place)
        threshold = others[low] + (place - low) * (others[low + 1] - others[low])
        assert set(np.flatnonzero(named)) == {i for i in np.flatnonzero(member) if row[i] >= threshold}


def test_own_non_members_keep_the_error_rate_and_leave_no_room():
    values, membership = signal(shift=1)
    found = attack_set(values, membership, 0.05)
    wrong = (found.named & ~membership.mask).sum(1)
    np.testing.assert_array_equal(wrong, 10)  # 0.05 of 200
    assert found.notes == ()


def test_reference_thresholds_equal_a_slow_twin():
    values, membership = signal(models=12, samples=60, shift=1)
    found = attack_set(values, membership, 0.3, calibration="reference")
    for target in range(12):
        for sample in range(60):
            rivals = [
                values[m, sample]
                for m in range(12)
                if m // 2 != target // 2 and not membership.mask[m, sample]
            ]
            rank = (1 + sum(r >= values[target, sample] for r in rivals)) / (1 + len(rivals))
            assert found.named[target, sample] == (rank <= 0.3)


def test_without_a_signal_every_rule_names_what_chance_names():
    share, inside = [], []
    for seed in range(30):
        values, membership = signal(seed=seed)
        for found in (
            global_set(values, membership, 0.05),
            attack_set(values, membership, 0.05),
            attack_set(values, membership, 0.25, calibration="reference"),
        ):
            share.append(found.sizes.mean() / found.expected.mean())
            inside.append(((found.sizes >= found.chance_low) & (found.sizes <= found.chance_high)).mean())
    ratios = np.reshape(share, (30, 3)).mean(0)
    np.testing.assert_allclose(ratios, 1, atol=0.12)
    assert (np.reshape(inside, (30, 3)).mean(0) > 0.93).all()


def test_thresholds_of_its_own_find_members_that_a_common_one_cannot():
    values, membership = signal(models=64, shift=2)
    own = attack_set(values, membership, 0.05, calibration="reference")
    common = attack_set(values, membership, 0.05)
    assert own.times_chance().low > common.times_chance().high > 1
    assert own.beyond_chance.all()


def test_vulnerability_is_the_share_of_a_records_own_models():
    values, membership = signal(shift=1)
    found = attack_set(values, membership, 0.05)
    sample = int(np.argmax(found.vulnerability))
    mine = membership.mask[:, sample]
    assert found.vulnerability[sample] == found.named[mine, sample].mean()
    assert found.mean_share().value == pytest.approx(np.mean(found.sizes / 200))
    assert found.times_chance().value == pytest.approx(np.mean(found.sizes) / 10)


def test_a_bare_mask_and_lists_serve_as_well():
    values, membership = signal(shift=1)
    for calibration in ("population", "reference"):
        known = attack_set(values, membership, 0.2, calibration=calibration)
        bare = attack_set(values.tolist(), membership.mask.astype(int).tolist(), 0.2, calibration=calibration)
        np.testing.assert_array_equal(known.named, bare.named)
        np.testing.assert_array_equal(known.clusters, bare.clusters)
    coins = independent(8, 50, 0)
    np.testing.assert_array_equal(global_set(values[:8, :50], coins.mask, 0.1).clusters, range(8))


def test_one_target_has_a_set_without_an_interval():
    values, membership = signal()
    found = global_set(values[:1], membership.mask[:1], 0.05)
    assert found.mean_share().low is None
    assert found.mean_share().value == found.sizes[0] / 200


def test_rates_that_the_data_cannot_carry_are_raised_aloud():
    values, membership = signal(models=16, samples=40)
    population = attack_set(values, membership, 0.01)
    assert population.fpr == 1 / 20
    assert "5 %" in population.notes[0]
    references = attack_set(values, membership, 0.01, calibration="reference")
    assert references.fpr == 1 / 8
    assert "7 references" in references.notes[0]
    assert "less than one" in global_set(values, membership, 0.01).notes[0]


def test_scores_that_are_missing_are_never_named():
    values, membership = signal(shift=5)
    values[:, 7] = np.nan
    for calibration in ("population", "reference"):
        assert not attack_set(values, membership, 0.4, calibration=calibration).named[:, 7].any()


def test_bad_input_is_told():
    values, membership = signal()
    with pytest.raises(InputError, match="fpr=1 must lie"):
        global_set(values, membership, 1)
    with pytest.raises(InputError, match="calibration='own'"):
        attack_set(values, membership, calibration="own")
    with pytest.raises(InputError, match="membership has shape"):
        attack_set(values[:4], membership)
    with pytest.raises(InputError, match="NaN"):
        global_set(np.full((2, 4), np.nan), [[1, 0, 1, 0], [0, 1, 0, 1]])
    with pytest.raises(InputError, match="no reference that was"):
        attack_set(values[:2], membership.mask[:2], calibration="reference")
    with pytest.raises(InputError, match="target 1 has 0 members"):
        global_set(np.zeros((2, 4)), [[1, 0, 1, 0], [0, 0, 0, 0]])
