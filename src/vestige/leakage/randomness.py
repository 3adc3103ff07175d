"""What makes a trained model random: without it, leakage in nats has no finite answer."""

from dataclasses import dataclass
from typing import Any

from vestige.core import check
from vestige.core.errors import InputError


@dataclass(frozen=True)
class GaussianOutput:
    """The parameters are released with Gaussian noise, N(0, sigma^2) on each.

    sigma: standard deviation, in units of the parameters.

    Raises InputError unless sigma is finite and above 0.
    """

    sigma: int | float

    def __post_init__(self) -> None:
        check.positive("sigma", self.sigma)


@dataclass(frozen=True)
class RandomSubset:
    """The training set is a uniformly random subset of a known universe, the release has Gaussian noise.

    universe: records that could be in; None for all that are given. size: records that are, required.
    sigma: as of GaussianOutput, required. subsets: training sets drawn for each side of a comparison.

    Raises InputError for sigma <= 0, size < 1, a universe not larger than the size, or fewer than 2 subsets.
    """

    universe: int | None = None
    size: int = 0
    sigma: int | float = 0.0
    subsets: int = 400

    def __post_init__(self) -> None:
        check.at_least("size", self.size, 1)
        check.positive("sigma", self.sigma)
        check.at_least("subsets", self.subsets, 2)
        if self.universe is not None and self.universe <= self.size:
            raise InputError(f"universe={self.universe} must be larger than size={self.size}")


@dataclass(frozen=True)
class Gibbs:
    """The parameters are a draw from the posterior proportional to exp(-summed loss / temperature).

    temperature: in nats of loss.

    Raises InputError unless the temperature is finite and above 0.
    """

    temperature: int | float

    def __post_init__(self) -> None:
        check.positive("temperature", self.temperature)


@dataclass(frozen=True, kw_only=True)
class NoisyGradientDescent:
    """Full-batch or Poisson-sampled gradient descent on clipped gradients with Gaussian noise (DP-SGD).

    noise: noise multiplier s; the noise has standard deviation s * clip on the summed gradient.
    clip: largest gradient norm of one record. steps: how many. rate: step size on the summed gradient.
    sampling: probability that a record is in a step's batch, 1 for full batches.

    Raises InputError for values out of range.
    """

    noise: int | float
    clip: int | float
    steps: int
    rate: int | float
    sampling: int | float = 1.0

    def __post_init__(self) -> None:
        for name in ("noise", "clip", "rate", "sampling"):
            check.positive(name, getattr(self, name))
        check.at_least("steps", self.steps, 1)
        check.within("sampling", self.sampling, 0.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class SeedEnsemble:
    """Models are trained again and again, on other seeds and other halves of the data; nothing is added.

    The laws with and without a record are known through a statistic of the models only, such as the scaled
    logit of the record, so that whatever is estimated is a lower bound.
    fewest: models on each side of every record, below which no density is fitted.

    Raises InputError for fewest < 4.
    """

    fewest: int = 8

    def __post_init__(self) -> None:
        check.at_least("fewest", self.fewest, 4)


Randomness = GaussianOutput | RandomSubset | Gibbs | NoisyGradientDescent | SeedEnsemble


def require(randomness: Any, *allowed: type) -> None:
    """Raise InputError unless the randomness is one of the allowed kinds.

    None is refused with the reason: training without randomness puts the two laws on two distinct points.
    """
    names = " or ".join(kind.__name__ for kind in allowed)
    if randomness is None:
        raise InputError(
            "randomness=None: without randomness, training with a record and training without it give two "
            f"different points, and their divergence is infinite; name what is random, for example {names}"
        )
    if not isinstance(randomness, allowed):
        raise InputError(f"randomness={randomness!r} is not possible here; give {names}")
