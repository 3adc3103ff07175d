import numpy as np
import pytest
from populations import coins, described, signals

from vestige.attacks.catalog import ATTACKS, DEFAULT_SET, by_name
from vestige.attacks.lira import LiRA
from vestige.attacks.population import AttackP
from vestige.attacks.rmia import RMIA
from vestige.attacks.score import score, score_pool, stream
from vestige.attacks.scores import Scores
from vestige.attacks.view import AttackView, Pool
from vestige.core.errors import InputError
from vestige.data.membership import Membership
from vestige.signals.source import ArraySignals
from vestige.stats.roc import roc

MEMBERSHIP = coins("paired", 8, 50)
VALUES = signals(MEMBERSHIP, 2.0)
MASK = MEMBERSHIP.mask


def pool_of(values=VALUES, membership=MEMBERSHIP, **arrays):
    return Pool(ArraySignals({"scaled_logit": values[:, None, :, None]}), membership, **arrays)


def test_scores_behave_like_their_array():
    scores = score(VALUES, MASK)
    assert isinstance(scores, Scores)
    assert scores.shape == (8, 50) == np.asarray(scores).shape
    assert scores.attack == "vestige"
    assert np.array_equal(scores[3], scores.values[3])
    assert np.array_equal(scores.member, MASK)
    assert scores.roc(2).auc == roc(scores.values[2], MASK[2]).auc


def test_the_checkpoint_axis_equals_calls_per_checkpoint():
    values = np.stack([VALUES, VALUES * 0.5, VALUES + np.arange(50)], axis=1)
    for name in DEFAULT_SET:
        joint = score(values, MASK, name)
        assert joint.shape == (8, 3, 50)
        for checkpoint in range(3):
            assert np.array_equal(joint[:, checkpoint], score(values[:, checkpoint], MASK, name).values)


def test_a_checkpoint_axis_of_one_is_kept():
    assert score(VALUES[:, None], MASK).shape == (8, 1, 50)


@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_repeating_the_only_query_changes_nothing(name):
    repeated = np.repeat(VALUES[:, None, :, None], 2, axis=3)
    joint = score(repeated, MASK, name, **described(50))
    np.testing.assert_allclose(joint[:, 0], score(VALUES, MASK, name, **described(50)).values, rtol=1e-12)


def test_queries_of_lira_are_scored_one_by_one_and_averaged():
    queries = np.stack([VALUES, VALUES[:, ::-1]], axis=-1)[:, None]
    for attack in (LiRA(), LiRA(variance="per-sample"), LiRA(online=False)):
        parts = [score(queries[..., q], MASK, attack).values for q in range(2)]
        np.testing.assert_allclose(score(queries, MASK, attack).values, np.mean(parts, axis=0), rtol=1e-12)


def test_float32_values_are_scored_in_float64():
    single = VALUES.astype(np.float32)
    for name in DEFAULT_SET:
        np.testing.assert_array_equal(
            score(single, MASK, name).values, score(single.astype(np.float64), MASK, name).values
        )


def test_integer_membership_and_a_choice_of_targets():
    np.testing.assert_array_equal(
        score(VALUES, MASK.astype(int), targets=[5, 2]).values, score(VALUES, MASK).values[[5, 2]]
    )
    assert score(VALUES, MASK, targets=[5, 2]).targets == (5, 2)


def test_permuting_samples_permutes_scores():
    order = np.random.default_rng(0).permutation(50)
    for name in DEFAULT_SET:
        np.testing.assert_allclose(
            score(VALUES[:, order], MASK[:, order], name).values,
            score(VALUES, MASK, name).values[:, order],
            rtol=1e-9,
        )


def test_permuting_pairs_of_models_permutes_targets():
    order = np.array([4, 5, 0, 1, 7, 6, 3, 2])
    for name in DEFAULT_SET:
        np.testing.assert_allclose(
            score(VALUES[order], MASK[order], name).values, score(VALUES, MASK, name).values[order], rtol=1e-9
        )


def test_an_absent_model_shifts_no_row():
    """Without model 5 the others keep their own scores: as if 5 were never a reference."""
    membership = coins("independent", 9, 50)
    values = signals(membership, 2.0)
    kept = [k for k in range(9) if k != 5]
    fewer = score(values[kept], Membership(membership.mask[kept], "independent"), "loss")
    np.testing.assert_array_equal(fewer.values, score(values, membership, "loss").values[kept])
    member = score(values[kept], Membership(membership.mask[kept], "independent")).member
    assert np.array_equal(member, membership.mask[kept])


def test_an_odd_number_of_models_is_scored_without_gaps():
    membership = coins("paired", 9, 60)
    for name in DEFAULT_SET:
        assert np.isfinite(score(signals(membership, 1.0), membership, name).values).all()


@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_constant_signals_tie_and_score_one_half(name):
    same = {"labels": np.zeros(50, int), "features": np.ones((50, 2)), "embeddings": np.ones((50, 2))}
    scores = score(np.full((8, 50), 0.3), MASK, name, **same)
    curve = scores.roc(0)
    assert curve.auc == 0.5
    assert curve.tied == 50


@pytest.mark.parametrize("name", ["lira-online-fixed", "base-online", "rmia-online", "student-t"])
def test_a_perfect_binary_signal_scores_one(name):
    scores = score(np.where(MASK, 5.0, -5.0), MASK, name)
    assert [scores.roc(target).auc for target in range(8)] == [1.0] * 8


def test_the_stream_yields_what_score_holds():
    held = score_pool(pool_of(), by_name("base-online"))
    seen = [(target, checkpoint) for target, checkpoint, _ in stream(pool_of(), by_name("base-online"))]
    assert seen == [(target, 0) for target in range(8)]
    for target, checkpoint, row in stream(pool_of(), by_name("base-online"), targets=[6]):
        assert np.array_equal(row, held[target, checkpoint])


def test_too_few_references_give_nan_only_where_they_lack():
    mask = np.zeros((5, 3), bool)
    mask[:2, 0] = mask[:3, 1] = mask[[1, 2, 3], 2] = True
    scores = score(
        np.random.default_rng(0).normal(size=(5, 3)), Membership(mask, "independent"), "lira-online"
    )
    twice = mask.sum(0) - mask
    outside = 5 - mask.sum(0) - ~mask
    assert np.array_equal(np.isnan(scores.values), (twice < 2) | (outside < 2))
    assert "could not be computed" in scores.notes[0]


def test_pairs_with_one_reference_a_side_still_score_with_a_fixed_variance():
    membership = coins("paired", 4, 500)
    scores = score(signals(membership, 4.0), membership, "lira-online-fixed")
    assert np.isfinite(scores.values).all()
    assert scores.roc(0).auc > 0.8


def test_publics_calibrate_attack_p_and_rmia():
    random = np.random.default_rng(0)
    public_values = random.normal(1.0, 2.0, (8, 1, 400, 1))
    publics = ArraySignals({"scaled_logit": public_values})
    pool = pool_of(publics=publics, public_labels=np.arange(400) % 2, labels=np.arange(50) % 2)
    row = score_pool(pool, by_name("attack-p"))[1, 0]
    np.testing.assert_allclose(row, [(public_values[1, 0, :, 0] <= x).mean() for x in VALUES[1]])
    classwise = score_pool(pool, AttackP(per_class=True))[1, 0]
    even = public_values[1, 0, ::2, 0]
    np.testing.assert_allclose(classwise[::2], [(even <= x).mean() for x in VALUES[1, ::2]])
    rmia, base = (score_pool(pool, by_name(name))[1, 0] for name in ("rmia-online", "base-online"))
    p = 1 / (1 + np.exp(-public_values[:, 0, :, 0] / 2))
    others = np.log(p[1] / p[[0, 2, 3, 4, 5, 6, 7]].mean(0))
    np.testing.assert_allclose(rmia, [(others <= x - np.log(2)).mean() for x in base])


def test_a_recorded_signal_is_preferred_to_a_derived_one():
    entropy = np.random.default_rng(0).random(VALUES.shape)
    np.testing.assert_array_equal(
        score(VALUES, MASK, "entropy", signals={"entropy": entropy}).values, -entropy
    )


@pytest.mark.parametrize("design", ["paired", "independent", "balanced"])
def test_moments_of_a_view_are_those_of_its_references(design):
    membership = coins(design, 9 if design != "balanced" else 10, 40)
    values = signals(membership, 1.0)
    view = AttackView(pool_of(values, membership), 3, 0)
    usable = membership.reference_mask(3)
    sides = view.moments("scaled_logit")
    for side, mask in ((sides.inside, membership.mask & usable), (sides.outside, ~membership.mask & usable)):
        for sample in range(40):
            chosen = values[mask[:, sample], sample]
            assert side.count[sample, 0] == len(chosen)
            if len(chosen):
                np.testing.assert_allclose(side.mean[sample, 0], chosen.mean(), rtol=1e-9)
                np.testing.assert_allclose(
                    side.squares[sample, 0], ((chosen - chosen.mean()) ** 2).sum(), 1e-9, 1e-12
                )


@pytest.mark.parametrize("design", ["paired", "independent", "balanced"])
def test_a_pseudo_target_sees_neither_the_target_nor_what_goes_with_it(design):
    membership = coins(design, 10, 40)
    values = signals(membership, 1.0)
    view = AttackView(pool_of(values, membership), 3, 0).pseudo_view(6)
    left_target, left_pseudo = membership.left_out(3), membership.left_out(6)
    seen = list(view.references("scaled_logit"))
    np.testing.assert_array_equal(view.target("scaled_logit")[:, 0], values[6])
    counts = np.sum([usable for _, _, usable in seen], axis=0)
    distinct = [len({6, 3, *(m for m in (left_target[s], left_pseudo[s]) if m >= 0)}) for s in range(40)]
    expected = 4 if design != "independent" else 2
    for sample in range(40):
        assert counts[sample] == (10 - expected if distinct[sample] == expected else 0)
    sides = view.moments("scaled_logit")
    inside = np.sum([side for _, side, _ in seen], axis=0)
    np.testing.assert_array_equal(sides.inside.count[:, 0], inside)
    if design != "independent":
        assert set(sides.inside.count[counts > 0, 0]) == {3.0}


def test_the_complement_cannot_play_the_target():
    with pytest.raises(InputError, match="reference=2"):
        AttackView(pool_of(), 3, 0).pseudo_view(2)
    with pytest.raises(InputError, match="reference=2"):
        AttackView(pool_of(), 3, 0).member_of_reference(2)


def test_the_coins_of_a_pseudo_target_are_known_where_it_may_be_used():
    for design in ("paired", "balanced"):
        membership = coins(design, 8, 60)
        view = AttackView(pool_of(signals(membership, 0.0), membership), 3, 0)
        usable = membership.reference_mask(3)[6]
        np.testing.assert_array_equal(view.member_of_reference(6), membership.mask[6] & usable)


def test_the_coins_of_what_is_left_out_are_not_shown():
    membership = coins("balanced", 8, 60)
    view = AttackView(pool_of(signals(membership, 0.0), membership), 1, 0)
    for _, member, usable in view.references("scaled_logit"):
        assert not (member & ~usable).any()


def test_a_view_moves_between_checkpoints():
    values = np.stack([VALUES, VALUES + 1], axis=1)[..., None]
    view = AttackView(Pool(ArraySignals({"scaled_logit": values}), MEMBERSHIP), 2, -1)
    assert (view.checkpoint, view.num_checkpoints) == (1, 2)
    np.testing.assert_array_equal(view.at(0).target("scaled_logit")[:, 0], VALUES[2])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((VALUES[:, :40], MASK), r"\(8, 50\)"),
        ((VALUES, np.where(MASK, 2, 0)), "0 and 1"),
        ((VALUES[:1], MASK[:1]), "1 models"),
        ((VALUES[0], MASK[0]), "values has shape"),
        ((VALUES.astype(int), MASK), "float32 or float64"),
        ((VALUES, MASK, "lira-onlin"), "lira-online"),
        ((VALUES, MASK, "loss-per-class"), "labels"),
        ((VALUES, np.ones_like(MASK)), "in every model"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(InputError, match=message):
        score(*arguments)


def test_values_that_are_not_finite_are_located():
    bad = VALUES.copy()
    bad[6, 17] = np.nan
    with pytest.raises(InputError, match="model 6, sample 17 is nan"):
        score(bad, MASK)


def test_too_few_models_for_a_variance_per_sample_names_the_fixed_form():
    membership = coins("paired", 4, 50)
    with pytest.raises(InputError, match=r"2 IN and 2 OUT.*models=4.*train 6.*lira-online-fixed"):
        score(signals(membership, 1.0), membership, "lira-online")


def test_two_paired_models_have_no_references():
    membership = coins("paired", 2, 50)
    values = signals(membership, 1.0)
    with pytest.raises(InputError, match="needs at least"):
        score(values, membership, "base-online")
    assert score(values, membership, "loss").shape == (2, 50)


def test_targets_that_do_not_exist_are_refused():
    with pytest.raises(InputError, match="targets"):
        score(VALUES, MASK, targets=[8])


@pytest.mark.parametrize("options", [{"gamma": 0.5}, {"temperature": 0.0}, {"a": 1.5}])
def test_options_are_checked_on_construction(options):
    with pytest.raises(InputError, match=next(iter(options))):
        RMIA(**options)
