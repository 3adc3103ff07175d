"""What a tracker says in a few lines."""

from vestige.core.errors import InputError
from vestige.risk.estimate import Estimate
from vestige.tracking.comparison import exposed_in, notes
from vestige.tracking.references import References
from vestige.tracking.run import Run
from vestige.tracking.warning import HOW_TO_MEASURE, EarlyWarning, early_warning

SHARE, SIGNAL = 0.01, "loss_trace_iqr"


def summary_of(run: Run, references: References | None) -> str:
    """Plain text of 5 to 8 lines: steps, accuracy, the early warning, its precision, what to do next."""
    lines = [_steps(run), _accuracy(run), *_warning(run, references)]
    lines += [] if references is None else _exposed(run, references)
    return "\n".join([*lines, _next(run, references)])


def _steps(run: Run) -> str:
    members = int(run.members.sum())
    first, last = run.steps[0], run.steps[-1]
    steps = f"step {last:g}" if len(run.steps) == 1 else f"{len(run.steps)} steps ({first:g} to {last:g})"
    return f"Run {run.name}: {steps} of {run.num_samples:,} records, {members:,} trained on; {run.folder}"


def _accuracy(run: Run) -> str:
    correct = run.value("correct", -1)
    members = f"{100 * correct[run.members].mean():.1f} %"
    if run.members.all():
        return f"Accuracy at step {run.steps[-1]:g}: {members}; no record was held out to compare with."
    others = f"{100 * correct[~run.members].mean():.1f} %"
    return f"Accuracy at step {run.steps[-1]:g}: {members} on records trained on, {others} on the others."


def _warning(run: Run, references: References | None) -> list[str]:
    try:
        found = early_warning(run, references, share=SHARE, signal=SIGNAL)
    except InputError:
        return ["Early warning: one step tells nothing yet.", "Precision of the warning: not known yet."]
    return [f"Early warning: {found}", f"Precision of the warning: {_precision(found)}."]


def _precision(found: EarlyWarning) -> str:
    estimate = found.precision
    if estimate is None:
        return "not known, for nobody measured it"
    if estimate.value is None:
        return found.provenance.rstrip(".")
    chance = "" if found.chance is None else f" (a random list: {100 * found.chance:.0f} %)"
    return f"{_percent(estimate)}{chance}, {found.provenance}"


def _percent(estimate: Estimate) -> str:
    assert estimate.value is not None
    value = f"{100 * estimate.value:.0f} %"
    if estimate.low is None or estimate.high is None:
        return value
    return f"{value} (95 %: {100 * estimate.low:.0f} to {100 * estimate.high:.0f} %)"


def _exposed(run: Run, references: References) -> list[str]:
    exposed = exposed_in(run, references)
    head = ", ".join(map(str, exposed[:10].tolist())) + (", ..." if len(exposed) > 10 else "")
    against = f"under {references.attack.name} with {references.num_models} references"
    line = f"Exposed now, {against}: {len(exposed):,} records{': ' * bool(len(exposed))}{head}"
    compared = notes(run, references)
    return [line, f"Note: {compared[-1]}."] if compared else [line]


def _next(run: Run, references: References | None) -> str:
    if references is None:
        return f"Next: look at the listed records; to know who is exposed, {HOW_TO_MEASURE}."
    if run.folder.resolve().parent == references.folder.resolve():
        return f"Next: vestige score {references.folder} writes the report of this run and the others."
    return "Next: look at the exposed records; tracker.plane() shows since when they are."
