"""What a finished audit tells in nats: `leakage_of`, and the same within an audit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Float64, Int64, Integer

from vestige.audits.assessment import Assessment
from vestige.audits.information_agreement import FPRS, agreement, consistency
from vestige.audits.information_bracket import attack_bound, brackets
from vestige.audits.information_estimates import (
    ENSEMBLE,
    ESTIMATORS,
    Estimates,
    at_checkpoint,
    estimates,
    gap_amount,
)
from vestige.audits.information_limit import UpperLimit, upper_limit
from vestige.audits.left_out import LeftOut
from vestige.core import files
from vestige.core.errors import InputError
from vestige.data.membership import Membership
from vestige.leakage.gibbs import LossGap, loss_gap
from vestige.population.recorded import recorded
from vestige.risk.information import Information
from vestige.risk.result import AuditResult, from_json
from vestige.risk.summary import AttackSummary
from vestige.signals.source import SignalSource, read

RANDOMNESS = (
    "Random are the seeds of training and which other records each model was trained on{}: without such "
    "randomness the figures would have no finite answer."
)

Grid = Float64[np.ndarray, "models samples"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Evidence:
    """What an audit has on record: signals, coins, the attacks' figures, and how to read their scores.

    scores: gives an attack's final scores, [targets samples]. limit: what bounds it all from above.
    """

    signals: SignalSource
    membership: Membership
    ids: Integer[np.ndarray, "samples"]
    epochs: Float[np.ndarray, "checkpoints"]
    attacks: tuple[AttackSummary, ...]
    scores: Callable[[str], Float64[np.ndarray, "targets samples"]]
    limit: UpperLimit
    seed: int = 0


@dataclass(frozen=True, eq=False)
class RunLeakage:
    """What a run tells in nats: all figures, and one row per record.

    records: sample, kl, kl_reverse, mutual_information, advantage, tpr_limit_at_FPR, kl_one_variance,
      kl_neighbors, kl_reverse_neighbors, and loss_gap with its standard error where a temperature was given.
    """

    information: Information
    records: pd.DataFrame

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write leakage.parquet and leakage.json, each in one step; their paths."""
        table, figures = folder / "leakage.parquet", folder / "leakage.json"
        with files.replacing(table) as temporary:
            self.records.to_parquet(temporary, index=False)
        files.write_text(figures, self.information.to_json())
        return table, figures


def leakage_of(run_folder: str | Path, *, temperature: int | float | None = None) -> RunLeakage:
    """What the run in this folder tells in nats; trains nothing, and writes leakage.parquet and leakage.json.

    temperature: of the posterior that models are taken to be draws from, in nats of loss; it adds the gap
      of losses with and without each record over it. A network's training has no temperature of its own,
      so there is no default.

    Raises InputError for a folder without a finished run, too few models, or a temperature not above 0.
    """
    folder = Path(run_folder)
    found = measured(of_folder(folder), temperature)
    found.write(folder)
    return found


def of_folder(folder: Path) -> Evidence:
    """The evidence in a run folder. Raises InputError where there is no finished run of models."""
    past = recorded(folder)
    result, ids = _summary(folder), _ids(folder)
    if len(ids) != past.membership.num_samples:
        raise InputError(
            f"{folder}: samples.parquet has {len(ids)} rows, the models {past.membership.num_samples}"
        )
    return Evidence(
        signals=past.signals,
        membership=past.membership,
        ids=ids,
        epochs=past.epochs,
        attacks=result.attacks,
        scores=scores_in(folder, past.membership),
        limit=upper_limit(past.manifest.get("recipe"), past.membership),
        seed=past.membership.seed,
    )


def of_assessment(
    assessment: Assessment,
    attacks: tuple[AttackSummary, ...],
    folder: Path,
    recipe: Mapping[str, Any] | None,
) -> Evidence:
    """The evidence of an audit under way, whose scores are in its folder already.

    recipe: as a manifest holds it; None where it is not on record.
    """
    subject = assessment.subject
    return Evidence(
        signals=subject.signals,
        membership=subject.membership,
        ids=subject.ids,
        epochs=subject.epochs,
        attacks=attacks,
        scores=scores_in(folder, subject.membership),
        limit=upper_limit(recipe, subject.membership),
        seed=subject.seed,
    )


def scores_in(
    folder: Path, membership: Membership
) -> Callable[[str], Float64[np.ndarray, "targets samples"]]:
    """A function that reads an attack's final scores from the folder's scores.parquet."""

    def scores(attack: str) -> Float64[np.ndarray, "targets samples"]:
        path = folder / "scores.parquet"
        table = pd.read_parquet(path, columns=["score"], filters=[("attack", "==", attack)])
        return np.asarray(table["score"], np.float64).reshape(membership.mask.shape)

    return scores


def too_few(membership: Membership) -> str:
    """Why these models cannot carry an estimate; empty where they can."""
    least = int(min(membership.mask.sum(0).min(), (~membership.mask).sum(0).min()))
    if least >= ENSEMBLE.fewest:
        return ""
    return (
        f"Not estimated: a record has only {least} models on one side, and no density is fitted to fewer "
        f"than {ENSEMBLE.fewest}. Audit with more models, for example --models {3 * ENSEMBLE.fewest}."
    )


def measured(evidence: Evidence, temperature: int | float | None = None) -> RunLeakage:
    """What the evidence tells in nats. Raises InputError where there are too few models."""
    if reason := too_few(evidence.membership):
        raise InputError(f"models={evidence.membership.num_models}: {reason}")
    last = len(evidence.epochs) - 1
    values = of_all_models(evidence, "scaled_logit", last)
    mask, left_out = evidence.membership.mask, LeftOut.of(evidence.membership.clusters())
    found = estimates(values, mask, left_out, evidence.seed)
    told = _information(evidence, found, left_out)
    if temperature is None:
        return RunLeakage(told, _records(evidence, found, None))
    losses = of_all_models(evidence, "loss", last)
    gap = loss_gap(losses, mask, temperature)
    amounts = (*told.amounts, gap_amount(gap, losses, mask, left_out))
    told = replace(told, amounts=amounts, notes=(*told.notes, *gap.notes))
    return RunLeakage(told, _records(evidence, found, gap))


def of_all_models(evidence: Evidence, signal: str, checkpoint: int) -> Grid:
    """A signal of every model at a checkpoint, mean over a record's queries; NaN where not finite."""
    models = range(evidence.membership.num_models)
    values = np.stack([read(evidence.signals, signal, model, checkpoint).mean(1) for model in models])
    return np.where(np.isfinite(values), values, np.nan)


def _information(evidence: Evidence, found: Estimates, left_out: LeftOut) -> Information:
    membership, headline = evidence.membership, evidence.attacks[0]
    mask, clusters = membership.mask, membership.clusters()
    bounds, agreements = [], []
    for name in (summary.attack for summary in evidence.attacks):
        scores = evidence.scores(name)
        bounds.append(attack_bound(name, scores, mask, clusters, len(evidence.attacks), evidence.seed))
        agreements.append(agreement(name, scores, mask, found.normal.kl, found.replicates, left_out))
    return Information(
        records=membership.num_samples,
        models=membership.num_models,
        clusters=len(np.unique(clusters)),
        models_in=int(mask.sum(0).min()),
        models_out=int((~mask).sum(0).min()),
        headline=headline.attack,
        randomness=RANDOMNESS.format(", and the noise of private training" if evidence.limit.leakage else ""),
        source_of_upper=evidence.limit.reason,
        estimators=tuple(ESTIMATORS.values()),
        amounts=tuple(found.amounts.values()),
        attack_bounds=tuple(bounds),
        brackets=brackets(tuple(bounds), found, evidence.limit),
        agreements=tuple(agreements),
        consistency=consistency(headline, found.normal.kl, found.normal.kl_reverse),
        by_checkpoint=tuple(
            at_checkpoint(of_all_models(evidence, "scaled_logit", c), mask, left_out, float(epoch))
            for c, epoch in enumerate(evidence.epochs)
        ),
        notes=tuple(dict.fromkeys(n for leakage in found.by_estimator.values() for n in leakage.notes)),
    )


def _records(evidence: Evidence, found: Estimates, gap: LossGap | None) -> pd.DataFrame:
    normal, neighbors = found.normal, found.by_estimator["neighbors"]
    columns = {
        "sample": evidence.ids,
        "kl": normal.kl,
        "kl_reverse": normal.kl_reverse,
        "mutual_information": normal.mutual_information,
        "advantage": normal.advantage,
        **{f"tpr_limit_at_{fpr:g}": normal.tpr_bound(fpr) for fpr in FPRS},
        "kl_one_variance": found.by_estimator["one_variance"].kl,
        "kl_neighbors": neighbors.kl,
        "kl_reverse_neighbors": neighbors.kl_reverse,
    }
    if gap is not None:
        columns |= {"loss_gap": gap.jeffreys, "loss_gap_error": gap.standard_error}
    return pd.DataFrame(columns)


def _summary(folder: Path) -> AuditResult:
    try:
        return from_json((folder / "summary.json").read_text(encoding="utf-8"))
    except OSError:
        raise InputError(
            f"{folder} has no summary.json: its audit did not finish; run the same command again"
        ) from None


def _ids(folder: Path) -> Int64[np.ndarray, "samples"]:
    try:
        return pd.read_parquet(folder / "samples.parquet", columns=["sample"])["sample"].to_numpy(np.int64)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{folder}/samples.parquet cannot be read; run the audit again ({error})") from None
