"""What a release tells about the presence of each record, in nats."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Float64

from vestige.leakage.entropy import NATS_PER_BIT, entropy_of_presence
from vestige.leakage.limits import max_tpr

Kind = Literal["exact", "estimate", "upper bound", "lower bound"]
Values = Float64[np.ndarray, "*records"]
QUANTILES = (0.5, 0.9, 0.99)


@dataclass(frozen=True, eq=False, kw_only=True)
class Leakage:
    """The leakage of each record; P1 is the law of the release with the record, P0 the law without it.

    A reconstruction from the abstract of Farokhi and Kaafar 2020, arXiv 2001.10648.

    kl: KL(P1 || P0). kl_reverse: KL(P0 || P1). mutual_information: between release and presence, the weighted
    Jensen-Shannon divergence at this prior. All three in `unit`, one value per record.
    advantage: the best TPR - FPR of any attack, the total variation of the two laws, 0 to 1.
    shift: distance of the two laws in standard deviations where both are the same Gaussian, moved; else None.
    prior: probability that a record is in. kind: what the values are with respect to the true ones.
    notes: what a reader must know, numerical trouble among it.
    """

    kl: Values
    kl_reverse: Values
    mutual_information: Values
    advantage: Values
    shift: Values | None = None
    prior: float = 0.5
    kind: Kind = "exact"
    unit: Literal["nats", "bits"] = "nats"
    notes: tuple[str, ...] = ()

    @property
    def jeffreys(self) -> Values:
        """The sum of both divergences, in `unit`."""
        return np.asarray(self.kl + self.kl_reverse)

    @cached_property
    def mutual_information_bounds(self) -> dict[str, Values]:
        """Every upper bound of the mutual information that the divergences give, by its formula, in `unit`.

        A divergence that was estimated below 0 bounds at 0.
        """
        prior = self.prior
        ceiling = entropy_of_presence(prior) / (NATS_PER_BIT if self.unit == "bits" else 1.0)
        bounds = {
            "prior * KL(P1||P0)": prior * self.kl,
            "(1 - prior) * KL(P0||P1)": (1 - prior) * self.kl_reverse,
            "prior * (1 - prior) * (KL(P1||P0) + KL(P0||P1))": prior * (1 - prior) * self.jeffreys,
            "entropy of presence": np.full(self.kl.shape, ceiling),
        }
        return {formula: np.asarray(np.maximum(bound, 0.0)) for formula, bound in bounds.items()}

    @property
    def mutual_information_bound(self) -> Values:
        """The smallest of the upper bounds, record by record, in `unit`."""
        return np.asarray(np.min(np.stack(list(self.mutual_information_bounds.values())), axis=0))

    def tpr_bound(self, fpr: float) -> Values:
        """The largest TPR at this FPR that the divergences leave to any attack, per record."""
        nats = self.in_nats()
        return max_tpr(nats.kl, fpr, nats.kl_reverse)

    def in_bits(self) -> "Leakage":
        """The same in bits."""
        return self if self.unit == "bits" else self._converted("bits", 1 / NATS_PER_BIT)

    def in_nats(self) -> "Leakage":
        """The same in nats."""
        return self if self.unit == "nats" else self._converted("nats", NATS_PER_BIT)

    def summary(self, of: str = "kl") -> dict[str, float]:
        """Mean, maximum and quantiles over the records of one quantity, by name; records at NaN are left out.

        of: "kl", "kl_reverse", "jeffreys", "mutual_information", "mutual_information_bound" or "advantage".
        """
        values = np.asarray(getattr(self, of), np.float64).ravel()
        values = values[~np.isnan(values)]
        if not len(values):
            return {}
        tails = {f"q{100 * level:g}": float(np.quantile(values, level)) for level in QUANTILES}
        return {"mean": float(values.mean()), "max": float(values.max()), **tails}

    def _converted(self, unit: Literal["nats", "bits"], factor: float) -> "Leakage":
        return replace(
            self,
            unit=unit,
            kl=np.asarray(self.kl * factor),
            kl_reverse=np.asarray(self.kl_reverse * factor),
            mutual_information=np.asarray(self.mutual_information * factor),
        )
