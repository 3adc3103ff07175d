"""The target's loss against the losses of references that did not train on the sample."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from vestige.attacks.protocol import SCALED_LOGIT, Attack, Needs
from vestige.attacks.queries import average
from vestige.attacks.view import AttackView


@dataclass(frozen=True, kw_only=True)
class AttackR(Attack):
    """The share of the OUT references whose loss is at least the target's, 0 to 1.

    Only as many distinct values as OUT references plus one, so it cannot resolve low false positive rates.
    Losses are compared as scaled logits, which do not round to 0. Queries are averaged.
    """

    @property
    def name(self) -> str:
        """`attack-r`."""
        return "attack-r"

    @property
    def paper(self) -> str:
        """Where the attack was published."""
        return "Ye et al., CCS 2022"

    @property
    def needs(self) -> Needs:
        """The scaled logit and a reference on either side."""
        return Needs(in_references=1, out_references=1)

    def describe(self) -> str:
        """The small print."""
        return "share of OUT references; resolution 1 / OUT references"

    def score(self, view: AttackView) -> Float64[np.ndarray, "samples"]:
        """The share of the OUT references that fit the sample no better than the target."""
        return view.map(self._block)

    def _block(self, view: AttackView) -> Float64[np.ndarray, "samples"]:
        target = view.target(SCALED_LOGIT)
        worse = np.zeros(target.shape)
        count = np.zeros((view.num_samples, 1))
        for values, inside, usable in view.references(SCALED_LOGIT):
            outside = (usable & ~inside)[:, None]
            worse += outside & (values <= target)
            count += outside
        return average(worse / np.where(count > 0, count, np.nan))


@dataclass(frozen=True, kw_only=True)
class CalibratedLoss(Attack):
    """The mean loss of the OUT references minus the loss of the target, in nats (Watson et al. 2022)."""

    @property
    def name(self) -> str:
        """`calibrated-loss`."""
        return "calibrated-loss"

    @property
    def paper(self) -> str:
        """Where the attack was published."""
        return "Watson et al., ICLR 2022"

    @property
    def needs(self) -> Needs:
        """The loss and a reference on either side."""
        return Needs(signals=("loss",), in_references=1, out_references=1)

    def describe(self) -> str:
        """The small print."""
        return "mean OUT loss minus target loss"

    def score(self, view: AttackView) -> Float64[np.ndarray, "samples"]:
        """How much better than the OUT references the target fits the sample."""
        return view.map(lambda block: average(block.means("loss")[1] - block.target("loss")))
