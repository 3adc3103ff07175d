import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vestige.core.errors import InputError
from vestige.explain.neighbors import nearest
from vestige.explain.outlierness import BY_NAME, outlierness, percentile


def cloud(samples=90, classes=3, apart=6.0, seed=0):
    random = np.random.default_rng(seed)
    labels = np.arange(samples) % classes
    return apart * np.eye(classes, 5)[labels] + random.standard_normal((samples, 5)), labels


def test_every_measure_equals_a_slow_twin():
    points, labels = cloud(apart=2.0)
    found = outlierness(points, labels + 4, neighbors=7)
    for i in range(len(points)):
        others = [j for j in range(len(points)) if j != i]
        own = points[[j for j in others if labels[j] == labels[i]]].mean(0)
        foreign = [points[labels == c].mean(0) for c in range(3) if c != labels[i]]
        distance = {j: np.linalg.norm(points[i] - points[j]) for j in others}
        near = sorted(others, key=distance.__getitem__)[:7]
        expected = {
            "centroid_distance": np.linalg.norm(points[i] - own),
            "neighbor_distance": np.mean([distance[j] for j in near]),
            "lost_margin": np.linalg.norm(points[i] - own)
            - min(np.linalg.norm(points[i] - mean) for mean in foreign),
            "disagreement": np.mean([labels[j] != labels[i] for j in near]),
        }
        assert {name: values[i] for name, values in found.values.items()} == pytest.approx(expected)
        assert found.neighbors.indices[i].tolist() == near


def test_a_stray_and_a_wrong_label_are_outliers_by_every_measure_that_can_see_them():
    points, labels = cloud()
    points[0] += 30
    labels[1] = 2
    ranks = {name: percentile(values) for name, values in outlierness(points, labels).values.items()}
    assert set(ranks) <= set(BY_NAME)
    assert all(ranks[name][0] > 0.97 for name in ("centroid_distance", "neighbor_distance"))
    assert all(ranks[name][1] > 0.97 for name in ("centroid_distance", "lost_margin", "disagreement"))
    assert ranks["neighbor_distance"][1] < 0.9  # features alone do not know its label


@settings(max_examples=15, deadline=None)
@given(scale=st.floats(0.01, 100), shift=st.floats(-50, 50), seed=st.integers(0, 99))
def test_distances_follow_the_scale_and_ignore_the_place(scale, shift, seed):
    points, labels = cloud(samples=30, seed=seed)
    plain, moved = outlierness(points, labels), outlierness(scale * points + shift, labels)
    for name in ("centroid_distance", "neighbor_distance", "lost_margin"):
        np.testing.assert_allclose(moved.values[name], scale * plain.values[name], rtol=1e-6, atol=1e-8)
    np.testing.assert_array_equal(moved.values["disagreement"], plain.values["disagreement"])


def test_random_labels_leave_no_measure_that_tells_them():
    points, _ = cloud(samples=400, apart=0.0)
    labels = np.random.default_rng(5).integers(0, 2, 400)
    found = outlierness(points, labels)
    assert found.values["disagreement"].mean() == pytest.approx(0.5, abs=0.05)
    # without leaving the sample out of its own mean this would lie below 0
    assert found.values["lost_margin"].mean() == pytest.approx(0, abs=0.03)


def test_near_duplicates_are_found_far_from_the_origin():
    points, labels = cloud()
    points += 1e6
    points[5] = points[8]
    points[11] = points[20] + 1e-6
    found = outlierness(points, labels)
    assert np.flatnonzero(found.near_duplicate).tolist() == [5, 8, 11, 20]
    assert found.neighbors.distances[5, 0] == 0
    assert found.neighbors.indices[5, 0] == 8
    assert found.neighbors.distances[11, 0] == pytest.approx(1e-6 * np.sqrt(5), rel=1e-3)


def test_nobody_is_its_own_neighbor_even_among_duplicates():
    found = nearest(np.zeros((6, 2)), 3)
    assert all(i not in row for i, row in enumerate(found.indices.tolist()))
    assert (found.distances == 0).all()


def test_percentiles_are_places_within_the_class_or_among_all():
    values = [5.0, 1, 3, 3, np.nan, 9]
    labels = [0, 0, 0, 0, 1, 1]
    np.testing.assert_allclose(percentile(values), [0.7, 0.1, 0.4, 0.4, np.nan, 0.9])
    np.testing.assert_allclose(percentile(values, labels), [0.875, 0.125, 0.5, 0.5, np.nan, 0.5])
    assert percentile(np.random.default_rng(0).random(101)).mean() == pytest.approx(0.5)


def test_a_class_of_one_is_told():
    points, labels = cloud()
    labels[0] = 3
    found = outlierness(points, labels)
    assert np.isnan(found.values["centroid_distance"][0])
    assert "1 samples are alone" in found.notes[0]


def test_a_given_loss_is_passed_on():
    points, labels = cloud(samples=30)
    found = outlierness(points.astype(np.float32), labels.tolist(), out_of_fold_loss=list(range(30)))
    assert found.values["out_of_fold_loss"].tolist() == list(range(30))


def test_bad_input_is_told():
    points, labels = cloud(samples=30)
    with pytest.raises(InputError, match="labels holds 29 entries for 30"):
        outlierness(points, labels[1:])
    with pytest.raises(InputError, match="one class"):
        outlierness(points, np.zeros(30, int))
    with pytest.raises(InputError, match="below the 30 samples"):
        outlierness(points, labels, neighbors=30)
    with pytest.raises(InputError, match="infinity"):
        outlierness(np.where(points > 6, np.inf, points), labels)
    with pytest.raises(InputError, match="samples, features"):
        outlierness(points[0], labels)
