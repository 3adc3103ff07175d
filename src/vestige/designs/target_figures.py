"""The figures of one population, target by target."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from vestige.attacks.score import score
from vestige.data.membership import Membership
from vestige.risk.estimate import Estimate, unsupported
from vestige.risk.target_mean import target_mean
from vestige.signals.source import SignalSource, loss_of, read
from vestige.stats.roc import Roc, roc

ATTACK = "lira-online-fixed"
FPR = 0.01
FEWEST_MODELS = 4
Targets = Float64[np.ndarray, "targets"]
METRICS = ("accuracy", "auc", "tpr", "loss_auc")


@dataclass(frozen=True, kw_only=True, eq=False)
class TargetFigures:
    """What was measured of each model of a population, attacked by the others.

    accuracy: on the target's non-members. auc, tpr: of the likelihood-ratio attack with references trained
    alike, tpr at 1 % FPR, NaN with fewer than 100 non-members. loss_auc: of the loss alone.
    clusters: targets with the same number are dependent by design.
    """

    name: str
    accuracy: Targets
    auc: Targets
    tpr: Targets
    loss_auc: Targets
    clusters: Int64[np.ndarray, "targets"]

    def mean(self, metric: str) -> Estimate:
        """The mean of a metric over targets, with its interval."""
        return _estimate(getattr(self, metric), self.clusters, 0.0)

    def above(self, other: "TargetFigures", metric: str) -> Estimate:
        """By how much a metric lies above the other population's: the mean of differences by target."""
        return _estimate(getattr(self, metric) - getattr(other, metric), self.clusters, -1.0)


def figures(
    name: str,
    scaled_logits: Float64[np.ndarray, "models samples"],
    correct: Bool[np.ndarray, "models samples"],
    membership: Membership,
) -> TargetFigures:
    """The figures of models that answered so; every model is a target in turn.

    With fewer than 4 models there are no references, and auc and tpr are NaN.
    """
    member = membership.mask
    ratios: list[Roc] = []
    if len(member) >= FEWEST_MODELS:
        scores = score(scaled_logits, membership, ATTACK).values
        ratios = [roc(*pair) for pair in zip(scores, member, strict=True)]
    losses = [roc(*pair) for pair in zip(-loss_of(scaled_logits), member, strict=True)]
    return TargetFigures(
        name=name,
        accuracy=np.where(member, 0.0, correct).sum(1) / (~member).sum(1),
        auc=_of_each(ratios, len(member), lambda curve: curve.auc),
        tpr=_of_each(ratios, len(member), lambda curve: curve.tpr_at(FPR) if curve.supports(FPR) else np.nan),
        loss_auc=np.array([curve.auc for curve in losses]),
        clusters=np.asarray(membership.clusters(), np.int64),
    )


def recorded_figures(name: str, signals: SignalSource, membership: Membership) -> TargetFigures:
    """The figures of a population from its signals at the end, mean over queries."""
    models = range(membership.num_models)
    logits = np.stack([read(signals, "scaled_logit", model, -1).mean(1) for model in models])
    right = np.stack([read(signals, "correct", model, -1).mean(1) for model in models])
    return figures(name, logits, right > 0.5, membership)


def _of_each(curves: list[Roc], models: int, figure: Callable[[Roc], float]) -> Targets:
    return np.array([figure(curve) for curve in curves]) if curves else np.full(models, np.nan)


def _estimate(values: Targets, clusters: Int64[np.ndarray, "targets"], least: float) -> Estimate:
    if np.isnan(values).any():
        return unsupported(f"A target has no references, or fewer than {round(1 / FPR)} non-members.")
    return target_mean(values, clusters, "each target's own figure", least=least)
