"""The loss disparity of defenses: what each loses in use, and what it gains in privacy."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float64, Int64
from scipy import special

from vestige.audits.preparation import Prepared
from vestige.designs.protection import MeasuredRow
from vestige.designs.run import folder_of
from vestige.designs.target_figures import TargetFigures, recorded_figures
from vestige.population.recorded import Recorded, recorded
from vestige.risk.estimate import Estimate
from vestige.signals.source import read

NONE = "none"
GAINED = {"auc": ("lira-online-fixed", "gained"), "loss_auc": ("loss", "gained")}


def disparity_rows(cells: Mapping[tuple[str, int], Prepared]) -> tuple[MeasuredRow, ...]:
    """Mean losses on members and others, and what is lost and gained against "none" under the same seed.

    cells: by defense and seed, all of them audited. Metrics: `train_loss` and `test_loss`, mean cross-entropy
    in nats; `lost`, accuracy on non-members without a defense less that with it; `gained`, the AUC of an
    attack without it less that with it. The last two are paired by target.
    """
    found = {key: recorded(folder_of(prepared)) for key, prepared in cells.items()}
    figures = {key: _figures(one) for key, one in found.items()}
    rows: list[MeasuredRow] = []
    for (defense, seed), one in found.items():
        estimates = _losses(one)
        if defense != NONE and (NONE, seed) in figures:
            estimates |= _against(figures[NONE, seed], figures[defense, seed])
        rows += [
            MeasuredRow(defense=defense, seed=seed, attack=attack, metric=metric, estimate=estimate)
            for (attack, metric), estimate in estimates.items()
        ]
    return tuple(rows)


def _figures(found: Recorded) -> TargetFigures:
    return recorded_figures("", found.signals, found.membership)


def _against(none: TargetFigures, own: TargetFigures) -> dict[tuple[str, str], Estimate]:
    rows = {("utility", "lost"): none.above(own, "accuracy")}
    for metric, key in GAINED.items():
        if np.isfinite(getattr(own, metric)).all():
            rows[key] = none.above(own, metric)
    return rows


def _losses(found: Recorded) -> dict[tuple[str, str], Estimate]:
    mask, clusters = found.membership.mask, found.membership.clusters()
    losses = np.stack([read(found.signals, "loss", model, -1).mean(1) for model in range(len(mask))])
    return {
        ("utility", name): _nats(_means(losses, chosen), clusters)
        for name, chosen in (("train_loss", mask), ("test_loss", ~mask))
    }


def _means(
    values: Float64[np.ndarray, "models samples"], chosen: Bool[np.ndarray, "models samples"]
) -> Float64[np.ndarray, "models"]:
    return np.where(chosen, values, 0.0).sum(1) / chosen.sum(1)


def _nats(values: Float64[np.ndarray, "models"], clusters: Int64[np.ndarray, "models"]) -> Estimate:
    """The mean with Student's interval over independent models; a loss has no upper end."""
    groups = np.array([values[clusters == one].mean() for one in np.unique(clusters)])
    mean = float(values.mean())
    if len(groups) < 2:
        return Estimate(value=mean, note="One independent model carries no interval.")
    factor = float(special.stdtrit(len(groups) - 1, 0.975))
    half = factor * float(groups.std(ddof=1)) / float(np.sqrt(len(groups)))
    return Estimate(value=mean, low=max(0.0, mean - half), high=mean + half, method="Student over models")
