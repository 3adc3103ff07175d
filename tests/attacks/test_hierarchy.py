import numpy as np
import pytest
from populations import coins, signals, stuck_free
from scipy import stats

from vestige.attacks.evidence import side
from vestige.attacks.hierarchical import classes
from vestige.attacks.hierarchy import fit, fit_factors
from vestige.attacks.score import score
from vestige.stats.roc import roc

RANDOM = np.random.default_rng(3)


def sides_of(references=6, samples=400, seed=0):
    random = np.random.default_rng(seed)
    inside = random.random((references, samples)) < 0.5
    means = random.multivariate_normal([1.0, 3.0], [[2.0, 1.2], [1.2, 1.5]], samples)
    values = np.where(inside, means[:, 1], means[:, 0]) + random.normal(size=(references, samples))
    return (side(values, ~inside), side(values, inside)), means


def posterior_of(prior, sides, sample):
    """Both means of one sample given its references, one matrix at a time."""
    expected = np.array([(prior.covariates @ c)[sample] for c in prior.coefficients])

    def update(variances):
        weights = np.array([s.count[sample] / v for s, v in zip(sides, variances, strict=True)])
        inverse = np.linalg.inv(prior.spread)
        covariance = np.linalg.inv(inverse + np.diag(weights))
        seen = np.array([s.mean[sample] for s in sides])
        return covariance @ (inverse @ expected + weights * seen), np.diag(covariance)

    first, _ = update(prior.pooled)
    place = int(np.sum(prior.edges < first[0]))
    usual = [v[place] for v in prior.variances]
    squares = sum(s.squares[sample] / v for s, v in zip(sides, usual, strict=True))
    freedom = sum(max(s.count[sample] - 1, 0) for s in sides)
    factor = (prior.freedom * prior.scale + squares) / (prior.freedom + freedom)
    variances = [v * factor for v in usual]
    means, doubt = update(variances)
    return means, doubt, variances, prior.freedom + freedom


def ratio_of(prior, sides, sample, x):
    means, doubt, variances, freedom = posterior_of(prior, sides, sample)
    scales = np.sqrt(variances)
    x = np.clip(x, means[0] - 2 * scales[0], max(means) + 2 * scales[1])
    out, into = (
        stats.t.logpdf(x, freedom, loc=mean, scale=np.sqrt(variance + c))
        for mean, variance, c in zip(means, variances, doubt, strict=True)
    )
    return into - out


def test_the_score_equals_a_slow_twin():
    sides, _ = sides_of()
    prior = fit(sides, classes(np.arange(400) % 4))
    x = RANDOM.normal(2, 3, 400)
    found = prior.posterior(sides).log_ratio(x)
    np.testing.assert_allclose(found, [ratio_of(prior, sides, i, x[i]) for i in range(400)], rtol=1e-8)


def test_moments_find_the_prior_that_made_the_means():
    sides, means = sides_of(references=8, samples=20000)
    prior = fit(sides, np.ones((20000, 1)))
    np.testing.assert_allclose(prior.spread, [[2.0, 1.2], [1.2, 1.5]], atol=0.12)
    np.testing.assert_allclose(prior.pooled, [1.0, 1.0], atol=0.03)
    shrunk = prior.posterior(sides).means
    for known, own, plain in zip(means.T, shrunk, [s.mean for s in sides], strict=True):
        assert np.mean((own - known) ** 2) < 0.8 * np.mean((plain - known) ** 2)


@pytest.mark.parametrize(("scale", "freedom"), [(1.0, 4.0), (2.5, 20.0)])
def test_the_spread_of_variances_is_found(scale, freedom):
    factors = scale * freedom / RANDOM.chisquare(freedom, 40000)
    own = RANDOM.integers(1, 8, 40000).astype(float)
    s, d = fit_factors(factors * RANDOM.chisquare(own), own)
    assert s == pytest.approx(scale, rel=0.05)
    assert d == pytest.approx(freedom, rel=0.25)


def test_without_degrees_of_freedom_factors_are_one():
    s, d = fit_factors(np.zeros(5), np.zeros(5))
    assert s == 1.0
    assert d >= 1e5


def test_one_sided_samples_are_scored_where_that_tells_nothing():
    membership = stuck_free(30, 500, 1)
    values = signals(membership, 3.0)
    labels = np.arange(500) % 3
    some = score(values, membership, "hierarchical", labels=labels, targets=[0], references=range(1, 6))
    inside = membership.mask[1:6].sum(0)
    one_sided = (inside == 0) | (inside == 5)
    assert one_sided.any()
    assert np.isfinite(some.values).all()
    assert roc(some[0][one_sided], membership.mask[0][one_sided]).auc > 0.7
    all_others = score(values[:6], coins("independent", 6, 500), "hierarchical", labels=labels, targets=[0])
    assert all_others.shape == (1, 500)


def test_more_confident_targets_score_no_lower():
    sides, _ = sides_of()
    posterior = fit(sides, np.ones((400, 1))).posterior(sides)
    rising = np.stack([posterior.log_ratio(np.full(400, x)) for x in np.linspace(3, 30, 20)])
    sensible = posterior.means[1] > posterior.means[0] + 0.5
    assert (np.diff(rising[:, sensible], axis=0).min(0) > -0.4).mean() > 0.95
