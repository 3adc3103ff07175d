"""Attacks without references: one threshold on how well the target fits the sample."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from vestige.attacks.protocol import SCALED_LOGIT, Attack, Needs
from vestige.attacks.queries import average
from vestige.attacks.view import AttackView
from vestige.stats.moments import Moments


@dataclass(frozen=True, kw_only=True)
class Loss(Attack):
    """Minus the cross-entropy in nats; with `per_class`, the class's own threshold minus the cross-entropy.

    Yeom et al. 2018 call a sample a member where its loss is below one threshold. Song and Mittal 2021 give
    every class its own, fitted on references: here halfway between the mean losses that the references have
    on their members and on their non-members of the class, so that 0 is the same decision in every class.
    """

    per_class: bool = False

    @property
    def name(self) -> str:
        """`loss` or `loss-per-class`."""
        return "loss-per-class" if self.per_class else "loss"

    @property
    def paper(self) -> str:
        """Where the attack was published."""
        return "Song and Mittal, USENIX Security 2021" if self.per_class else "Yeom et al., CSF 2018"

    @property
    def needs(self) -> Needs:
        """The loss; labels and a reference on each side when thresholds are per class."""
        references = int(self.per_class)
        return Needs(
            signals=("loss",), in_references=references, out_references=references, labels=self.per_class
        )

    def describe(self) -> str:
        """The small print."""
        return "threshold per class from references" if self.per_class else "one threshold; no references"

    def score(self, view: AttackView) -> Float64[np.ndarray, "samples"]:
        """Minus the loss, or its distance below the class's threshold."""
        fit = view.map(lambda block: -average(block.target("loss")))
        return fit + _class_thresholds(view)[view.labels] if self.per_class else fit


@dataclass(frozen=True, kw_only=True)
class Confidence(Attack):
    """The probability of the label, on the logit scale because probabilities round to 1 and tie."""

    @property
    def name(self) -> str:
        """`confidence`."""
        return "confidence"

    @property
    def paper(self) -> str:
        """Where the attack was published."""
        return "Salem et al., NDSS 2019"

    @property
    def needs(self) -> Needs:
        """The scaled logit."""
        return Needs()

    def describe(self) -> str:
        """The small print."""
        return "probability of the label on the logit scale; no references"

    def score(self, view: AttackView) -> Float64[np.ndarray, "samples"]:
        """The scaled logit."""
        return view.map(lambda block: average(block.target(SCALED_LOGIT)))


@dataclass(frozen=True, kw_only=True)
class Entropy(Attack):
    """Minus the entropy of the prediction in nats, or minus the modified entropy, which knows the label.

    Song and Mittal 2021, equations 7 (entropy) and 8 (modified).
    """

    modified: bool = False

    @property
    def name(self) -> str:
        """`entropy` or `modified-entropy`."""
        return "modified-entropy" if self.modified else "entropy"

    @property
    def paper(self) -> str:
        """Where the attack was published."""
        return "Song and Mittal, USENIX Security 2021"

    @property
    def needs(self) -> Needs:
        """The entropy of that kind."""
        return Needs(signals=(self._signal,))

    def describe(self) -> str:
        """The small print."""
        return f"{self._signal.replace('_', ' ')}, one threshold; no references"

    def score(self, view: AttackView) -> Float64[np.ndarray, "samples"]:
        """Minus the entropy."""
        return view.map(lambda block: -average(block.target(self._signal)))

    @property
    def _signal(self) -> str:
        return "modified_entropy" if self.modified else "entropy"


def _class_thresholds(view: AttackView) -> Float64[np.ndarray, "classes"]:
    """Halfway between the references' mean loss on members and on non-members; NaN for an unseen class."""
    classes = int(view.labels.max()) + 1
    sums, counts = np.zeros((2, classes)), np.zeros((2, classes))
    for block in view.blocks():
        sides = block.moments("loss")
        for index, side in enumerate((sides.inside, sides.outside)):
            _add_class_sums(side, block.labels, sums[index], counts[index])
    means = sums / np.where(counts > 0, counts, np.nan)
    return means.mean(0)


def _add_class_sums(
    side: Moments,
    labels: np.ndarray,
    sums: Float64[np.ndarray, "classes"],
    counts: Float64[np.ndarray, "classes"],
) -> None:
    count = side.count[:, 0]
    mean = np.where(count > 0, average(side.mean), 0.0)
    sums += np.bincount(labels, mean * count, minlength=len(sums))
    counts += np.bincount(labels, count, minlength=len(counts))
