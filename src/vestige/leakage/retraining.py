"""Approximate leave-one-out leakage compared with models that are trained again without the record."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64, Int64
from numpy.typing import ArrayLike

from vestige.core import check, seeds
from vestige.leakage.leakage import Leakage
from vestige.leakage.linear_shift import Indices
from vestige.leakage.randomness import GaussianOutput, require
from vestige.stats.ranks import spearman


@runtime_checkable
class LeakageOf(Protocol):
    """`logistic` or `softmax`."""

    def __call__(
        self,
        X: ArrayLike,
        y: ArrayLike,
        weight: int | float,
        randomness: GaussianOutput,
        method: str,
        *,
        records: Indices | None,
    ) -> Leakage:
        """The leakage of these records by this method."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Validation:
    """KL of randomly drawn records in nats: as estimated, and from fits without each."""

    records: Int64[np.ndarray, "records"]
    estimated: Float64[np.ndarray, "records"]
    exact: Float64[np.ndarray, "records"]

    @property
    def spearman(self) -> float:
        """The rank correlation of estimated and exact KL, -1 to 1; NaN where either is constant."""
        return spearman(self.estimated, self.exact)

    @property
    def ratio(self) -> float:
        """Mean estimated KL over mean exact KL; 1 is perfect, below 1 is too small."""
        return float(self.estimated.mean() / self.exact.mean())

    @property
    def sentence(self) -> str:
        """The comparison in words."""
        return (
            f"against {len(self.records)} models fitted again without the record: Spearman correlation of KL "
            f"{self.spearman:.4f}, estimated mean over exact mean {self.ratio:.4f}"
        )


def validate(
    model: LeakageOf,
    X: ArrayLike,
    y: ArrayLike,
    weight: int | float,
    randomness: GaussianOutput,
    *,
    method: str = "alo",
    count: int = 20,
    seed: int = 0,
) -> Validation:
    """How well a method of `logistic` or `softmax` agrees with true leave-one-out fits.

    count: records drawn without replacement, all if there are fewer.

    Raises InputError for fewer than 3 records, and as the model does.
    """
    require(randomness, GaussianOutput)
    total = len(np.asarray(y))
    check.at_least("count", min(count, total), 3)
    drawn = seeds.generator(seed, "retraining").choice(total, min(count, total), replace=False)
    records = np.sort(drawn).astype(np.int64)
    estimated = model(X, y, weight, randomness, method, records=records)
    exact = model(X, y, weight, randomness, "exact", records=records)
    return Validation(records=records, estimated=estimated.kl, exact=exact.kl)
