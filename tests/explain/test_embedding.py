import numpy as np
import pytest

from vestige.core.errors import InputError
from vestige.explain.embedding import embedded


def clusters(samples=90, features=60, groups=3, apart=20.0, seed=0):
    random = np.random.default_rng(seed)
    labels = np.arange(samples) % groups
    centers = random.standard_normal((groups, features)) * apart / features**0.5
    return centers[labels] + random.standard_normal((samples, features)), labels


def slow_kept(features, plane, asked=10):
    shares = []
    for i in range(len(features)):
        near = [
            set(
                sorted((j for j in range(len(x)) if j != i), key=lambda j: np.linalg.norm(x[i] - x[j]))[
                    :asked
                ]
            )
            for x in (features, plane)
        ]
        shares.append(len(near[0] & near[1]) / asked)
    return np.mean(shares)


def test_clusters_stay_together_and_neighbors_are_counted():
    features, labels = clusters()
    found = embedded(features, perplexity=10)
    assert found.points.shape == (90, 2)
    assert found.indices.tolist() == list(range(90))
    assert found.notes == ()
    within = np.mean(
        [
            np.linalg.norm(found.points[labels == c] - found.points[labels == c].mean(0), axis=1).mean()
            for c in range(3)
        ]
    )
    between = np.linalg.norm(found.points[labels == 0].mean(0) - found.points[labels == 1].mean(0))
    assert between > 3 * within
    assert found.neighbors_kept == pytest.approx(slow_kept(features, found.points))
    assert found.neighbors_kept > 0.4
    assert found.kl_divergence > 0


def test_noise_keeps_fewer_neighbors_than_a_plane():
    random = np.random.default_rng(1)
    plane = random.standard_normal((120, 2)) @ random.standard_normal((2, 40))
    flat = embedded(plane, perplexity=12)
    noise = embedded(random.standard_normal((120, 40)), perplexity=12)
    assert flat.neighbors_kept > 0.7 > 0.5 > noise.neighbors_kept


def test_a_seed_repeats_and_another_differs():
    features, _ = clusters(60)
    first, again = (embedded(features, perplexity=8, seed=3, most=40) for _ in range(2))
    other = embedded(features, perplexity=8, seed=4, most=40)
    assert np.array_equal(first.points, again.points)
    assert np.array_equal(first.indices, again.indices)
    assert not np.array_equal(first.indices, other.indices)
    assert len(set(first.indices.tolist())) == 40
    assert (np.diff(first.indices) > 0).all()
    assert "40 of 60" in first.notes[0]


def test_a_random_start_follows_the_seed():
    line = np.arange(40.0)[:, None]
    first, again, other = (embedded(line, perplexity=5, seed=seed).points for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)


def test_a_factor_changes_nothing_that_is_seen():
    features, _ = clusters(60)
    small, large = (embedded(f * features, perplexity=8) for f in (1e-20, 1e20))
    assert small.neighbors_kept == pytest.approx(large.neighbors_kept, abs=0.1)
    assert np.isfinite(small.points).all()
    assert np.isfinite(large.points).all()


def test_features_that_do_not_vary_lie_on_one_point():
    found = embedded(np.ones((20, 5)), perplexity=3)
    assert not found.points.any()
    assert np.isnan(found.neighbors_kept)
    assert "same features" in found.notes[0]


@pytest.mark.parametrize(
    "features", [np.arange(40.0)[:, None], np.repeat(np.eye(4), 10, 0), np.eye(40)[:, :3]]
)
def test_poor_features_still_give_a_plane(features):
    found = embedded(features, perplexity=5)
    assert np.isfinite(found.points).all()
    assert np.isfinite(found.kl_divergence)
    assert found.points.any()


@pytest.mark.parametrize(
    ("samples", "perplexity", "works"), [(60, 20, 19), (60, 60, 19), (300, 500, 30), (4, 2, 1)]
)
def test_a_perplexity_too_large_names_one_that_works(samples, perplexity, works):
    features, _ = clusters(samples)
    with pytest.raises(
        InputError, match=f"perplexity={perplexity} .* {samples} samples; perplexity={works} works"
    ):
        embedded(features, perplexity=perplexity)
    if samples < 100:
        assert len(embedded(features, perplexity=works).points) == samples


def test_bad_features_are_refused():
    with pytest.raises(InputError, match="NaN or infinity"):
        embedded([[1.0, np.nan]] * 10)
    with pytest.raises(InputError, match="at least 4"):
        embedded(np.ones((3, 2)))
    with pytest.raises(InputError, match="perplexity=0"):
        embedded(np.ones((30, 2)), perplexity=0)
    with pytest.raises(InputError, match="features has shape"):
        embedded(np.ones(30))
