"""Members that a defense treats apart, and those that it does not: who is more exposed than without it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64, Int64

from vestige.audits.preparation import Prepared
from vestige.designs.protection import MeasuredRow
from vestige.designs.run import folder_of
from vestige.population.store import Store
from vestige.risk.estimate import Estimate, unsupported
from vestige.risk.target_mean import target_mean
from vestige.stats.roc import roc
from vestige.training.flagged import TREATED
from vestige.training.treatment import Treatment

NONE = "none"
FPR = 0.01
METRICS = (f"tpr@{FPR:g}", "auc")
Masks = Bool[np.ndarray, "targets samples"]


@dataclass(frozen=True, eq=False)
class Groups:
    """The members of every target that were treated, and the others; and which targets are independent."""

    member: Masks
    treated: Masks
    clusters: Int64[np.ndarray, "targets"]

    @property
    def by_name(self) -> dict[str, Masks]:
        """The groups that have somebody in every target."""
        found = {"treated": self.treated, "untreated": self.member & ~self.treated}
        return {name: mask for name, mask in found.items() if mask.any(1).all()}


def treated_rows(cells: Mapping[tuple[str, int], Prepared], headline: str) -> tuple[MeasuredRow, ...]:
    """The figures of treated and untreated members, after the defense and before it, by defense and seed.

    cells: by defense and seed, all of them audited; before is "none" under the same seed, whose targets have
    the same members. metric: `tpr@0.01_untreated` under the defense, `..._untreated_before` under "none",
    and `..._untreated_change`, their difference paired by target, above 0 where they became more exposed;
    `auc` and `treated` likewise. A treated member that was dropped counts as a member.
    """
    return tuple(
        MeasuredRow(defense=defense, seed=seed, attack=headline, metric=metric, estimate=estimate)
        for (defense, seed), prepared in cells.items()
        if prepared.plan.recipe.treatment is not None
        for metric, estimate in _figures(prepared, cells.get((NONE, seed)), headline).items()
    )


def statement(treatment: Treatment) -> str:
    """One line on who is treated and how, and on what counts as a member."""
    how = {"down_weight": " times ", "smooth": " by ", "augment": " with deviation "}.get(treatment.action)
    strength = "" if how is None else f"{how}{treatment.strength:g}"
    models = "1 model" if treatment.proxies == 1 else f"{treatment.proxies} models"
    said = (
        f"{100 * treatment.share:g} % of each model's own members are flagged by {treatment.flag} under "
        f"{models} trained before it, and treated: {treatment.action}{strength}."
    )
    if treatment.action != "drop":
        return said
    return (
        f"{said} A dropped record still counts as a member: the model was not trained on it, but it is among "
        "the data, and it had a part in who was dropped."
    )


def _figures(prepared: Prepared, none: Prepared | None, headline: str) -> dict[str, Estimate]:
    groups = _groups(prepared)
    after = _of_groups(prepared, groups, headline)
    before = {} if none is None else _of_groups(none, groups, headline)
    rows: dict[str, Estimate] = {}
    for name, values in after.items():
        rows[name] = _mean(values, groups)
        if name in before:
            rows[f"{name}_before"] = _mean(before[name], groups)
            rows[f"{name}_change"] = _mean(values - before[name], groups, least=-1.0)
    return rows


def _groups(prepared: Prepared) -> Groups:
    plan = prepared.plan
    store = Store.of(plan, folder_of(prepared))
    flags = [store.weights(model)[TREATED].numpy() for model in range(plan.membership.num_models)]
    return Groups(plan.membership.mask, np.stack(flags), plan.membership.clusters())


def _of_groups(
    prepared: Prepared, groups: Groups, headline: str
) -> dict[str, Float64[np.ndarray, "targets"]]:
    """Metric and group: the figure of each target, of the group's members against all its non-members."""
    scores = _scores(folder_of(prepared), headline, groups.member.shape)
    found: dict[str, Float64[np.ndarray, "targets"]] = {}
    for group, chosen in groups.by_name.items():
        rows = zip(scores, groups.member, chosen | ~groups.member, strict=True)
        curves = [roc(row[kept], coin[kept]) for row, coin, kept in rows]
        found[f"{METRICS[0]}_{group}"] = np.array(
            [c.tpr_at(FPR) if c.supports(FPR) else np.nan for c in curves]
        )
        found[f"{METRICS[1]}_{group}"] = np.array([curve.auc for curve in curves])
    return found


def _scores(folder: Path, headline: str, shape: tuple[int, ...]) -> Float64[np.ndarray, "targets samples"]:
    table = pd.read_parquet(folder / "scores.parquet", filters=[("attack", "==", headline)])
    return np.asarray(table["score"], np.float64).reshape(shape)


def _mean(values: Float64[np.ndarray, "targets"], groups: Groups, least: float = 0.0) -> Estimate:
    if np.isnan(values).any():
        return unsupported(f"A target has fewer than {round(1 / FPR)} non-members.")
    return target_mean(values, groups.clusters, "own thresholds", least=least)
