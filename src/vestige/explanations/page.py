"""The page of an explanation, filled."""

import numpy as np

from vestige.explanations.attributed import Attributed
from vestige.explanations.found import Found
from vestige.explanations.groups import by_class, by_group
from vestige.explanations.opened_run import OpenedRun
from vestige.explanations.options import ExplainOptions
from vestige.explanations.portraits import Shown, records
from vestige.explanations.remedies import remedies
from vestige.explanations.see import logits_over_time
from vestige.explanations.who import LOW_FPR, TITLES, rankings, rules
from vestige.explanations.why import differences, label_evidence
from vestige.report.explanation_page import Attributions, ExplanationPage, Ranking
from vestige.vulnerability.vulnerable import attack_set


def page_of(run: OpenedRun, options: ExplainOptions, found: Found) -> ExplanationPage:
    """Everything that the page shows."""
    data, first, away = run.plan.dataset, found.seen[0], found.headline.vulnerability
    return ExplanationPage(
        title=f"Why these records of {data.name}",
        dataset=data.name,
        model=run.plan.recipe.model.name,
        models=run.plan.membership.num_models,
        samples=data.num_samples,
        target=first.target,
        members=len(first.samples),
        headline=found.rule,
        fpr=options.fpr,
        rules=rules(run, found.scores, found.sets),
        differences=differences(found.sets, TITLES, found.seen),
        by_class=by_class(away, data),
        by_group=None if found.groups is None else by_group(away, found.groups),
        group_title=options.group_title,
        label_check=label_evidence(run, first),
        rankings=_rankings(run, found),
        logits=logits_over_time(run, first.target),
        plot=found.plot,
        attributions=None if found.attributions is None else _attributions(found.attributions, found.shown),
        records=records(run, first, found.shown, found.vulnerable, found.scores, away, found.attributions),
        class_names=data.class_names,
        defense=remedies(run, first.target),
        notes=_notes(found),
        command=options.command(run.folder),
        python_call=options.python_call(run.folder),
        report_link="../report.html",
    )


def _rankings(run: OpenedRun, found: Found) -> tuple[Ranking, ...]:
    if "lira" not in found.scores:
        return ()
    return rankings(run, attack_set(found.scores["lira"], run.plan.membership, LOW_FPR))


def _attributions(found: Attributed, shown: Shown) -> Attributions:
    return Attributions(
        method=found.method.title,
        contrasts=found.contrasts,
        closest=np.searchsorted(shown.all, shown.closest),
        farthest=np.searchsorted(shown.all, shown.farthest),
    )


def _notes(found: Found) -> tuple[str, ...]:
    looked = () if found.attributions is None else found.attributions.notes
    notes = (*found.headline.notes, *found.seen[0].outliers.notes, *found.plot.notes, *looked)
    return tuple(dict.fromkeys(notes))
