import numpy as np
import pytest

from vestige.core.errors import InputError
from vestige.leakage.entropy import NATS_PER_BIT, binary_entropy
from vestige.leakage.leakage import Leakage
from vestige.leakage.randomness import (
    GaussianOutput,
    Gibbs,
    NoisyGradientDescent,
    RandomSubset,
    SeedEnsemble,
    require,
)
from vestige.leakage.shift import gaussian_shift


def test_bits_and_back():
    nats = gaussian_shift(np.array([0.5, 2.0]), prior=0.3)
    bits = nats.in_bits()
    np.testing.assert_allclose(bits.kl * NATS_PER_BIT, nats.kl)
    assert bits.in_bits() is bits
    np.testing.assert_allclose(bits.in_nats().mutual_information, nats.mutual_information)
    np.testing.assert_array_equal(bits.advantage, nats.advantage)  # has no unit
    np.testing.assert_allclose(bits.mutual_information_bound * NATS_PER_BIT, nats.mutual_information_bound)
    np.testing.assert_allclose(bits.tpr_bound(0.01), nats.tpr_bound(0.01))


def test_the_smallest_of_four_bounds_is_taken_per_record():
    found = Leakage(
        kl=np.array([0.1, 9.0, 1.0, -0.1]),
        kl_reverse=np.array([9.0, 0.1, 1.0, 0.05]),
        mutual_information=np.zeros(4),
        advantage=np.zeros(4),
        prior=0.25,
    )
    assert len(found.mutual_information_bounds) == 4
    expected = [0.025, 0.075, 0.25, 0.0]  # an estimate below 0 bounds at 0
    np.testing.assert_allclose(found.mutual_information_bound, expected)
    assert found.mutual_information_bounds["entropy of presence"][0] == float(binary_entropy(0.25))


def test_a_summary_leaves_out_what_is_missing():
    found = gaussian_shift(np.array([1.0, 3.0, np.nan]))
    assert found.summary("kl") == pytest.approx(
        {"mean": 2.5, "max": 4.5, "q50": 2.5, "q90": 4.1, "q99": 4.46}
    )
    assert gaussian_shift([np.nan]).summary() == {}


@pytest.mark.parametrize(
    "make",
    [
        lambda: GaussianOutput(sigma=0),
        lambda: GaussianOutput(sigma=float("nan")),
        lambda: Gibbs(temperature=-1),
        lambda: RandomSubset(size=5, sigma=1, universe=5),
        lambda: RandomSubset(size=0, sigma=1.0),
        lambda: NoisyGradientDescent(noise=1, clip=1, steps=0, rate=0.1),
        lambda: NoisyGradientDescent(noise=1, clip=1, steps=1, rate=0.1, sampling=1.5),
        lambda: SeedEnsemble(fewest=3),
    ],
)
def test_impossible_randomness_is_refused(make):
    with pytest.raises(InputError):
        make()


def test_without_randomness_the_reason_is_given():
    with pytest.raises(InputError, match="divergence is infinite; name what is random, for example Gibbs"):
        require(None, Gibbs)
    with pytest.raises(InputError, match="give GaussianOutput or Gibbs"):
        require(SeedEnsemble(), GaussianOutput, Gibbs)
    require(Gibbs(temperature=1), Gibbs)
