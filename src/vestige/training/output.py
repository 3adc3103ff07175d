"""What is done to a trained model's logits before anybody sees them."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from vestige.core import check
from vestige.models.reweighted import (
    FALLBACKS,
    Reweighted,
    class_centroids,
    pairs,
    require_centroids,
    reweight,
)

CENTROIDS = "vestige.centroids"  # their name among a model's stored weights


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

    def __post_init__(self) -> None:
        check.within("logit_reweighting weight", self.weight, 0.0, 1.0)
        check.one_of("logit_reweighting fallback", self.fallback, FALLBACKS)

    def around(self, module: nn.Module, weights: dict[str, Tensor]) -> Reweighted:
        """The module as it is released, with the centroids among its stored weights."""
        return Reweighted(module, weights[CENTROIDS], weight=self.weight, hard=self.hard, clamp=self.clamp)


@dataclass(frozen=True, eq=False)
class Release:
    """The output of one model, or of several at once, fitted to their own members.

    centroids: [classes classes], or [models classes classes].
    """

    output: LogitReweighting
    centroids: Float[Tensor, "*models classes classes"]

    @classmethod
    def of(
        cls,
        output: LogitReweighting,
        logits: Float[Tensor, "members columns"],
        labels: Int[Tensor, "members"],
    ) -> "Release":
        """Fitted to one model's logits of its members, and their labels."""
        rows = pairs(logits)
        return cls(output, class_centroids(rows, labels, rows.shape[-1]))

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
        return cls(output, torch.stack([one.centroids for one in found]))

    def __call__(self, logits: Float[Tensor, "*models samples columns"]) -> Tensor:
        """The logits as they are released, [... samples classes]; a single logit becomes a pair."""
        rule = self.output
        return reweight(pairs(logits), self.centroids, rule.weight, rule.hard, rule.clamp)

    def stored(self, *position: int) -> dict[str, Tensor]:
        """What is kept beside the final weights of the model at that position.

        Raises InputError where the fallback is "error" and a class has no centroid.
        """
        centroids = self.centroids[position]
        require_centroids(centroids, self.output.fallback)
        return {CENTROIDS: centroids.cpu().contiguous()}
