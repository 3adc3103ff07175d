"""`vestige.explain`: whom a finished audit's models give away, why, and what can be done about it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from vestige.audits.folder import claimed
from vestige.audits.step import Listener, counted, silent
from vestige.core.errors import InputError
from vestige.explanations.attributed import Attributed, Method, attributed, chosen_method
from vestige.explanations.explanation import Explanation
from vestige.explanations.found import Found
from vestige.explanations.groups import Groups, groups_of
from vestige.explanations.opened_run import Grid, OpenedRun, open_run
from vestige.explanations.options import ExplainOptions, options_from
from vestige.explanations.outputs import member_table, write
from vestige.explanations.page import page_of
from vestige.explanations.portraits import Shown, chosen
from vestige.explanations.see import embedding
from vestige.explanations.who import rule_scores, vulnerable_sets
from vestige.explanations.why import Members, as_seen, examined
from vestige.report import static_figures
from vestige.training.recipe import Recipe
from vestige.vulnerability.embedding import check_perplexity
from vestige.vulnerability.vulnerable import VulnerableSets

Value = TypeVar("Value")


def explain(
    run_folder: str | Path,
    *,
    dataset: Any = None,
    model: Any = None,
    recipe: Recipe | None = None,
    data_dir: str | Path | None = None,
    listener: Listener = silent,
    **options: Any,
) -> Explanation:
    """Why these records: whom the models of a finished audit give away, and what sets them apart.

    It reopens saved models and trains none. In the folder `explain` of the run it leaves report.html,
    explanation.json, tables as Parquet, and each figure as PNG, SVG and Parquet.

    run_folder: of an audit of images or tables.
    dataset, model, recipe: what the audit was given from Python in place of names.
    data_dir: where official files lie. options: any field of `ExplainOptions`, for example rule="lira".

    Raises InputError, before any model is opened for long, for whatever is wrong with any of them.
    """
    folder, wanted = Path(run_folder), options_from(options)
    opened = open_run(folder, dataset, model, recipe, None if data_dir is None else Path(data_dir))
    _check(opened, wanted)
    static_figures.matplotlib()  # an extra: say now if it is missing, not when all is computed
    groups = None if wanted.groups is None else groups_of(wanted.groups, opened.plan.dataset)
    method = chosen_method(opened, wanted)
    with claimed(folder):
        return _explained(opened, wanted, groups, method, listener)


def _check(run: OpenedRun, options: ExplainOptions) -> None:
    """Raise InputError for a target that there is not, or a perplexity too large for its members."""
    models = run.plan.membership.num_models
    if options.target >= models:
        raise InputError(f"target={options.target} is none of the run's models, 0 to {models - 1}")
    if options.perplexity is not None:
        members = int(run.plan.membership.mask[options.target].sum())
        check_perplexity(options.perplexity, min(members, options.points))


def _explained(
    run: OpenedRun, options: ExplainOptions, groups: Groups | None, method: Method | None, listener: Listener
) -> Explanation:
    scores = _timed(listener, "score", lambda: rule_scores(run))
    if options.rule not in scores:
        raise InputError(
            f"rule={options.rule!r} needs scores that this run has not; it has those of {', '.join(scores)}"
        )
    sets = vulnerable_sets(scores, run.plan.membership, options.fpr)
    seen, shown, attributions = _looked_at(
        run, options, sets[options.rule], scores[options.rule], method, listener
    )
    vulnerable = sets[options.rule].sets[options.target][seen[0].samples]
    plot = _timed(listener, "t-SNE", lambda: embedding(run, seen[0], vulnerable, options))
    found = Found(options.rule, scores, sets, tuple(seen), shown, attributions, plot, groups)
    page = _timed(listener, "compare", lambda: page_of(run, options, found))
    table = member_table(run, found)
    folder = run.folder / "explain"
    _timed(listener, "write", lambda: write(page, table, found, run, folder))
    return Explanation(page, table, folder)


def _looked_at(
    run: OpenedRun,
    options: ExplainOptions,
    sets: VulnerableSets,
    scores: Grid,
    method: Method | None,
    listener: Listener,
) -> tuple[list[Members], Shown, Attributed | None]:
    """The members of each examined model; of the first, who is shown, and where it looks in them."""
    models = examined(run, options.target, options.models)
    seen: list[Members] = []
    shown, attributions = None, None
    for one, module in counted(as_seen(run, models), "look", len(models), "models", listener):
        seen.append(one)
        if shown is None:
            vulnerable = sets.sets[one.target][one.samples]
            ranking = scores[one.target][one.samples]
            shown = chosen(one, run.labels[one.samples], vulnerable, ranking, options.records)
            if method is not None:
                attributions = attributed(run, one, module, method, vulnerable, shown.all)
    assert shown is not None
    return seen, shown, attributions


def _timed(listener: Listener, stage: str, work: Callable[[], Value]) -> Value:
    """What the work gives, with a step before and after it."""
    (value,) = counted((work() for _ in range(1)), stage, 1, "step", listener)
    return value
