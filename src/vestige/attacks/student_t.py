"""The likelihood ratio with both moments shrunk toward those of the other samples."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from vestige.attacks.protocol import SCALED_LOGIT, Attack, Needs
from vestige.attacks.queries import average
from vestige.attacks.spread import pooled_variances
from vestige.attacks.view import AttackView
from vestige.core import check
from vestige.stats.gaussian import log_student_density, student_constant
from vestige.stats.moments import Moments, column_mean

Row = Float64[np.ndarray, "1 augmentations"]
Values = Float64[np.ndarray, "samples augmentations"]

# Shrinkage is complete beyond this weight; it keeps the degrees of freedom finite when samples are alike.
COMPLETE = 1e6


@dataclass(frozen=True, kw_only=True)
class Prior:
    """A normal-inverse-gamma prior of one side, per query, fitted over the samples of the references.

    variance ~ IG(shape, scale), mean given variance ~ N(center, variance / weight); each [1 augmentations].
    """

    center: Row
    weight: Row
    shape: Row
    scale: Row

    def predictive(self, side: Moments) -> tuple[Values, Values, Values]:
        """Location, squared scale and shape (half the degrees of freedom) of one more value of each sample.

        A sample without references on this side gets the prior's own prediction.
        """
        count = side.count
        mean = np.where(count > 0, side.mean, self.center)
        weight = self.weight + count
        shape = self.shape + count / 2
        shift = self.weight * count / weight * (mean - self.center) ** 2
        scale = self.scale + 0.5 * (side.squares + shift)
        location = (self.weight * self.center + count * mean) / weight
        return location, scale * (weight + 1) / (shape * weight), shape

    @staticmethod
    def log_density(x: Values, predictive: tuple[Values, Values, Values]) -> Values:
        """The log density of the predictive Student t."""
        location, squared, shape = predictive
        distinct, where = np.unique(shape, return_inverse=True)
        constant = student_constant(2 * distinct)[where.reshape(shape.shape)]
        return log_student_density(x, location, squared, constant, 2 * shape)


@dataclass(frozen=True, kw_only=True)
class StudentT(Attack):
    """log t(x; IN) - log t(x; OUT), the predictive densities under a normal-inverse-gamma prior per side.

    The exponential-family form of Brannvall 2026 (BaVarIA) with textbook conjugate updates. The prior is
    fitted by moments over the samples of this target's references: its variance has the pooled
    within-sample variance v as mean and the spread of within-sample variances, less their sampling noise, as
    spread (shape = 2 + 1 / CV^2); its mean has the average sample mean as center and v over the variance of
    sample means, less v / count, as weight. With few references the result is close to LiRA with a fixed
    variance, with many close to LiRA with one per sample, and no switch is needed in between.

    guard: in IN scales. Under heavier OUT tails the ratio falls again for very confident targets, so signals
      are cut off this far above the higher of the two locations; infinity turns the guard off.

    variance_floor: in squared logits, for references that all agree.

    Queries are scored one by one and averaged.
    """

    guard: float = 2.0
    variance_floor: float = 1e-12

    def __post_init__(self) -> None:
        check.positive("variance_floor", self.variance_floor)
        check.at_least("guard", self.guard, 0.0)

    @property
    def name(self) -> str:
        """`student-t`."""
        return "student-t"

    @property
    def paper(self) -> str:
        """Where the attack was published."""
        return "Brannvall 2026, arXiv 2603.11799 (own conjugate form)"

    @property
    def needs(self) -> Needs:
        """The scaled logit and a reference on either side."""
        return Needs(in_references=1, out_references=1, one_sided=True)

    @property
    def is_log_ratio(self) -> bool:
        """True."""
        return True

    def describe(self) -> str:
        """The small print."""
        return f"online; variance per sample, shrunk to the pooled one; upper guard {self.guard:g} scales"

    def score(self, view: AttackView) -> Float64[np.ndarray, "samples"]:
        """The log predictive ratio in nats."""
        inside, outside = fit_priors(view, self.variance_floor)
        return view.map(lambda block: self._block(block, inside, outside))

    def _block(self, view: AttackView, inside: Prior, outside: Prior) -> Float64[np.ndarray, "samples"]:
        sides = view.moments(SCALED_LOGIT)
        top, bottom = inside.predictive(sides.inside), outside.predictive(sides.outside)
        cutoff = np.maximum(top[0], bottom[0]) + self.guard * np.sqrt(top[1])
        x = np.minimum(view.target(SCALED_LOGIT), cutoff)
        return average(Prior.log_density(x, top) - Prior.log_density(x, bottom))


def fit_priors(view: AttackView, floor: float) -> tuple[Prior, Prior]:
    """The priors of IN and of OUT references, by matching moments over the samples of the view."""
    in_variance, out_variance = pooled_variances(view, SCALED_LOGIT)
    sides = view.moments(SCALED_LOGIT)
    return (
        _fit(sides.inside, np.maximum(in_variance, floor)),
        _fit(sides.outside, np.maximum(out_variance, floor)),
    )


def _fit(side: Moments, variance: Row) -> Prior:
    shape = 2 + 1 / np.maximum(_squared_variation(side, variance), 1 / COMPLETE)
    seen = side.count[:, 0] > 0
    means, count = side.mean[seen], side.count[seen]
    center = column_mean(means)
    between = column_mean((means - center) ** 2) - variance * np.mean(1 / count)
    return Prior(
        center=center,
        weight=variance / np.maximum(between, variance / COMPLETE),
        shape=shape,
        scale=variance * (shape - 1),
    )


def _squared_variation(side: Moments, variance: Row) -> Row:
    """The squared coefficient of variation of true variances: that of the seen ones less chi-square noise."""
    varied = side.count[:, 0] > 1
    freedom = side.count[varied] - 1
    if not len(freedom):
        return np.zeros_like(variance)
    seen = column_mean((side.squares[varied] / freedom / variance - 1) ** 2)
    noise = float((2 / freedom).mean())
    return (seen - noise) / (1 + noise)
