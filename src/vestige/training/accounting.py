"""What differentially private training spends, by Opacus' accountants, and how to stay within a budget."""

import math
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Int
from scipy.optimize import brentq

from vestige.core import check
from vestige.core.errors import InputError
from vestige.training.privacy import DPSGD

# Renyi orders as Opacus takes them, and larger ones for small epsilons: each gives a bound, the least counts
ORDERS = (*(1 + x / 10 for x in range(1, 100)), *range(12, 64), 64, 96, 128, 192, 256, 384, 512)
LEAST_ERROR, MOST_ERROR, RELATIVE_ERROR = 1e-3, 0.5, 1 / 500  # of epsilon by PRV, which adds it to be safe
MOST_BY_PRV = (
    300.0  # an epsilon beyond which RDP's bound stands: PRV is slow there, then overflows, to say as little
)
MOST_NOISE = 1e5
TIGHTNESS = 1e-3  # relative, of a noise multiplier that is solved for


def opacus() -> Any:
    """Opacus, an extra. Raises InputError where it is not installed."""
    try:
        import opacus
    except ImportError as error:
        raise InputError('differentially private training needs Opacus; pip install "vestige[dp]"') from error
    return opacus


@dataclass(frozen=True)
class Sampling:
    """Poisson sampling: at each step every member is drawn with the same probability, on its own."""

    members: int
    batch_size: int

    def __post_init__(self) -> None:
        check.at_least("members", self.members, 1)
        check.at_least("batch_size", self.batch_size, 1)

    @property
    def expected(self) -> int:
        """The mean number of members in a batch: all of them where they are fewer than batch_size."""
        return min(self.batch_size, self.members)

    @property
    def rate(self) -> float:
        """The probability of each member at each step."""
        return self.expected / self.members

    def steps(self, epochs: int) -> int:
        """The steps up to the end of that epoch: epochs / rate, rounded up."""
        return -(-epochs * self.members // self.expected)

    def draw(self, members: Int[np.ndarray, "members"], generator: np.random.Generator) -> np.ndarray:
        """Who is in the next batch, possibly nobody."""
        return members[generator.random(len(members)) < self.rate]


@dataclass(frozen=True)
class Epsilon:
    """What training spends: (value, delta)-differential privacy under adding or removing one record.

    accountant: whose bound it is. noise: the multiplier, in units of the clipping norm.
    """

    value: float
    delta: float
    accountant: str
    noise: float
    steps: int
    sample_rate: float


def epsilon_spent(privacy: DPSGD, members: int, batch_size: int, epochs: int) -> Epsilon:
    """The privacy that the training of one model on that many members spends, all checkpoints together.

    accountant "prv": Gopi et al. 2021, an upper bound whose numerical error, at most max(0.001, 0.2 %), is
    included; beyond 300 it is RDP's. "rdp": Mironov 2017, converted as by Balle et al. 2020, theorem 21.
    """
    sampling = Sampling(members, batch_size)
    noise = noise_of(privacy, members, batch_size, epochs)
    assert privacy.delta is not None
    value, accountant = _spent(
        noise, sampling.rate, sampling.steps(epochs), privacy.delta, privacy.accountant
    )
    return Epsilon(value, privacy.delta, accountant, noise, sampling.steps(epochs), sampling.rate)


def noise_of(privacy: DPSGD, members: int, batch_size: int, epochs: int) -> float:
    """The noise multiplier: the one given, or the one that the given epsilon asks for."""
    if privacy.noise is not None:
        return float(privacy.noise)
    assert privacy.epsilon is not None
    assert privacy.delta is not None
    sampling = Sampling(members, batch_size)
    steps = sampling.steps(epochs)
    return noise_for(float(privacy.epsilon), privacy.delta, sampling.rate, steps, privacy.accountant)


@lru_cache(maxsize=1024)
def noise_for(epsilon: float, delta: float, sample_rate: float, steps: int, accountant: str = "prv") -> float:
    """The least noise multiplier, to a thousandth, with which these steps spend at most epsilon.

    Raises InputError where no noise is enough.
    """

    def excess(log_noise: float) -> float:
        spent = _spent(math.exp(log_noise), sample_rate, steps, delta, accountant)[0]
        return math.log(spent / epsilon)

    high = 0.0
    while excess(high) > 0:
        high += math.log(2)
        if high > math.log(MOST_NOISE):
            raise InputError(
                f"dp_sgd epsilon={epsilon:g} is out of reach in {steps} steps at delta={delta:g}; "
                "give a larger epsilon, or fewer epochs"
            )
    low = high - math.log(2)
    while excess(low) <= 0:
        low, high = low - math.log(2), low
    root: Any = brentq(excess, low, high, xtol=TIGHTNESS / 2)
    noise = math.exp(root)
    while excess(math.log(noise)) > 0:
        noise *= 1 + TIGHTNESS / 2
    return noise


def _spent(noise: float, rate: float, steps: int, delta: float, accountant: str) -> tuple[float, str]:
    """The least epsilon that the accountant can show, and whose it is."""
    accountants = opacus().accountants
    history = [(noise, rate, steps)]
    with warnings.catch_warnings(), np.errstate(divide="ignore"):  # a rate of 1 asks PRV for log 0
        warnings.filterwarnings("ignore", "Optimal order is the")
        by_rdp = accountants.create_accountant("rdp")
        by_rdp.history = history
        value = float(by_rdp.get_epsilon(delta, alphas=list(ORDERS)))
        if accountant == "rdp" or value > MOST_BY_PRV:
            return value, "rdp"
        by_prv = accountants.create_accountant("prv")
        by_prv.history = history
        error = min(max(value * RELATIVE_ERROR, LEAST_ERROR), MOST_ERROR)
        return float(by_prv.get_epsilon(delta, eps_error=error)), "prv"


def limits(privacy: DPSGD, members: int, batch_size: int, epochs: int) -> tuple[tuple[str, str], ...]:
    """What can be said where some regions train privately and the rest does not, as (name, value)."""
    asked = (
        "" if privacy.epsilon is None else f"; epsilon {privacy.epsilon:g} would ask for it in all of them"
    )
    return (
        ("Epsilon", "none: the other regions learn from gradients that are neither clipped nor noisy"),
        (
            "Noise multiplier",
            f"{noise_of(privacy, members, batch_size, epochs):.4g}, in protected regions{asked}",
        ),
        ("Clipping norm", f"{privacy.clip:g}, L2, per sample, over protected regions"),
    )


def statement(privacy: DPSGD, members: int, batch_size: int, epochs: int) -> tuple[tuple[str, str], ...]:
    """What is guaranteed for one model of that many members, to whom and on what terms, as (name, value)."""
    spent = epsilon_spent(privacy, members, batch_size, epochs)
    small = spent.delta < 1 / members
    return (
        ("Epsilon", f"{spent.value:.4g}"),
        ("Delta", f"{spent.delta:g}, {'' if small else 'not '}below 1 / {members} members"),
        ("Accountant", f"{spent.accountant.upper()} of Opacus"),
        ("Noise multiplier", f"{spent.noise:.4g}"),
        ("Clipping norm", f"{privacy.clip:g}, L2, per sample"),
        ("Sampling", f"Poisson, each member with probability {spent.sample_rate:.4g}, {spent.steps} steps"),
        ("Neighbors", "data sets that differ by one record added or removed"),
        ("Covers", "one model, with all of its checkpoints; not several models of the same records together"),
        ("Randomness", "pseudo-random, secure RNG off: holds against those who do not know the run's seed"),
    )
