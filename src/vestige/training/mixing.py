"""Mixing of samples within a batch."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from torch import Tensor

from vestige.core import check


@dataclass(frozen=True, kw_only=True)
class Mixup:
    """Inputs and targets lam x + (1 - lam) x' of two batches drawn apart, one lam ~ Beta(alpha, alpha) per
    batch (Zhang et al. 2018); alpha = inf is lam = 1/2.
    """

    alpha: float

    def __post_init__(self) -> None:
        if not self.alpha > 0:
            check.positive("mixup alpha", self.alpha)

    def shares(self, number: int, generator: np.random.Generator) -> Float[np.ndarray, "batches"]:
        """lam of so many batches, from 0 to 1."""
        if math.isinf(self.alpha):
            return np.full(number, 0.5)
        return generator.beta(self.alpha, self.alpha, number)


def blend(first: Tensor, second: Tensor, share: "float | Tensor") -> Tensor:
    """share first + (1 - share) second."""
    return share * first + (1 - share) * second
