"""What is done to a trained model's logits before anybody sees them."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from vestige.core import check
from vestige.models.reweighted import (
    FALLBACKS,
    QUERIES,
    Reweighted,
    class_centroids,
    pairs,
    require_centroids,
    reweight,
    threshold_of,
)

CENTROIDS = "vestige.centroids"  # their name among a model's stored weights
THRESHOLD = "vestige.threshold"


@dataclass(frozen=True, kw_only=True)
class LogitReweighting:
    """Each logit vector is pulled towards the mean member logit of the class that it predicts.

    With mu that mean and s = weight cos(z, mu), the logits z become s z + (1 - s) mu.

    hard: s = 0. clamp: s is not let below 0. fallback: for a class without a usable mean, "identity" leaves
    logits as they are; "error" raises, but only when training is over: early models have many such classes.
    """

    weight: int | float = 0.1
    hard: bool = False
    clamp: bool = True
    fallback: str = "identity"
    queries: str = "all"
    share: int | float = 0.1

    def __post_init__(self) -> None:
        check.within("logit_reweighting weight", self.weight, 0.0, 1.0)
        check.one_of("logit_reweighting fallback", self.fallback, FALLBACKS)
        check.one_of("logit_reweighting queries", self.queries, QUERIES)
        check.within("logit_reweighting share", self.share, 0.0, 1.0)

    def around(self, module: nn.Module, weights: dict[str, Tensor]) -> Reweighted:
        """The module as it is released, with the centroids among its stored weights."""
        return Reweighted(
            module,
            weights[CENTROIDS],
            weight=self.weight,
            hard=self.hard,
            clamp=self.clamp,
            threshold=float(weights[THRESHOLD]),
        )


@dataclass(frozen=True, eq=False)
class Release:
    """The output of one model, or of several at once, fitted to their own members.

    centroids: [classes classes], or [models classes classes]. threshold: [], or [models], the cosine above
      which queries keep their logits.
    """

    output: LogitReweighting
    centroids: Float[Tensor, "*models classes classes"]
    threshold: Float[Tensor, "*models"]

    @classmethod
    def of(
        cls,
        output: LogitReweighting,
        logits: Float[Tensor, "members columns"],
        labels: Int[Tensor, "members"],
    ) -> "Release":
        """Fitted to one model's logits of its members, and their labels."""
        rows = pairs(logits)
        centroids = class_centroids(rows, labels, rows.shape[-1])
        return cls(output, centroids, threshold_of(rows, centroids, output.queries, output.share))

    @classmethod
    def of_many(
        cls,
        output: LogitReweighting,
        logits: Float[Tensor, "models samples columns"],
        labels: Int[Tensor, "samples"],
        members: Sequence[Int[Tensor, "_"]],
    ) -> "Release":
        """Fitted to the logits of each model's own members."""
        found = [cls.of(output, row[own], labels[own]) for row, own in zip(logits, members, strict=True)]
        centroids = torch.stack([one.centroids for one in found])
        return cls(output, centroids, torch.stack([one.threshold for one in found]))

    def __call__(self, logits: Float[Tensor, "*models samples columns"]) -> Tensor:
        """The logits as they are released, [... samples classes]; a single logit becomes a pair."""
        rule, threshold = self.output, self.threshold.unsqueeze(-1)
        return reweight(pairs(logits), self.centroids, rule.weight, rule.hard, rule.clamp, threshold)

    def stored(self, *position: int) -> dict[str, Tensor]:
        """What is kept beside the final weights of the model at that position.

        Raises InputError where the fallback is "error" and a class has no centroid.
        """
        centroids = self.centroids[position]
        require_centroids(centroids, self.output.fallback)
        threshold = self.threshold[position]
        return {CENTROIDS: centroids.cpu().contiguous(), THRESHOLD: threshold.cpu().contiguous()}
