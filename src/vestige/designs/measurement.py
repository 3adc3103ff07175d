"""What is measured of one defense under one seed, beside its audit."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from vestige.attacks.score import score
from vestige.audits.adaptive import Adapted, adapted, is_adaptable
from vestige.audits.distances import Survey, distances
from vestige.audits.inversion import Inversion
from vestige.audits.label_only import noise_robustness
from vestige.audits.preparation import Prepared
from vestige.audits.wrong_classes import wrong_class_spreads
from vestige.designs.comparison import accuracies
from vestige.designs.treated import statement as who_is_treated
from vestige.population.recorded import Recorded, recorded
from vestige.population.store import Store
from vestige.report.protection_figures import Key, LossRanks
from vestige.risk.calibration import recorded_calibration
from vestige.risk.estimate import Estimate, unsupported
from vestige.risk.known import known_members
from vestige.risk.rank_agreement import rank_agreement
from vestige.risk.result import AuditResult
from vestige.risk.summary import AttackSummary, summarize
from vestige.risk.target_mean import target_mean
from vestige.signals.source import read
from vestige.stats.roc import roc
from vestige.training.accounting import limits, statement

FPRS = (0.01, 0.001)
MOST_REOPENED = 8  # models that are opened again to be measured; four pairs, each with an interval of its own
LIKELIHOOD_RATIO = "lira-online-fixed"
WORST = 0.01  # the share of the records that counts as the most exposed


@dataclass(frozen=True)
class Measures:
    """Which slow figures are measured; each opens the models again.

    distance: the distance to confident. labels: the attack on predicted classes alone, and wrong classes.
    """

    distance: bool = True
    labels: bool = True


def measured(
    prepared: Prepared, result: AuditResult, folder: Path, measures: Measures
) -> dict[Key, Estimate]:
    """By (attack, metric): attacks, use, the attacker who knows some members, the worst case, distances."""
    found = recorded(folder)
    rows: dict[Key, Estimate] = {}
    for summary in result.attacks:
        rows |= _attack(summary, summary.attack)
    rows |= _use(result, found)
    rows["utility", "seconds"] = _seconds(prepared, folder)
    rows |= _known(found, prepared.plan.seed)
    if is_adaptable(prepared.plan.recipe):
        rows |= _adaptive(prepared, folder)
    if prepared.plan.recipe.output is not None:
        rows |= _inverted(prepared, folder)
    if measures.labels:
        rows |= _reopened(prepared, folder)
    rows |= _worst(folder, result.headline.attack)
    if prepared.canaries is not None:
        rows |= canary_figures(folder, result.headline.attack, prepared.canaries, found, prepared.plan.seed)
    if measures.distance:
        rows |= _distance(prepared, folder)
    return rows


def notes_of(prepared: Prepared) -> tuple[str, ...]:
    """What a reader should know about the defense itself."""
    recipe = prepared.plan.recipe
    if recipe.treatment is not None:
        return (who_is_treated(recipe.treatment),)
    if not recipe.privacy:
        return ()
    fewest = int(prepared.plan.membership.mask.sum(1).min())
    terms = statement if recipe.routing is None else limits
    stated = terms(recipe.privacy, fewest, recipe.batch_size, recipe.epochs)
    return tuple(f"{name}: {value}" for name, value in stated)


def _attack(summary: AttackSummary, name: str) -> dict[Key, Estimate]:
    rates = {fpr: summary.at(fpr) for fpr in FPRS}
    tprs = {f"tpr@{fpr:g}": rate.tpr for fpr, rate in rates.items() if rate is not None}
    figures = {"auc": summary.auc, "advantage": summary.advantage, **tprs}
    return {(name, metric): estimate for metric, estimate in figures.items()}


def _use(result: AuditResult, found: Recorded) -> dict[Key, Estimate]:
    """Accuracy on members and others, and calibration on the others."""
    rows: dict[Key, Estimate] = {("utility", name): estimate for name, estimate in accuracies(result).items()}
    if "top_confidence" in found.signals.names:
        error = recorded_calibration(found.signals, found.membership)
        rows["utility", "ece"] = error.non_members_estimate
    return rows


def _seconds(prepared: Prepared, folder: Path) -> Estimate:
    """Processor seconds per model, training and measuring together."""
    store = Store.of(prepared.plan, folder)
    values = [store.seconds(model) for model in range(prepared.plan.membership.num_models)]
    median = float(np.median(values))
    return unsupported("not on record") if np.isnan(median) else Estimate(value=median)


def _known(found: Recorded, seed: int) -> dict[Key, Estimate]:
    """The two loss attacks of Kaya, Hong and Dumitras 2020, with 100 + 100 known samples."""
    scores = -_losses(found)
    gained = known_members(scores, found.membership.mask, found.membership.clusters(), seed=seed)
    return {
        ("loss-average", "advantage"): gained.average.estimate,
        ("loss-powerful", "advantage"): gained.powerful.estimate,
    }


def _adaptive(prepared: Prepared, folder: Path) -> dict[Key, Estimate]:
    """The attackers who know the defense: they ask as training asked, and look at the loss it minimized."""
    found = adapted(prepared.plan, Store.of(prepared.plan, folder))
    return _informed(found, prepared, "adaptive")


def _inverted(prepared: Prepared, folder: Path) -> dict[Key, Estimate]:
    """The attackers who undo what is done to the logits, with the true class means or with estimated ones."""
    plan, rows = prepared.plan, dict[Key, Estimate]()
    store = Store.of(plan, folder)
    for name, estimated in (("inversion", False), ("inversion-estimated", True)):
        found = adapted(plan, store, undo=Inversion(estimated=estimated, seed=plan.seed))
        rows |= _informed(found, prepared, name)
        note = "share of outputs that were undone; the others are taken as they are"
        rows[f"lira-{name}", "undone"] = Estimate(value=float(found.undone.mean()), note=note)
    return rows


def _informed(found: Adapted, prepared: Prepared, name: str) -> dict[Key, Estimate]:
    """What those gain who know the defense: from some known members, and by references that have it too."""
    membership, seed = prepared.plan.membership, prepared.plan.seed
    clusters = membership.clusters()
    gained = known_members(-found.losses, membership.mask, clusters, seed=seed)
    rows: dict[Key, Estimate] = {(f"loss-{name}", "advantage"): gained.powerful.estimate}
    if len(np.unique(clusters)) < 2:  # a pair alone has no references
        return rows
    scores = score(found.statistic, membership, LIKELIHOOD_RATIO).values
    summary = summarize(scores, membership.mask, clusters, attack=f"lira-{name}", seed=seed)
    return rows | _attack(summary, f"lira-{name}")


def _reopened(prepared: Prepared, folder: Path) -> dict[Key, Estimate]:
    """What the first models tell beyond their recorded signals: labels alone, and wrong classes."""
    plan, store = prepared.plan, Store.of(prepared.plan, folder)
    models = min(MOST_REOPENED, plan.membership.num_models)
    member, clusters = plan.membership.mask[:models], plan.membership.clusters()[:models]
    robust = noise_robustness(plan, store, models)
    known = known_members(robust, member, clusters, seed=plan.seed)
    rows = {
        ("label-only", "auc"): target_mean(_aucs(robust, member), clusters, f"{models} models"),
        ("label-only", "advantage"): known.powerful.estimate,
    }
    if plan.dataset.num_classes < 3:
        return rows
    spread = wrong_class_spreads(plan, store, models)
    for name, chosen in (("spread_members", member), ("spread_non_members", ~member)):
        rows["wrong-classes", name] = target_mean(_means(spread, chosen), clusters, f"{models} models")
    return rows


def _means(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """The mean of each row over the chosen samples."""
    return np.where(chosen, values, 0.0).sum(1) / chosen.sum(1)


def _losses(found: Recorded) -> np.ndarray:
    """The loss of every sample under every model at the end, mean over queries, [models samples]."""
    last = len(found.epochs) - 1
    models = range(found.signals.shape[0])
    return np.stack([read(found.signals, "loss", model, last).mean(1) for model in models])


def _worst(folder: Path, headline: str) -> dict[Key, Estimate]:
    """The mean rates of the most exposed records; chosen by the same models, so there is no interval."""
    table = pd.read_parquet(folder / "samples.parquet")
    top = table.nlargest(max(1, round(WORST * len(table))), "vulnerability")
    note = "chosen by the figure that is shown"
    high = float(np.mean(np.asarray(table["region"]) == "High"))
    rates = {name: float(np.mean(np.asarray(top[name]))) for name in ("tpr", "fpr")}
    return {
        (headline, "worst_tpr"): Estimate(value=rates["tpr"], note=note),
        (headline, "worst_fpr"): Estimate(value=rates["fpr"], note=note),
        (headline, "high_share"): Estimate(value=high, note="share of records in the region High"),
    }


def _distance(prepared: Prepared, folder: Path) -> dict[Key, Estimate]:
    """The distance to confident as an attack, beside the loss at the same records of the same models."""
    survey = Survey(models=min(MOST_REOPENED, prepared.plan.membership.num_models))
    found = distances(prepared.plan, folder, survey)
    if found.note:
        return {("distance", "auc"): unsupported(found.note)}
    by_distance, by_loss = (_aucs(scores, found.member) for scores in (found.scores, -found.losses))
    gained = known_members(found.scores, found.member, found.clusters, seed=prepared.plan.seed)
    by_known_loss = known_members(-found.losses, found.member, found.clusters, seed=prepared.plan.seed)

    def mean(values: np.ndarray, least: float) -> Estimate:
        return target_mean(values, found.clusters, f"{len(values)} models", least=least)

    return {
        ("distance", "auc"): mean(by_distance, 0.0),
        ("loss-same-records", "auc"): mean(by_loss, 0.0),
        ("distance", "gain"): mean(by_distance - by_loss, -1.0),
        ("distance", "advantage"): gained.powerful.estimate,
        ("loss-same-records", "advantage"): by_known_loss.powerful.estimate,
    }


def _aucs(scores: np.ndarray, member: np.ndarray) -> np.ndarray:
    """The AUC of each target, [targets]; NaN scores are left out."""
    return np.array([roc(row, coin).auc for row, coin in zip(scores, member, strict=True)])


def canary_figures(
    folder: Path, headline: str, canaries: np.ndarray, found: Recorded, seed: int
) -> dict[Key, Estimate]:
    """The headline attack on the canaries alone."""
    scores = pd.read_parquet(folder / "scores.parquet", filters=[("attack", "==", headline)])
    values = np.asarray(scores["score"], np.float64).reshape(found.membership.mask.shape)
    summary = summarize(
        values[:, canaries],
        found.membership.mask[:, canaries],
        found.membership.clusters(),
        attack=headline,
        seed=seed,
    )
    return _attack(summary, f"{headline}@canaries")


def loss_ranks(cells: Mapping[tuple[str, int], Prepared]) -> LossRanks | None:
    """The loss rank correlations of all defenses under the first seed.

    None with fewer than two defenses, or a single pair of models.
    """
    first = min((seed for _, seed in cells), default=0)
    chosen = {defense: prepared for (defense, seed), prepared in cells.items() if seed == first}
    if len(chosen) < 2:
        return None
    folders = {defense: prepared.options.out for defense, prepared in chosen.items()}
    found = {defense: recorded(folder) for defense, folder in folders.items() if folder is not None}
    membership = next(iter(found.values())).membership
    if len(np.unique(membership.clusters())) < 2:  # the halves of a pair have no members in common
        return None
    ranks = rank_agreement(
        {defense: _losses(one) for defense, one in found.items()}, membership.mask, membership.clusters()
    )
    return LossRanks(names=ranks.mechanisms, values=ranks.values)
