"""Scores of single weights, gathered by region: what privacy hangs on, and what fitting hangs on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from vestige.audits.opened import opened
from vestige.audits.step import Listener, counted
from vestige.core import seeds
from vestige.models.regions import Region
from vestige.population.plan import Plan
from vestige.population.store import Store
from vestige.risk.estimate import Estimate, unsupported
from vestige.risk.target_mean import target_mean
from vestige.training.critical import set_apart, weight_scores
from vestige.training.engine import Material, initialized
from vestige.training.reopened import as_trained

Shares = Float64[np.ndarray, "models regions"]


@dataclass(frozen=True, kw_only=True, eq=False)
class RegionScores:
    """What the scores of weights add up to in each region.

    privacy, learnability: the region's shares of the network's total, 0 to 1.
    correlation: Pearson's, of the two scores of a weight, over the weights of the region.
    weights: the region's share of all weights that learn, above 0 and up to 1.
    """

    privacy: Shares
    learnability: Shares
    correlation: Shares
    weights: Float64[np.ndarray, "regions"]
    clusters: Int64[np.ndarray, "models"]

    def estimates(self, region: int) -> dict[str, Estimate]:
        """The mean over models of each figure of one region, by its name.

        "privacy" and "generalization" are scores per parameter over the network's mean, so 1 is like the
        whole: the share of the score over that of the weights.
        """
        shares = [self._mean(values[:, region]) for values in (self.privacy, self.learnability)]
        each = [share.scaled(1 / float(self.weights[region])) for share in shares]
        return {
            "privacy": each[0],
            "generalization": each[1],
            "privacy_share": shares[0],
            "generalization_share": shares[1],
            "correlation": self._mean(self.correlation[:, region], -1.0),
        }

    def _mean(self, values: Float64[np.ndarray, "models"], least: float = 0.0) -> Estimate:
        if np.isnan(values).any():
            return unsupported("In a model all weights of the region have the same score.")
        return target_mean(values, self.clusters, "models trained without a defense", least=least)


def region_scores(plan: Plan, store: Store, regions: Sequence[Region], listener: Listener) -> RegionScores:
    """The scores of every model's weights, gathered by region."""
    material = Material.of(plan.dataset, torch.device(plan.device))
    models = range(plan.membership.num_models)
    rows: list[Float64[np.ndarray, "figures regions"]] = []
    for model, module in counted(
        opened(plan, store, material, models), "score weights", len(models), "models", listener
    ):
        initial = as_trained(plan.recipe, initialized(plan.recipe, material, plan.seed, model)).eval()
        members = torch.from_numpy(np.flatnonzero(plan.membership.mask[model])).to(material.device)
        apart = set_apart(members, seeds.derive(plan.seed, "members set apart", model))
        privacy, learnability = weight_scores(module, initial, material, members, apart)
        rows.append(_gathered(regions, privacy, learnability))
    shares, learned, correlation, weights = np.stack(rows, 1)
    clusters = np.asarray(plan.membership.clusters(), np.int64)
    return RegionScores(
        privacy=shares, learnability=learned, correlation=correlation, weights=weights[0], clusters=clusters
    )


def _gathered(
    regions: Sequence[Region], privacy: Mapping[str, Tensor], learnability: Mapping[str, Tensor]
) -> Float64[np.ndarray, "figures regions"]:
    """Of each region the two shares, the correlation, and the share of all weights."""
    ours = [_flat(privacy, region) for region in regions]
    theirs = [_flat(learnability, region) for region in regions]
    total, fitted = sum(float(v.sum()) for v in ours), sum(float(v.sum()) for v in theirs)
    weights = sum(len(v) for v in ours)
    return np.array(
        [
            [v.sum() / total for v in ours],
            [v.sum() / fitted for v in theirs],
            [_correlation(*pair) for pair in zip(ours, theirs, strict=True)],
            [len(v) / weights for v in ours],
        ]
    )


def _flat(scores: Mapping[str, Tensor], region: Region) -> Float64[np.ndarray, "weights"]:
    values = [scores[name].flatten().double().cpu().numpy() for name in region.parameters if name in scores]
    return np.concatenate(values)


def _correlation(one: Float64[np.ndarray, "weights"], other: Float64[np.ndarray, "weights"]) -> float:
    if not (one.std() > 0 and other.std() > 0):
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])
