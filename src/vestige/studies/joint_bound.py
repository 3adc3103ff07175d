"""What the joint attack could reach if it knew the coins of all candidates but the one that it asks about."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float64

from vestige.attacks.evidence import Evidence
from vestige.attacks.joint import Joint
from vestige.attacks.neighborhood import Neighborhood, Parts


@dataclass(frozen=True, kw_only=True)
class KnownOthers(Joint):
    """No attack but a bound: the target's own coins stand in for the chances that `Joint` guesses.

    A sample's coin is taken out of its own prediction in closed form, so of each sample all other coins are
    known and its own is not.

    coins: those of the one target that is scored, one byte each.
    """

    coins: bytes = field(compare=False)

    @classmethod
    def of(cls, joint: Joint, coins: Bool[np.ndarray, "samples"]) -> "KnownOthers":
        """The bound of an attack without trees, for the target with these coins."""
        return cls(kernel=joint.kernel, landmarks=joint.landmarks, coins=coins.tobytes())

    @property
    def name(self) -> str:
        """`joint-known-others`."""
        return f"{super().name}-known-others"

    @property
    def parts(self) -> Parts:
        """All of the fit, with the coins of references that play the target told too."""
        return Parts(known=True)

    def chances(self, model: Neighborhood, found: Evidence) -> Float64[np.ndarray, "samples"]:
        """0 and 1."""
        return np.frombuffer(self.coins, bool).astype(np.float64)
