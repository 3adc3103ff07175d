"""Records for linear models: classes, rows, scaling, and features that come from other rows."""

import numpy as np
import pytest

from vestige.core.errors import InputError
from vestige.data import sources
from vestige.data.dataset import Dataset
from vestige.designs.feature_map import features_from
from vestige.designs.linear_records import linear_records, scaled, with_classes


@pytest.fixture(scope="module")
def pair():
    return with_classes(sources.load("digits"), ("3", "8"))


def test_classes_are_renumbered_in_the_order_given():
    digits = sources.load("digits")
    swapped = with_classes(digits, ("8", "3"))
    assert (digits.num_samples, swapped.num_samples, swapped.num_classes) == (1797, 357, 2)
    assert set(digits.targets[swapped.ids[swapped.targets == 0]]) == {8}
    assert swapped.class_names == ("8", "3")
    by_name = with_classes(sources.load("breast_cancer"), ("malignant", "benign"))
    assert by_name.class_names == ("malignant", "benign")


@pytest.mark.parametrize(
    ("classes", "message"),
    [(("3", "3"), "two different"), (("3",), "two different"), (("3", "12"), "class='12'")],
)
def test_wrong_classes_are_refused(classes, message):
    with pytest.raises(InputError, match=message):
        with_classes(sources.load("digits"), classes)


def test_rows_are_nested_by_size_and_change_with_the_seed(pair):
    one, other = (linear_records(pair, "raw", seed) for seed in (0, 1))
    assert np.array_equal(one.first(40).ids, one.first(80).ids[:40])
    assert not np.array_equal(one.first(40).ids, other.first(40).ids)
    assert np.linalg.norm(one.inputs, axis=1).max() == pytest.approx(1)
    assert one.inputs.mean(0) == pytest.approx(np.zeros(64), abs=1e-12)
    place = {int(row): at for at, row in enumerate(pair.ids)}
    assert np.array_equal(one.labels, pair.targets[[place[int(row)] for row in one.ids]])
    assert set(one.signs) == {-1.0, 1.0}


def test_components_keep_what_they_span_and_random_features_stay_within_the_ball(pair):
    raw = linear_records(pair, "raw", 0)
    few = linear_records(pair, "pca:5", 0)
    all_of_them = linear_records(pair, "pca:64", 0)
    assert few.inputs.shape == (357, 5)
    assert all_of_them.inputs @ all_of_them.inputs.T == pytest.approx(raw.inputs @ raw.inputs.T, abs=1e-10)
    random = linear_records(pair, "relu:3", 0)
    assert random.inputs.shape == (357, 3)
    assert np.linalg.norm(random.inputs, axis=1).max() <= 1 + 1e-12
    assert not np.allclose(random.inputs, linear_records(pair, "relu:3", 1).inputs[: len(random.inputs)])


def test_network_features_come_from_a_network_that_saw_other_rows(pair):
    found = linear_records(pair, "network:mlp-16-relu@57", 0)
    assert found.inputs.shape == (300, 16)
    assert np.array_equal(found.ids, linear_records(pair, "raw", 0).ids[:300])
    assert np.linalg.norm(found.inputs, axis=1).max() == pytest.approx(1)
    again = linear_records(pair, "network:mlp-16-relu@57", 0)
    assert np.array_equal(found.inputs, again.inputs)
    # the rows that are measured teach the network nothing: other labels there, same features
    wrong = pair.targets.copy()
    measured = np.isin(pair.ids, found.ids)
    wrong[measured] = 1 - wrong[measured]
    flipped = Dataset(pair.inputs, wrong, 2, pair.name, sample_ids=pair.ids)
    assert np.array_equal(found.inputs, linear_records(flipped, "network:mlp-16-relu@57", 0).inputs)


def test_constant_inputs_are_left_at_zero():
    assert np.array_equal(scaled(np.ones((3, 2))), np.zeros((3, 2)))


@pytest.mark.parametrize(
    "text", ["pca", "pca:x", "raw:3", "network:mlp@", "network:@5", "relu:0", "network:mlpp@5"]
)
def test_features_written_wrongly_are_refused(text):
    with pytest.raises(InputError):
        features_from(text)
