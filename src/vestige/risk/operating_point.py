"""At which score a target names a sample a member."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from vestige.core import check
from vestige.core.errors import InputError
from vestige.risk.percent import error_rate
from vestige.risk.pooled import own_threshold
from vestige.stats.roc import roc

# Carlini et al. 2022 and Chen et al. 2025 judge at low error rates; 1 % is the lowest of common use.
ALPHA = 0.01


@dataclass(frozen=True)
class PopulationFPR:
    """Each target names what lies above the lowest threshold that at most the share `alpha` of its own
    non-members exceeds, so the mean FPR over samples is at most alpha at every checkpoint.
    """

    alpha: float = ALPHA

    def __post_init__(self) -> None:
        check.within("operating point alpha", self.alpha, 1e-12, 0.999)

    def named(
        self, scores: Float[np.ndarray, "samples"], member: Bool[np.ndarray, "samples"]
    ) -> Bool[np.ndarray, "samples"]:
        """The samples that a target with these scores names; NaN scores never are."""
        others = scores[~np.isnan(scores) & ~member]
        return scores > own_threshold(others, self.alpha) if len(others) else np.zeros(len(scores), bool)

    @property
    def phrase(self) -> str:
        """As a report says it, after "records are named"."""
        return f"at a population error rate of {error_rate(round(self.alpha, 6))}"


@dataclass(frozen=True)
class LikelihoodRatio:
    """Each target names what its score, a log likelihood ratio, finds likelier a member: above 0."""

    def named(
        self, scores: Float[np.ndarray, "samples"], member: Bool[np.ndarray, "samples"]
    ) -> Bool[np.ndarray, "samples"]:
        """The samples that a target with these scores names; NaN scores never are."""
        return scores > 0

    @property
    def phrase(self) -> str:
        """As a report says it, after "records are named"."""
        return "where the likelihood ratio favors membership"


@dataclass(frozen=True)
class BestAccuracy:
    """Each target names by the threshold of its largest balanced accuracy on its own truth: an oracle."""

    def named(
        self, scores: Float[np.ndarray, "samples"], member: Bool[np.ndarray, "samples"]
    ) -> Bool[np.ndarray, "samples"]:
        """The samples that a target with these scores names; NaN scores never are."""
        known = ~np.isnan(scores)
        if not member[known].any() or member[known].all():
            return np.zeros(len(scores), bool)
        curve = roc(scores, member)
        best = int(np.argmax(curve.tpr - curve.fpr))
        return np.zeros(len(scores), bool) if best == 0 else scores >= curve.thresholds[best]

    @property
    def phrase(self) -> str:
        """As a report says it, after "records are named"."""
        return "at each model's own most accurate threshold"


OperatingPoint = PopulationFPR | LikelihoodRatio | BestAccuracy


def operating_point_from(text: str) -> OperatingPoint:
    """The operating point that an option asks for: a population FPR such as "0.01", "lr>0", "best-accuracy".

    Raises InputError for anything else.
    """
    named: dict[str, OperatingPoint] = {"lr>0": LikelihoodRatio(), "best-accuracy": BestAccuracy()}
    if text in named:
        return named[text]
    try:
        return PopulationFPR(float(text))
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f'operating_point={text!r} must be a population FPR such as "0.01", "lr>0" or "best-accuracy"'
        ) from error


def supported(
    point: OperatingPoint, member: Bool[np.ndarray, "targets samples"]
) -> tuple[OperatingPoint, tuple[str, ...]]:
    """The point that these targets can carry, raised if need be, and what to say about it.

    Raises InputError if a target has no non-members.
    """
    fewest = int((~member).sum(1).min())
    if fewest == 0:
        raise InputError(
            "a target was trained on every sample, so it has no non-members to set a threshold on"
        )
    if not isinstance(point, PopulationFPR) or point.alpha * fewest >= 1:
        return point, ()
    raised = 1 / fewest
    return PopulationFPR(raised), (
        f"The plane is drawn at FPR {100 * raised:.3g} % instead of {100 * point.alpha:g} %: "
        f"{fewest:,} non-members per target cannot fix a lower rate.",
    )
