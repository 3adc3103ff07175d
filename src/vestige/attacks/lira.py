"""The likelihood-ratio attack."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from vestige.attacks.protocol import SCALED_LOGIT, Attack, Needs
from vestige.attacks.queries import average
from vestige.attacks.spread import Variance, pooled_variances
from vestige.attacks.view import AttackView
from vestige.core import check
from vestige.stats import gaussian

Values = Float64[np.ndarray, "samples augmentations"]


@dataclass(frozen=True, kw_only=True)
class LiRA(Attack):
    """The log likelihood ratio of normal fits to IN and OUT references (Carlini et al. 2022, section VI).

    online: the log density under IN minus that under OUT. Without it only OUT references are used.
    variance: "fixed" is one variance per side for all samples; "per-sample" is the unbiased variance of
      each sample's own references, at least two per side.
    fixed: "per-side" pools the OUT variance over OUT references and the IN variance over IN references;
      "shared" is one variance for both, which makes the online score linear in the target's signal.
      Pooled variances are within samples: differences between samples do not enter.
    tail: for the offline form. "one-sided" is minus the log probability that an OUT model is at least as
      confident (equation 4 of the paper, as a logarithm); "two-sided" is minus the log density under OUT,
      which also takes unusually low confidence for a sign of membership. The online form has no tail.
    center: "mean" or "median" of the references. The median holds a block of all rows at a time.
    variance_floor: in squared logits, for samples on which all references agree.

    Queries are scored one by one and their scores averaged.
    """

    online: bool = True
    variance: str = "fixed"
    fixed: str = "per-side"
    tail: str = "one-sided"
    center: str = "mean"
    variance_floor: float = 1e-12

    def __post_init__(self) -> None:
        check.one_of("variance", self.variance, ("fixed", "per-sample"))
        check.one_of("fixed", self.fixed, ("per-side", "shared"))
        check.one_of("tail", self.tail, ("one-sided", "two-sided"))
        check.one_of("center", self.center, ("mean", "median"))
        check.positive("variance_floor", self.variance_floor)

    @property
    def name(self) -> str:
        """`lira-online`, `lira-offline`, and the same with `-fixed`."""
        return f"lira-{'online' if self.online else 'offline'}{'-fixed' if self._is_fixed else ''}"

    @property
    def paper(self) -> str:
        """Where the attack was published."""
        return "Carlini et al., S&P 2022"

    @property
    def needs(self) -> Needs:
        """The scaled logit; per side one reference for a fixed variance and two for one per sample."""
        references = 1 if self._is_fixed else 2
        return Needs(in_references=references if self.online else 1, out_references=references)

    @property
    def is_log_ratio(self) -> bool:
        """True for the online forms."""
        return self.online

    def describe(self) -> str:
        """The small print."""
        pooled = "fixed, shared by both sides" if self.fixed == "shared" else "fixed per side"
        variance = f"{pooled}, pooled within samples" if self._is_fixed else "per sample, unbiased"
        form = "online" if self.online else f"offline, {self.tail}"
        return f"{form}; variance {variance}; center {self.center}"

    def score(self, view: AttackView) -> Float64[np.ndarray, "samples"]:
        """The log likelihood ratio, or offline the evidence against OUT, in nats."""
        pooled = self._pooled(view) if self._is_fixed else None
        return view.map(lambda block: average(self._queries(block, pooled)))

    @property
    def _is_fixed(self) -> bool:
        return self.variance == "fixed"

    def _pooled(self, view: AttackView) -> tuple[Variance, Variance]:
        return pooled_variances(view, SCALED_LOGIT, shared=self.fixed == "shared")

    def _queries(self, view: AttackView, pooled: tuple[Variance, Variance] | None) -> Values:
        x = view.target(SCALED_LOGIT)
        if pooled:
            in_variance, out_variance = pooled
            in_center, out_center = view.means(SCALED_LOGIT)
        else:
            sides = view.moments(SCALED_LOGIT)
            in_variance, out_variance = sides.inside.variance(), sides.outside.variance()
            in_center, out_center = sides.inside.mean, sides.outside.mean
        if self.center == "median":
            in_center, out_center = view.medians(SCALED_LOGIT)
        out_variance = np.maximum(out_variance, self.variance_floor)
        if self.online:
            in_variance = np.maximum(in_variance, self.variance_floor)
            return gaussian.log_density_ratio(x, (in_center, in_variance), (out_center, out_variance))
        if self.tail == "one-sided":
            return -gaussian.log_upper_tail(x, out_center, out_variance)
        return -gaussian.log_density(x, out_center, out_variance)
