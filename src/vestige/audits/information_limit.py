"""What bounds an audit's divergences from above: the noise of private training, or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vestige.data.membership import Membership
from vestige.leakage.leakage import Leakage
from vestige.leakage.limits import advantage_limit
from vestige.leakage.private import dp_sgd_leakage
from vestige.leakage.shift import gaussian_shift
from vestige.training.accounting import Sampling, noise_of
from vestige.training.privacy import DPSGD

NO_NOISE = (
    "Nothing bounds it from above: this training adds no noise that would, so its divergence may be infinite."
)
NOT_ON_RECORD = "Nothing bounds it from above: how these models were trained is not on record."


@dataclass(frozen=True, kw_only=True)
class UpperLimit:
    """The most that the whole training of one model, with all its checkpoints, can tell of any record.

    leakage: upper bounds, 0-d arrays in nats; None where nothing bounds a divergence. reason: in words.
    """

    leakage: Leakage | None
    reason: str


def upper_limit(recipe: Mapping[str, Any] | None, membership: Membership) -> UpperLimit:
    """The upper limit that a recipe gives, as a manifest holds it; None where no recipe is on record."""
    if recipe is None:
        return UpperLimit(leakage=None, reason=NOT_ON_RECORD)
    given = recipe.get("privacy")
    if not given or recipe.get("routing"):  # with routing the noise covers a part of the network only
        return UpperLimit(leakage=None, reason=NO_NOISE)
    privacy = DPSGD(**{name: value for name, value in given.items() if name != "type"})
    batch_size, epochs = int(recipe["batch_size"]), int(recipe["epochs"])
    replaced = membership.design == "paired"
    sizes = np.unique(membership.mask.sum(1))
    limits = [_of_training(privacy, int(n), batch_size, epochs, replaced) for n in sizes[[0, -1]]]
    return max(limits, key=lambda limit: float(limit.leakage.jeffreys) if limit.leakage else 0.0)


def _of_training(privacy: DPSGD, members: int, batch_size: int, epochs: int, replaced: bool) -> UpperLimit:
    sampling, noise = Sampling(members, batch_size), noise_of(privacy, members, batch_size, epochs)
    steps = sampling.steps(epochs)
    bound = replaced_leakage if replaced else dp_sgd_leakage
    neighbors = "with another record in its place" if replaced else "without the record"
    return UpperLimit(
        leakage=bound(noise, steps, sampling.rate),
        reason=(
            f"From above it is bounded by the noise of training: {steps:,} steps, noise multiplier "
            f"{noise:.4g}, sampling rate {sampling.rate:.4g}, against training {neighbors}. The bound holds "
            "for every record and for the whole training of one model, all checkpoints included."
        ),
    )


def replaced_leakage(noise: float, steps: int, rate: float) -> Leakage:
    """Upper bounds on the leakage of all steps of DP-SGD when one record replaces another, as 0-d arrays.

    Halves of a fixed size hold another record where they do not hold the one: the clipped gradients of both
    may point apart, 2 / noise in standard deviations of the noise. With full batches that is one Gaussian
    moved by 2 sqrt(steps) / noise. With Poisson sampling at rate q and m = 1 / noise, a step has at most the
    smaller of 2 q m^2 (convexity) and ln(1 + chi^2), chi^2 <= 4 q^2 sinh(m^2) / (1 - q).
    """
    if rate == 1:
        return replace(gaussian_shift(2 * np.sqrt(steps) / noise), kind="upper bound")
    square = 1 / noise**2
    chi_square = 4 * rate**2 * np.sinh(min(square, 700.0)) / (1 - rate)
    kl = np.asarray(steps * min(2 * rate * square, float(np.log1p(chi_square))))
    divergences = Leakage(kl=kl, kl_reverse=kl, mutual_information=kl, advantage=kl, kind="upper bound")
    return Leakage(
        kl=kl,
        kl_reverse=kl,
        mutual_information=divergences.mutual_information_bound,
        advantage=advantage_limit(kl, kl),
        kind="upper bound",
    )
