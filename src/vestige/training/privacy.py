"""Differentially private training, as options of a recipe."""

from dataclasses import dataclass

from vestige.core import check
from vestige.core.errors import InputError

ACCOUNTANTS = ("prv", "rdp")


@dataclass(frozen=True, kw_only=True)
class DPSGD:
    """DP-SGD (Abadi et al. 2016) by Opacus: Poisson batches, per-sample clipping, Gaussian noise.

    clip: L2 norm to which each sample's gradient is clipped. delta: of (epsilon, delta).
    noise: noise multiplier, in units of clip; or epsilon: what the whole training may spend, from which the
      noise follows. Exactly one of the two. accountant: "prv" or "rdp".
    """

    delta: float | None = None
    clip: float = 1.0
    noise: float | None = None
    epsilon: float | None = None
    accountant: str = "prv"

    def __post_init__(self) -> None:
        if self.delta is None:
            raise InputError("dp_sgd: delta is missing; give one below 1 / members, for example delta=1e-5")
        check.within("dp_sgd delta", self.delta, 1e-300, 0.999)
        check.positive("dp_sgd clip", self.clip)
        check.one_of("dp_sgd accountant", self.accountant, ACCOUNTANTS)
        if (self.noise is None) == (self.epsilon is None):
            raise InputError("dp_sgd: give either noise=1.0, a multiplier, or epsilon=8, what may be spent")
        for name in ("noise", "epsilon"):
            if getattr(self, name) is not None:
                check.positive(f"dp_sgd {name}", float(getattr(self, name)))
