"""Scores of single weights, gathered by region: what privacy hangs on, and what fitting hangs on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64, Int64
from torch import Tensor, nn
from torch.nn import functional

from vestige.audits.opened import opened
from vestige.audits.step import Listener, counted
from vestige.core import seeds
from vestige.models.regions import Region
from vestige.population.plan import Plan
from vestige.population.store import Store
from vestige.risk.estimate import Estimate, unsupported
from vestige.risk.target_mean import target_mean
from vestige.training.engine import Material, initialized
from vestige.training.reopened import as_trained
from vestige.training.sequential import as_columns

TRADE = 0.5  # ours: the share of the distance to the initialization in what privacy hangs on
APART = 0.1  # of a model's own members, on which that distance is measured
BATCH = 128
Shares = Float64[np.ndarray, "models regions"]


@dataclass(frozen=True, kw_only=True, eq=False)
class RegionScores:
    """What the scores of weights add up to in each region.

    privacy, learnability: the region's shares of the network's total, 0 to 1.
    relative: the mean privacy score per parameter over the network's mean; 1 = like the whole.
    correlation: Pearson's, of the two scores of a weight, over the weights of the region.
    """

    privacy: Shares
    learnability: Shares
    relative: Shares
    correlation: Shares
    clusters: Int64[np.ndarray, "models"]

    def estimates(self, region: int) -> dict[str, Estimate]:
        """The mean over models of each figure of one region, by its name."""
        largest = max(1.0, float(self.relative[:, region].max()))  # intervals end at 1
        return {
            "privacy": self._mean(self.privacy[:, region]),
            "generalization": self._mean(self.learnability[:, region]),
            "relative": self._mean(self.relative[:, region] / largest).scaled(largest),
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
        apart = seeds.generator(plan.seed, "members set apart", model).random(len(members)) < APART
        privacy, learnability = weight_scores(
            module, initial, material, members, members[torch.from_numpy(apart).to(material.device)]
        )
        rows.append(_gathered(regions, privacy, learnability))
    shares, learned, relative, correlation = np.stack(rows, 1)
    clusters = np.asarray(plan.membership.clusters(), np.int64)
    return RegionScores(
        privacy=shares, learnability=learned, relative=relative, correlation=correlation, clusters=clusters
    )


def weight_scores(
    module: nn.Module,
    initial: nn.Module,
    material: Material,
    members: Tensor,
    apart: Tensor,
    trade: int | float = TRADE,
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """How much privacy and how much fitting hang on each weight: |gradient times weight| by parameter name.

    Both add up the absolute products over batches of one pass, in evaluation mode. Fitting: the
    cross-entropy of the members. Privacy: (1 - trade) times it plus trade times the Kullback-Leibler
    divergence from the initial model's answers to the model's, on members set apart; a reconstruction of the
    scores of critical-weight rewinding and freezing (arXiv 2603.13186), from a third party's account of it.

    module, initial: in evaluation mode. members, apart: indices of samples.
    """
    names = [name for name, value in module.named_parameters() if value.is_floating_point()]
    weights = [module.get_parameter(name) for name in names]
    privacy = [torch.zeros_like(weight) for weight in weights]
    learnability = [torch.zeros_like(weight) for weight in weights]
    parts = max(1, len(members) // BATCH)
    for own, held in zip(members.tensor_split(parts), _turns(apart, parts), strict=True):
        with torch.enable_grad():
            fitting = _gradients(_fit(module, material, own), weights)
            moved = _gradients(_moved(module, initial, material, held), weights)
        for place, weight in enumerate(weights):
            blended = (1 - trade) * fitting[place] + trade * moved[place]
            learnability[place] += (fitting[place] * weight).abs()
            privacy[place] += (blended * weight).abs()
    return dict(zip(names, privacy, strict=True)), dict(zip(names, learnability, strict=True))


def _turns(apart: Tensor, parts: int) -> list[Tensor]:
    """Those set apart in as many batches, each of them somewhere; all of them in each where they are few."""
    return list(apart.tensor_split(parts)) if len(apart) >= parts else [apart] * parts


def _fit(module: nn.Module, material: Material, chosen: Tensor) -> Tensor:
    return functional.cross_entropy(_logits(module, material, chosen), material.targets[chosen])


def _moved(module: nn.Module, initial: nn.Module, material: Material, chosen: Tensor) -> Tensor:
    """The mean divergence from the initial model's answers to the model's, in nats; 0 for nobody."""
    if not len(chosen):
        return _logits(module, material, material.targets.new_zeros(1)).sum() * 0
    with torch.no_grad():
        before = _logits(initial, material, chosen).log_softmax(-1)
    now = _logits(module, material, chosen).log_softmax(-1)
    return functional.kl_div(before, now, reduction="batchmean", log_target=True)


def _logits(module: nn.Module, material: Material, chosen: Tensor) -> Tensor:
    return as_columns(module(material.inputs[chosen]).float())


def _gradients(loss: Tensor, weights: Sequence[Tensor]) -> list[Tensor]:
    return list(torch.autograd.grad(loss, weights, allow_unused=True, materialize_grads=True))


def _gathered(
    regions: Sequence[Region], privacy: Mapping[str, Tensor], learnability: Mapping[str, Tensor]
) -> Float64[np.ndarray, "figures regions"]:
    """Of each region the two shares, the mean per parameter over the whole's, and the correlation."""
    ours = [_flat(privacy, region) for region in regions]
    theirs = [_flat(learnability, region) for region in regions]
    total, fitted = sum(float(v.sum()) for v in ours), sum(float(v.sum()) for v in theirs)
    mean = total / sum(len(v) for v in ours)
    return np.array(
        [
            [v.sum() / total for v in ours],
            [v.sum() / fitted for v in theirs],
            [v.mean() / mean for v in ours],
            [_correlation(*pair) for pair in zip(ours, theirs, strict=True)],
        ]
    )


def _flat(scores: Mapping[str, Tensor], region: Region) -> Float64[np.ndarray, "weights"]:
    values = [scores[name].flatten().double().cpu().numpy() for name in region.parameters if name in scores]
    return np.concatenate(values)


def _correlation(one: Float64[np.ndarray, "weights"], other: Float64[np.ndarray, "weights"]) -> float:
    if not (one.std() > 0 and other.std() > 0):
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])
