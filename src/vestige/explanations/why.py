"""What sets the members that a rule names apart from the others, in the features of the models themselves."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64
from torch import nn

from vestige.core.errors import InputError
from vestige.explanations.opened_run import OpenedRun
from vestige.report.explanation_page import Difference
from vestige.risk.difficulty import difficulty
from vestige.risk.estimate import Estimate
from vestige.risk.target_mean import target_mean
from vestige.signals.features import described
from vestige.vulnerability.contrast import Contrast, contrast
from vestige.vulnerability.mislabelled import LabelCheck, label_check, suspicion
from vestige.vulnerability.outlierness import BY_NAME, Outlierness, outlierness, percentile
from vestige.vulnerability.vulnerable import VulnerableSets

SUSPICION, COPIED = "Suspicion of a wrong label", "Near-duplicate"


@dataclass(frozen=True, eq=False)
class Members:
    """The members of one model as it sees them.

    samples: [members], which samples they are. features: [members features], of the penultimate layer.
    predicted: [members], the classes that the model answers.
    """

    target: int
    samples: Int64[np.ndarray, "members"]
    features: Float32[np.ndarray, "members features"]
    predicted: Int64[np.ndarray, "members"]
    outliers: Outlierness

    @property
    def measures(self) -> dict[str, Float64[np.ndarray, "members"]]:
        """By title: outlierness, suspicion and near-duplicates where there are any; higher = more of it."""
        values, copied = self.outliers.values, self.outliers.near_duplicate
        titled = {BY_NAME[name].title: value for name, value in values.items()}
        titled[SUSPICION] = suspicion(values["out_of_fold_loss"], values["disagreement"])
        return titled | ({COPIED: copied.astype(np.float64)} if copied.any() else {})


def examined(run: OpenedRun, target: int, models: int) -> tuple[int, ...]:
    """The shown target and further ones, each of another pair of halves while there are such."""
    clusters = run.plan.membership.clusters()
    others = [model for model in range(len(clusters)) if model != target]
    fresh: dict[int, int] = {}
    for model in others:
        if clusters[model] != clusters[target]:
            fresh.setdefault(int(clusters[model]), model)
    return (target, *fresh.values())[:models]


def as_seen(run: OpenedRun, targets: tuple[int, ...]) -> Iterator[tuple[Members, nn.Module]]:
    """The members of each of these models in its own features, and the model, while the loop has it."""
    hard = difficulty(run.past.signals, run.plan.membership.mask).out_loss
    for target, module in run.modules(targets):
        samples = np.flatnonzero(run.plan.membership.mask[target])
        seen = described(module, run.material.inputs[samples])
        found = outlierness(seen.features, run.labels[samples], out_of_fold_loss=hard[samples])
        yield Members(target, samples, seen.features, _answers(seen.logits), found), module


def _answers(logits: Float32[np.ndarray, "members classes"]) -> Int64[np.ndarray, "members"]:
    """The class of the largest logit; a single logit speaks for class 1 above 0."""
    return (logits[:, 0] > 0).astype(np.int64) if logits.shape[1] == 1 else logits.argmax(1)


def differences(
    sets: Mapping[str, VulnerableSets], titles: Mapping[str, str], seen: tuple[Members, ...]
) -> tuple[Difference, ...]:
    """For each rule what sets its members apart: contrasts of the first model, places over all of them."""
    return tuple(
        Difference(
            rule=titles[key],
            targets=len(seen),
            contrasts=_contrasts(found, seen[0]),
            percentiles=_percentiles(found, seen),
        )
        for key, found in sets.items()
    )


def _contrasts(found: VulnerableSets, one: Members) -> tuple[Contrast, ...]:
    """None where the model gives too few away to compare."""
    try:
        return contrast(one.measures, found.sets[one.target][one.samples])
    except InputError:
        return ()


def _percentiles(found: VulnerableSets, seen: tuple[Members, ...]) -> tuple[tuple[str, Estimate], ...]:
    """The mean place of the vulnerable among the members of their model, over the models that have any."""
    some = [one for one in seen if found.sets[one.target].any()]
    if not some:
        return ()
    clusters = found.clusters[[one.target for one in some]]
    rows = [_places(found, one) for one in some]
    common = [title for title in rows[0] if all(title in row for row in rows)]
    return tuple(
        (title, target_mean(np.array([row[title] for row in rows]), clusters, "mean over models"))
        for title in common
    )


def _places(found: VulnerableSets, one: Members) -> dict[str, float]:
    named = found.sets[one.target][one.samples]
    return {title: float(np.nanmean(percentile(values)[named])) for title, values in one.measures.items()}


def label_evidence(run: OpenedRun, one: Members) -> LabelCheck | None:
    """How well suspicion finds the labels that were replaced; None where none were."""
    wrong = run.prepared.mislabelled
    if wrong is None or not wrong[one.samples].any():
        return None
    return label_check(one.measures[SUSPICION], wrong[one.samples])
