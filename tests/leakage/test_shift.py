import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from vestige.core.errors import InputError
from vestige.leakage.entropy import binary_entropy
from vestige.leakage.limits import bretagnolle_huber, fano, hellman_raviv, pinsker
from vestige.leakage.normal_pair import normal_pair
from vestige.leakage.shift import gaussian_auc, gaussian_kl, gaussian_shift, gaussian_stein, gaussian_tpr

# mu, KL, advantage, AUC, TPR at 1 % and .1 % FPR, I, J/4, then the limits of Pinsker and of Bretagnolle and
# Huber, success, and its limits by Fano and by Hellman and Raviv
TABLE = """
0.1 .005 .039878 .528186 .012995 .001394 .001248 .0025 .05 .070622 .519939 .524979 .500901
0.5 .125 .197413 .638163 .033899 .004796 .030311 .0625 .25 .342787 .598706 .622482 .521865
1 .5 .382925 .760250 .092362 .018298 .111421 .25 .5 .627271 .691462 .731535 .580374
2 2 .682689 .921350 .372081 .137805 .336831 1 1 .929873 .841345 .885258 .742972
"""


@pytest.mark.parametrize("row", TABLE.split("\n")[1:-1])
def test_the_reference_table(row):
    mu, *expected = map(float, row.split())
    found = gaussian_shift(mu)
    kl, information = found.kl, found.mutual_information
    columns = [
        kl, found.advantage, gaussian_auc(mu), gaussian_tpr(mu, 0.01), gaussian_tpr(mu, 0.001), information,
        found.jeffreys / 4, pinsker(kl), bretagnolle_huber(kl), (1 + found.advantage) / 2, fano(information),
        hellman_raviv(information),
    ]  # fmt: skip
    np.testing.assert_allclose(columns, expected, atol=1e-6)


def test_many_releases_approach_the_exponent_slowly():
    found = gaussian_stein(1, 0.05, [1, 10, 100, 1000, 10_000])
    np.testing.assert_allclose(found, [0.30044, 0.27399, 0.37960, 0.45366, 0.48424], atol=1e-5)


@pytest.mark.parametrize("mu", [1e-8, 1e-4, 0.01])
def test_a_small_shift_tells_an_eighth_of_its_square(mu):
    assert float(gaussian_shift(mu).mutual_information) == pytest.approx(mu**2 / 8, rel=mu**2 + 1e-5)


@pytest.mark.parametrize("prior", [0.1, 0.5, 0.8])
def test_another_prior_agrees_with_draws(prior):
    """I = h(prior) - E h(posterior) over draws of the release."""
    random = np.random.default_rng(0)
    present = random.random(400_000) < prior
    release = random.normal(size=present.size) + 1.3 * present
    with_it, without = prior * norm.pdf(release, 1.3), (1 - prior) * norm.pdf(release)
    left = np.asarray(binary_entropy(with_it / (with_it + without)))
    expected, error = float(binary_entropy(prior)) - left.mean(), left.std() / np.sqrt(left.size)
    assert float(gaussian_shift(1.3, prior).mutual_information) == pytest.approx(expected, abs=4 * error)


def test_the_ends():
    found = gaussian_shift([0.0, 50.0, np.inf, np.nan], prior=0.3)
    np.testing.assert_array_equal(found.kl[:3], [0.0, 1250.0, np.inf])
    full = float(binary_entropy(0.3))
    np.testing.assert_allclose(found.mutual_information, [0.0, full, full, np.nan], atol=1e-15)
    np.testing.assert_allclose(found.advantage, [0.0, 1.0, 1.0, np.nan])


def test_a_scalar_gives_arrays_without_axes_that_convert():
    found = gaussian_shift(2)
    assert found.kl.shape == found.in_bits().mutual_information.shape == found.tpr_bound(0.1).shape == ()


def test_it_is_the_normal_pair_of_equal_variances():
    mu = np.linspace(0, 9, 40)
    shift, pair = gaussian_shift(mu), normal_pair(mu, 1.0, 0.0, 1.0)
    np.testing.assert_allclose(shift.advantage, pair.advantage, atol=1e-14)
    np.testing.assert_allclose(shift.mutual_information, pair.mutual_information, atol=1e-14)
    np.testing.assert_allclose(shift.kl, pair.kl)


def test_divergence_of_two_covariances_agrees_with_draws():
    random = np.random.default_rng(1)
    root1, root0 = random.normal(size=(2, 3, 3)) + 2 * np.eye(3)
    mean1, mean0, one, zero = np.ones(3), np.zeros(3), root1 @ root1.T, root0 @ root0.T
    drawn = random.multivariate_normal(mean1, one, size=100_000)
    ratio = multivariate_normal(mean1, one).logpdf(drawn) - multivariate_normal(mean0, zero).logpdf(drawn)
    expected, error = ratio.mean(), ratio.std() / np.sqrt(len(ratio))
    assert gaussian_kl(mean1, one, mean0, zero) == pytest.approx(expected, abs=4 * error)


def test_a_singular_covariance_is_refused_with_a_remedy():
    with pytest.raises(InputError, match="covariance0 must be positive definite; add"):
        gaussian_kl([0, 0], np.eye(2), [0, 0], np.ones((2, 2)))


@pytest.mark.parametrize(
    "call",
    [
        lambda: gaussian_shift(-1.0),
        lambda: gaussian_shift(1.0, prior=1.0),
        lambda: gaussian_tpr(1.0, 2.0),
        lambda: gaussian_stein(1.0, 0.05, 0),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(InputError):
        call()
