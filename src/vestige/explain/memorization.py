"""How much better models know a record for having trained on it (Feldman and Zhang 2020)."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from vestige.data.membership import Membership
from vestige.explain.given import coins, matrix
from vestige.leakage.numbers import Numbers


@dataclass(frozen=True, kw_only=True, eq=False)
class Memorization:
    """Per sample, the mean outcome of models trained with it less that of models trained without it.

    values: [samples], higher = more memorized; NaN where a side has no model.
    standard_error: [samples], over models, as if these were independent; NaN with fewer than 2 on a side,
      and 0 where all agree, which few models on a side do easily.
    models_in, models_out: [samples], how many there are.
    """

    values: Float64[np.ndarray, "samples"]
    standard_error: Float64[np.ndarray, "samples"]
    models_in: Int64[np.ndarray, "samples"]
    models_out: Int64[np.ndarray, "samples"]


def memorization(outcomes: Numbers, membership: Numbers | Membership) -> Memorization:
    """The memorization of each sample (eq. 1), from -1 to 1 for correctness or confidence.

    outcomes: [models samples], correct (0 or 1), or the probability of the label.
    membership: [models samples].

    Raises InputError for other shapes.
    """
    values = matrix("outcomes", outcomes, "models, samples")
    member = coins(membership, values.shape).member
    inside, outside = _side(values, member), _side(values, ~member)
    return Memorization(
        values=inside[0] - outside[0],
        standard_error=np.sqrt(inside[1] + outside[1]),
        models_in=member.sum(0, dtype=np.int64),
        models_out=(~member).sum(0, dtype=np.int64),
    )


def _side(
    values: Float64[np.ndarray, "models samples"], chosen: Bool[np.ndarray, "models samples"]
) -> tuple[Float64[np.ndarray, "samples"], Float64[np.ndarray, "samples"]]:
    """The mean over the chosen models, and the variance of that mean."""
    count = chosen.sum(0).astype(np.float64)
    mean = np.where(chosen, values, 0.0).sum(0) / np.where(count > 0, count, np.nan)
    squares = np.where(chosen, (values - mean) ** 2, 0.0).sum(0)
    return mean, squares / np.where(count > 1, count * (count - 1), np.nan)
