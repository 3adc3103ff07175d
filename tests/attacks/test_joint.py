import dataclasses
import re

import numpy as np
import pytest
from populations import coins, described, signals, stuck_free

from vestige.attacks.calibration import Calibration
from vestige.attacks.hierarchical import Hierarchical
from vestige.attacks.joint import Joint
from vestige.attacks.score import score
from vestige.attacks.strongest import Vestige
from vestige.core.errors import InputError
from vestige.data.membership import Membership
from vestige.stats.roc import roc

SAMPLES, GROUPS = 1200, 60
GROUP = np.arange(SAMPLES) % GROUPS
CENTERS = np.random.default_rng(7).normal(size=(GROUPS, 12))
FEATURES = CENTERS[GROUP] + 0.2 * np.random.default_rng(8).normal(size=(SAMPLES, 12))
LABELS = GROUP % 3
KNOWN = {"labels": LABELS, "features": FEATURES}


def populated(models, leak, seed=0, pull=2.0):
    """Samples of a group raise each other's signals: most of the variance is who else was there."""
    membership = stuck_free(models, SAMPLES, seed)
    random = np.random.default_rng(seed + 1)
    present = np.stack([np.bincount(GROUP, row, GROUPS) for row in membership.mask.astype(float)])
    others = present[:, GROUP] - membership.mask - (SAMPLES / GROUPS - 1) / 2
    difficulty = random.normal(0, 1, SAMPLES)
    noise = 0.5 * random.normal(size=others.shape)
    return membership, difficulty + leak * membership.mask + pull * others / 2 + noise


def mean_auc(scores):
    return np.mean([roc(row, own).auc for row, own in zip(scores.values, scores.member, strict=True)])


def test_neighbors_explain_what_the_others_take_for_noise():
    membership, values = populated(28, leak=4.0)
    asked = {**KNOWN, "targets": range(8), "references": range(8, 16)}
    plain = mean_auc(score(values, membership, "hierarchical", **asked))
    joint = mean_auc(score(values, membership, "joint", **asked))
    assert 0.75 < plain < 0.9
    assert joint > plain + 0.07


@pytest.mark.parametrize("attack", [Joint(), Joint(stacked=True), Hierarchical(stacked=True)])
def test_the_coins_of_another_model_are_not_found(attack):
    membership, values = populated(68, leak=1.5)
    scores = score(values, membership, attack, **KNOWN, targets=range(40), references=range(40, 48))
    foreign = np.roll(scores.member, 1, axis=0)
    found = np.mean([roc(row, own).auc for row, own in zip(scores.values, foreign, strict=True)])
    assert abs(found - 0.5) < 0.01  # 3.8 standard deviations


@pytest.mark.parametrize("attack", [Joint(), Joint(stacked=True), Hierarchical(stacked=True)])
def test_targets_of_the_same_references_do_not_mix(attack):
    membership, values = populated(28, leak=1.5)
    several = score(values, membership, attack, **KNOWN, targets=[0, 1], references=range(8, 14))
    alone = score(values, membership, attack, **KNOWN, targets=[1], references=range(8, 14))
    np.testing.assert_array_equal(several.values[1], alone.values[0])


def test_the_references_alone_decide():
    """What models outside the references say and hold changes nothing."""
    membership, values = populated(28, leak=1.5)
    asked = {**KNOWN, "targets": [0], "references": range(8, 14)}
    before = {
        a: score(values, membership, a, **asked).values for a in ("joint", "student-t", "lira-online-fixed")
    }
    other = values.copy()
    other[14:] += np.random.default_rng(0).normal(size=other[14:].shape)
    mask = membership.mask.copy()
    mask[14:20] = ~mask[14:20]
    for attack, expected in before.items():
        found = score(other, Membership(mask, "independent"), attack, **asked).values
        np.testing.assert_array_equal(found, expected)


def test_restricted_references_equal_a_population_of_their_own():
    membership, values = populated(28, leak=1.5)
    chosen = [0, *range(8, 16)]
    mask = membership.mask[chosen]
    both = mask.any(0) & ~mask.all(0)
    alone = score(values[chosen][:, both], mask[:, both], "student-t", targets=[0], design="independent")
    within = score(
        values[:, both], membership.mask[:, both], "student-t", targets=[0], references=range(8, 16)
    )
    known = np.isfinite(alone.values)
    np.testing.assert_allclose(within.values[known], alone.values[known], rtol=1e-9)


def test_embeddings_of_the_target_are_not_looked_at():
    membership = coins("paired", 10, SAMPLES)
    _, values = populated(10, leak=1.5)
    own = {model: np.random.default_rng(model).normal(size=(SAMPLES, 4)) for model in (0, 1)}
    good = {2: FEATURES, 4: FEATURES + 0.1}
    attack = Joint(kernel="embeddings")
    asked = {"labels": LABELS, "targets": [0]}
    expected = score(values, membership, attack, embeddings=good, **asked)
    found = score(values, membership, attack, embeddings={**own, **good}, **asked)
    np.testing.assert_array_equal(found.values, expected.values)
    with pytest.raises(InputError, match="none is of a model that may be a reference"):
        score(values, membership, attack, embeddings=own, **asked)


def test_another_share_of_members_moves_chances_only():
    membership, values = populated(28, leak=1.5)
    asked = {**KNOWN, "targets": [0], "references": range(8, 14)}
    half, fewer = (score(values, membership, Joint(prior=prior), **asked).values for prior in (0.5, 0.48))
    assert not np.array_equal(half, fewer)
    assert np.corrcoef(half[0], fewer[0])[0, 1] > 0.95
    even, rare = (Calibration(1.0, 0.0).with_prior(prior, 0.5).chances(np.zeros(1)) for prior in (0.5, 0.1))
    assert (even, rare) == (pytest.approx(0.5), pytest.approx(0.1))


@pytest.mark.parametrize("apart", [0.0, 1e-9])
@pytest.mark.parametrize("told", ["features", "embeddings"])
def test_copies_are_reported_as_the_kernel_sees_them(told, apart):
    membership, values = populated(10, leak=1.5)
    copied = FEATURES.copy()
    copied[[5, 700]] = copied[[11, 30]] + apart
    attack = Joint(kernel="inputs" if told == "features" else told)
    given = {"labels": LABELS, "features": FEATURES, told: copied}
    note = score(values, membership, attack, **given, targets=[0, 1]).notes[-1]
    assert note.startswith(f"4 samples are copies of one another in their {told}")
    notes = score(values, membership, attack, **{**given, told: FEATURES}, targets=[0]).notes
    assert not any("copies" in one for one in notes)


@pytest.mark.parametrize("features", [FEATURES[:, :1], np.ones((SAMPLES, 3)), FEATURES[:, None, :] * 0 + 0.1])
def test_features_that_tell_no_samples_apart_are_reported(features):
    membership, values = populated(10, leak=1.5)
    for attack in ("joint", "vestige"):
        scores = score(values, membership, attack, labels=LABELS, features=features, targets=[0])
        assert re.match(
            "features do not tell samples apart: 1200 of 1200.*use hierarchical", scores.notes[-1]
        )


@pytest.mark.parametrize(
    ("models", "given", "chosen"),
    [
        (4, KNOWN, "student-t"),
        (10, KNOWN, "joint-stacked"),
        (10, {"labels": LABELS}, "hierarchical-stacked"),
        (10, {}, "student-t"),
    ],
)
def test_vestige_says_which_parts_it_used(models, given, chosen):
    membership, values = populated(models, leak=1.5)
    scores = score(values, membership, "vestige", **given, targets=[0])
    assert scores.attack == "vestige"
    assert scores.description.startswith(f"{chosen}:")


@pytest.mark.parametrize("samples", [2, 5, 10, 60])
def test_few_samples_are_scored_without_trees(samples):
    membership = coins("paired", 10, samples)
    values = signals(membership, 1.5)
    given = {"labels": LABELS[:samples], "features": FEATURES[:samples], "targets": [0, 3]}
    for plain in (Hierarchical(), Joint()):
        stacked = dataclasses.replace(plain, stacked=True)
        scores = score(values, membership, stacked, **given)
        np.testing.assert_array_equal(scores.values, score(values, membership, plain, **given).values)
        rows = samples * min(10, plain.pseudo_targets)
        assert f"need 1200 rows of references that play the target and have {rows}:" in scores.notes[0]
    chosen = score(values, membership, "vestige", **given)
    assert chosen.description.startswith("joint: ")
    np.testing.assert_array_equal(chosen.values, score(values, membership, Joint(), **given).values)
    assert not any("trees" in note for note in chosen.notes)


def test_vestige_leaves_neighbors_out_where_most_members_are_elsewhere():
    membership, values = populated(10, leak=1.5)
    attack = Vestige(candidates="some")
    assert score(values, membership, attack, **KNOWN, targets=[0]).description.startswith("hierarchical")


@pytest.mark.parametrize(
    ("name", "given", "models", "message"),
    [
        ("joint", {"labels": LABELS}, 10, "features=None; give features.*use hierarchical.*or student-t"),
        ("joint", {"features": FEATURES}, 10, "labels=None; give labels.*use student-t or lira-online-fixed"),
        ("joint-embeddings", KNOWN, 10, "embeddings=None; .* use joint, which takes features, or hierarch"),
        ("joint", KNOWN, 4, "at least 4 references and target 0 has 3; train 5 models, or use student-t"),
        ("hierarchical", {}, 10, "labels=None; give labels.*use student-t or lira-online-fixed"),
    ],
)
def test_what_is_missing_is_named_with_what_to_use_instead(name, given, models, message):
    membership, values = populated(models, leak=1.5)
    with pytest.raises(InputError, match=message):
        score(values, membership, name, **given)


@pytest.mark.parametrize(
    ("design", "targets", "references", "message"),
    [
        ("independent", [0, 1], [0, 1, 2, 3], "target 0 has 3; give 1 more reference, neither"),
        ("independent", [9, 3], [0, 1, 2, 3], "target 3 has 3; give 1 more reference, neither"),
        ("independent", [9], [0, 1], "target 9 has 2; give 2 more references, neither"),
        ("paired", [0], [0, 1, 2, 3, 4], "target 0 has 3; give 1 more reference, neither"),
        ("paired", [9], [5, 6, 7, 8], "target 9 has 3; give 1 more reference, neither"),
        ("independent", [0], [0, 1, 2, 3], "target 0 has 3; train 5 models"),
    ],
)
def test_the_least_number_of_references_holds_without_the_target_and_its_complement(
    design, targets, references, message
):
    membership = coins(design, 4 if "train" in message else 10, SAMPLES)
    values = signals(membership, 1.5)
    asked = {**KNOWN, "targets": targets, "references": references}
    for attack in ("joint", "hierarchical"):
        with pytest.raises(InputError, match=message):
            score(values, membership, attack, **asked)
    assert score(values, membership, "vestige", **asked).description.startswith("student-t:")


def test_references_beside_the_targets_are_all_counted():
    membership, values = populated(10, leak=1.5)
    scores = score(values, membership, "vestige", **KNOWN, targets=[8], references=[0, 1, 2, 3])
    assert scores.description.startswith("joint-stacked:")


@pytest.mark.parametrize("references", [[3, 3], [40], []])
def test_references_that_do_not_exist_are_refused(references):
    membership, values = populated(10, leak=1.5)
    with pytest.raises(InputError, match="references="):
        score(values, membership, "student-t", references=references)


def test_references_cannot_be_chosen_where_coins_tell_each_other():
    membership = coins("balanced", 10, SAMPLES)
    _, values = populated(10, leak=1.5)
    with pytest.raises(InputError, match="balanced"):
        score(values, membership, "student-t", references=[1, 2, 3, 4])


@pytest.mark.parametrize("option", [{"kernel": "pixels"}, {"landmarks": 1}, {"prior": 1.5}, {"sources": 0}])
def test_options_are_checked_on_construction(option):
    with pytest.raises(InputError, match=next(iter(option))):
        Joint(**option)


def test_attacks_of_one_population_fit_for_the_report():
    for attack in (Joint(), Joint(kernel="embeddings", stacked=True), Hierarchical(stacked=True)):
        assert len(attack.describe()) < 110
        assert dataclasses.replace(attack) == attack
        assert described(4)["features"].shape == (4, 5)
