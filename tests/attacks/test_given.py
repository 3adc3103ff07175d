"""What callers give of the samples: taken where it is plain what is meant, else refused in one line."""

import numpy as np
import pytest
from populations import coins, signals

from vestige.attacks.catalog import by_name
from vestige.attacks.joint import Joint
from vestige.attacks.population import AttackP
from vestige.attacks.score import score, score_pool
from vestige.attacks.view import Pool
from vestige.core.errors import InputError
from vestige.motion.place import place
from vestige.risk.blind import blind_baseline
from vestige.signals.source import ArraySignals

SAMPLES = 60
MEMBERSHIP = coins("paired", 8, SAMPLES)
VALUES = signals(MEMBERSHIP, 2.0)
CLASSES = np.arange(SAMPLES) % 3
FEATURES = np.random.default_rng(0).normal(size=(SAMPLES, 5))
JOINT = Joint(kernel="embeddings")


def scored(attack="joint", values=VALUES, **given):
    known = {"labels": CLASSES, "features": FEATURES}
    return score(values, MEMBERSHIP, attack, targets=[0, 3], **{**known, **given}).values


@pytest.mark.parametrize("attack", ["hierarchical", "joint", "loss-per-class"])
@pytest.mark.parametrize(
    "labels",
    [
        CLASSES - 1,
        CLASSES * 10**6,
        CLASSES * 2**40 - 7,
        CLASSES.astype(float),
        CLASSES.astype(np.uint8),
        CLASSES.tolist(),
    ],
)
def test_classes_may_have_any_whole_numbers(attack, labels):
    np.testing.assert_array_equal(scored(attack, labels=labels), scored(attack))


def test_booleans_are_two_classes():
    np.testing.assert_array_equal(scored(labels=CLASSES > 0), scored(labels=(CLASSES > 0).astype(int)))


@pytest.mark.parametrize("attack", ["hierarchical", "loss-per-class", "student-t"])
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array(["a", "b", "c"])[CLASSES], r"labels has type <U1; give 60 integers, one per sample"),
        (np.array([None] * SAMPLES), "labels has type object"),
        (CLASSES + 0.5, r"labels: sample 0 has 0\.5; give 60 integers"),
        (np.where(CLASSES == 1, np.nan, CLASSES), "labels: sample 1 has nan"),
        (np.where(CLASSES == 2, np.inf, CLASSES), "labels: sample 2 has inf"),
        (np.eye(3)[CLASSES], r"labels has shape \(60, 3\); give 60 integers.*labels.argmax\(1\)"),
        (CLASSES[:, None], r"labels has shape \(60, 1\); give 60 integers"),
        (CLASSES[:-1], r"labels has shape \(59,\)"),
        (np.array(3), r"labels has shape \(\)"),
        ([[1], [2, 3]], "labels cannot become one array"),
    ],
)
def test_labels_that_name_no_classes_are_refused(attack, labels, message):
    with pytest.raises(InputError, match=message) as refused:
        scored(attack, labels=labels)
    assert "\n" not in str(refused.value)


def test_placing_samples_asks_the_same_of_labels():
    with pytest.raises(InputError, match="labels has type <U1"):
        place(VALUES, MEMBERSHIP, "lira-online-fixed", labels=np.array(["a", "b", "c"])[CLASSES])


def test_publics_share_the_classes_of_candidates():
    publics = ArraySignals({"scaled_logit": np.random.default_rng(0).normal(size=(8, 1, 90, 1))})
    source = ArraySignals({"scaled_logit": VALUES[:, None, :, None]})

    def classwise(labels, public_labels):
        pool = Pool(source, MEMBERSHIP, labels=labels, publics=publics, public_labels=public_labels)
        return score_pool(pool, AttackP(per_class=True)).values

    three = np.arange(90) % 3
    np.testing.assert_array_equal(classwise(CLASSES, three), classwise(CLASSES * 50 - 1, three * 50 - 1))
    assert np.isnan(classwise(CLASSES, np.full(90, 1))[:, 0, ::3]).all()  # no public of class 0


def test_the_blind_baseline_takes_any_whole_numbers_too():
    def blind(labels):
        return blind_baseline(FEATURES, labels, MEMBERSHIP.mask, MEMBERSHIP.clusters(), 0).estimate

    assert blind(CLASSES * 10**12 - 1) == blind(CLASSES)


WRONG_ROWS = [
    (np.full((SAMPLES, 2), "a"), "has type <U1; give real numbers"),
    (FEATURES * 1j, "has type complex128; give real numbers"),
    (FEATURES.astype(object), "has type object"),
    (np.array(1.0), r"has shape \(\); give \(60, features\)"),
    (FEATURES[:, 0], r"has shape \(60,\); give \(60, features\)"),
    (FEATURES[:, :0], r"has shape \(60, 0\); give \(60, features\)"),
    (FEATURES[:5], r"has shape \(5, 5\); give \(60, features\)"),
    (np.where(np.arange(SAMPLES)[:, None] == 7, np.nan, FEATURES), "sample 7 has nan"),
    (np.where(np.arange(SAMPLES)[:, None] == 8, -np.inf, FEATURES), "sample 8 has -inf"),
    (FEATURES * 1e200, r"sample 0 has .*e\+199"),
]


@pytest.mark.parametrize(("given", "message"), WRONG_ROWS)
def test_features_that_are_no_rows_of_numbers_are_refused(given, message):
    for attack in ("joint", "vestige", "hierarchical"):
        with pytest.raises(InputError, match=f"^features:? {message}"):
            scored(attack, features=given)


@pytest.mark.parametrize(("given", "message"), WRONG_ROWS)
def test_embeddings_that_are_no_rows_of_numbers_are_refused(given, message):
    with pytest.raises(InputError, match=f"^embeddings:? {message}"):
        scored(JOINT, embeddings=given)
    with pytest.raises(InputError, match=rf"^embeddings\[2\]:? {message}"):
        scored(JOINT, embeddings={4: FEATURES, 2: given})


@pytest.mark.parametrize("models", [[99], [-1], [2, 8], []])
def test_embeddings_of_models_that_do_not_exist_are_refused(models):
    with pytest.raises(InputError, match="numbers must be from 0 to 7"):
        scored(JOINT, embeddings=dict.fromkeys(models, FEATURES))


@pytest.mark.parametrize("attack", ["student-t", "hierarchical", "lira-online-fixed", "joint"])
def test_signals_that_overflow_are_refused_and_the_largest_others_are_not(attack):
    large = VALUES.copy()
    large[5, 17] = 1e200
    with pytest.raises(InputError, match=r"model 5, sample 17 is 1e\+200"):
        scored(attack, values=large)
    large[5, 17] = 3e38
    assert np.isfinite(scored(attack, values=large)).all()


def test_attacks_that_look_at_embeddings_name_them_when_a_model_makes_them_wrong():
    class Made(dict):
        """Embeddings that are there only when they are asked for."""

    source = ArraySignals({"scaled_logit": VALUES[:, None, :, None]})
    pool = Pool(source, MEMBERSHIP, labels=CLASSES, embeddings=Made({4: FEATURES * np.nan}))
    with pytest.raises(InputError, match=r"embeddings\[4\]: sample 0 has nan"):
        score_pool(pool, by_name("joint-embeddings"), [0])
