"""What private training spends: published figures, closed forms, directions, and the solver for the noise."""

import math
import sys

import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from vestige.core.errors import InputError
from vestige.training.accounting import Sampling, epsilon_spent, noise_for, statement
from vestige.training.privacy import DPSGD

DIGITS = {"members": 500, "batch_size": 32, "epochs": 20}


def spent(noise=1.0, accountant="rdp", delta=1e-5, members=500, batch_size=32, epochs=20):
    privacy = DPSGD(delta=delta, noise=noise, accountant=accountant)
    return epsilon_spent(privacy, members, batch_size, epochs)


@pytest.mark.parametrize(
    ("noise", "members", "batch_size", "epochs", "delta", "epsilon"),
    [
        (1.0, 157_859, 128, 200, 1 / 157_859, 2.38),
        (0.5, 50_000, 64, 100, 2e-5, 15.96),
        (1.0, 50_000, 64, 100, 2e-5, 1.97),
    ],
)
def test_published_figures_of_the_rdp_accountant(noise, members, batch_size, epochs, delta, epsilon):
    found = spent(noise, "rdp", delta, members, batch_size, epochs)
    # within the rounding of the published figures and the choice of orders to search
    assert found.value == pytest.approx(epsilon, abs=0.01, rel=0.002)
    assert found.sample_rate == batch_size / members


def gaussian_epsilon(noise, steps, delta):
    """The exact epsilon of steps full batches: one Gaussian mechanism of mean sqrt(steps) / noise."""
    mean = math.sqrt(steps) / noise

    def excess(epsilon):
        low, high = -epsilon / mean - mean / 2, -epsilon / mean + mean / 2
        return norm.cdf(high) - math.exp(epsilon + norm.logcdf(low)) - delta

    return brentq(excess, 0, 200)


@pytest.mark.parametrize("noise", [2.0, 10.0])
def test_full_batches_spend_what_the_gaussian_mechanism_does(noise):
    exact = gaussian_epsilon(noise, 20, 1e-5)
    prv = spent(noise, "prv", batch_size=500)
    assert (prv.sample_rate, prv.steps) == (1.0, 20)
    assert exact <= prv.value <= exact * 1.01
    assert exact < spent(noise, "rdp", batch_size=500).value < 1.15 * exact


@pytest.mark.parametrize("accountant", ["rdp", "prv"])
def test_epsilon_grows_with_epochs_and_falls_with_noise_and_delta(accountant):
    middle = spent(accountant=accountant).value
    assert spent(epochs=40, accountant=accountant).value > 1.1 * middle
    assert spent(noise=1.5, accountant=accountant).value < 0.7 * middle
    assert spent(delta=1e-3, accountant=accountant).value < middle
    assert spent(batch_size=64, accountant=accountant).value > middle


def test_the_prv_accountant_is_the_tighter_one_and_is_usual():
    assert DPSGD(delta=1e-5, noise=1.0).accountant == "prv"
    assert 0.8 * spent(accountant="rdp").value < spent(accountant="prv").value < spent(accountant="rdp").value


def test_where_nothing_is_private_the_bound_is_that_of_rdp_and_says_so():
    found = spent(noise=0.01, accountant="prv")
    assert found.value > 1e5
    assert found.accountant == "rdp"


@pytest.mark.parametrize(("noise", "accountant"), [(0.165, "prv"), (0.155, "rdp"), (0.1, "rdp")])
def test_an_epsilon_without_meaning_is_left_to_rdp_and_nothing_overflows(noise, accountant):
    found = epsilon_spent(DPSGD(noise=noise, delta=1e-5), 120, 32, 5)
    assert found.accountant == accountant
    assert (found.value > 300) == (accountant == "rdp")


@pytest.mark.parametrize("accountant", ["rdp", "prv"])
@pytest.mark.parametrize("epsilon", [0.3, 8.0])
def test_the_noise_for_a_budget_stays_within_it_and_wastes_little(accountant, epsilon):
    privacy = DPSGD(delta=1e-5, epsilon=epsilon, accountant=accountant)
    found = epsilon_spent(privacy, **DIGITS)
    assert 0.99 * epsilon < found.value <= epsilon
    assert spent(0.99 * found.noise, accountant).value > epsilon


def test_a_budget_out_of_reach_says_so():
    with pytest.raises(InputError, match=r"out of reach.*larger epsilon"):
        noise_for(1e-9, 1e-300, 1.0, 1000, "rdp")


def test_fewer_members_than_a_batch_make_full_batches():
    sampling = Sampling(20, 32)
    assert (sampling.expected, sampling.rate, sampling.steps(3)) == (20, 1.0, 3)


def test_the_steps_of_all_epochs_add_up():
    sampling = Sampling(50, 32)
    assert [sampling.steps(epoch) for epoch in range(5)] == [0, 2, 4, 5, 7]


def test_the_statement_names_what_holds_and_on_what_terms():
    facts = dict(statement(DPSGD(delta=1e-2, noise=1.0, clip=0.5), **DIGITS))
    assert facts["Delta"] == "0.01, not below 1 / 500 members"
    assert facts["Accountant"] == "PRV of Opacus"
    assert facts["Clipping norm"].startswith("0.5")
    assert "0.064" in facts["Sampling"]
    assert "313 steps" in facts["Sampling"]
    assert "added or removed" in facts["Neighbors"]
    assert "one model" in facts["Covers"]
    assert "secure RNG off" in facts["Randomness"]
    assert float(facts["Epsilon"]) == pytest.approx(spent(accountant="prv", delta=1e-2).value, rel=1e-3)


def test_without_opacus_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "opacus", None)
    with pytest.raises(InputError, match=r"pip install \"vestige\[dp\]\""):
        spent()


def test_delta_is_required_and_exactly_one_of_noise_and_epsilon():
    with pytest.raises(InputError, match="delta is missing"):
        DPSGD(noise=1.0)
    with pytest.raises(InputError, match="either noise"):
        DPSGD(delta=1e-5, noise=1.0, epsilon=8.0)
