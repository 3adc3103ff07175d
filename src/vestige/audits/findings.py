"""An assessment as a result: identity, claim, verdict, exposed records, how to repeat it."""

import datetime
import platform
import sys
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np

from vestige.audits.assessment import Assessment
from vestige.risk.coverage import coverage
from vestige.risk.divergence import training_warnings
from vestige.risk.exposure import exposure
from vestige.risk.identity import NOT_SUPPLIED, Accuracy, Fact, Identity, Provenance, online_attacker
from vestige.risk.result import AuditResult
from vestige.risk.sentences import claim
from vestige.risk.verdict import Policy, judge

LIBRARIES = ("vestige", "torch", "numpy", "scipy", "scikit-learn", "pandas", "pyarrow")


@dataclass(frozen=True, kw_only=True)
class Context:
    """What the assessment itself does not know: names, recipe, cost, command, policy."""

    title: str
    model: str
    dataset: str
    num_classes: int
    class_names: tuple[str, ...]
    recipe: tuple[Fact, ...]
    cost: tuple[Fact, ...]
    policy: Policy | None
    command: str
    python_call: str
    seeds: tuple[Fact, ...]
    hashes: tuple[Fact, ...]
    timings: tuple[Fact, ...]
    warnings: tuple[str, ...]
    report: str
    release_context: str = NOT_SUPPLIED
    operator: str = NOT_SUPPLIED
    reviewer: str = NOT_SUPPLIED


def result_of(assessment: Assessment, context: Context) -> AuditResult:
    """The one object that drives terminal, JSON and report."""
    subject, headline = assessment.subject, assessment.summaries[0]
    models, checkpoints, _, augmentations = subject.signals.shape
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    references = int(subject.membership.reference_mask(0).sum(0).max())
    together = tuple(one.name for one in assessment.attacks if one.is_transductive)
    attacker = online_attacker(models, references, context.cost, together)
    training = training_warnings(subject.signals, assessment.accuracy)
    attack_warnings = tuple(w for summary in assessment.summaries for w in summary.warnings)
    return AuditResult(
        identity=Identity(
            title=context.title,
            model=context.model,
            dataset=context.dataset,
            samples=len(subject.ids),
            classes=context.num_classes,
            checkpoint=f"the end of training (epoch {subject.epochs[-1]:g})",
            date=today,
            tool_version=version("vestige"),
            operator=context.operator,
            reviewer=context.reviewer,
            release_context=context.release_context,
        ),
        recipe=context.recipe,
        attacker=attacker,
        coverage=coverage(tuple(a.name for a in assessment.attacks), augmentations, checkpoints),
        controls=assessment.controls,
        attacks=assessment.summaries,
        claim=claim(headline, attacker.summary, today),
        verdict=judge(context.policy, headline, assessment.controls),
        exposure=_exposure(assessment, context),
        dynamics=assessment.dynamics,
        accuracies=accuracies(assessment),
        warnings=(*training, *context.warnings, *assessment.plane.warnings, *attack_warnings),
        provenance=Provenance(
            command=context.command,
            python_call=context.python_call,
            seeds=context.seeds,
            versions=versions(),
            hashes=context.hashes,
            timings=context.timings,
        ),
        report=context.report,
    )


def versions() -> tuple[Fact, ...]:
    """The versions of Python and of what the figures depend on."""
    python = Fact(name="Python", value=f"{platform.python_version()} on {sys.platform}")
    return (python, *(Fact(name=name, value=version(name)) for name in LIBRARIES))


def accuracies(assessment: Assessment) -> tuple[Accuracy, ...]:
    """The models' accuracy at the last checkpoint on members and non-members, spread over models."""
    if assessment.accuracy is None:
        return ()
    parts = {"members": assessment.accuracy.train, "non-members": assessment.accuracy.test}
    return tuple(
        Accuracy(
            part=part,
            models=len(values),
            mean=float(values[:, -1].mean()),
            sd=float(values[:, -1].std(ddof=1)),
            minimum=float(values[:, -1].min()),
            maximum=float(values[:, -1].max()),
        )
        for part, values in parts.items()
    )


def _exposure(assessment: Assessment, context: Context):
    subject = assessment.subject
    labels = np.full(len(subject.ids), -1) if subject.labels is None else subject.labels
    return exposure(
        assessment.plane,
        subject.ids,
        labels,
        attack=assessment.attacks[0].name,
        class_names=context.class_names,
        scores=mean_margin(assessment),
    )


def mean_margin(assessment: Assessment) -> np.ndarray:
    """Per sample, the headline's mean score where it is a member minus the mean where it is not.

    It orders samples whose (FPR, TPR) coincide, which few models leave many of.
    """
    values, mask = assessment.headline, assessment.subject.membership.mask
    known = np.where(np.isnan(values), 0.0, values)
    return known.sum(0, where=mask) / mask.sum(0) - known.sum(0, where=~mask) / (~mask).sum(0)
