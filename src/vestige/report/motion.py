"""What the plane over training shows, in plain words made from its numbers."""

from vestige.risk.dynamics import Association, Dynamics
from vestige.risk.estimate import Estimate
from vestige.risk.exposure import Exposure
from vestige.risk.percent import percent


def motion(found: Exposure, moved: Dynamics) -> str:
    """When the finally exposed were exposed, how fast it went, and who they are."""
    sentences = (_when(found, moved), _pace(moved), _peak(found, moved), _who(moved))
    return " ".join(sentence for sentence in sentences if sentence)


def _when(found: Exposure, moved: Dynamics) -> str:
    if found.high == 0 or found.half_by_epoch is None:
        return f"None of the {found.samples:,} records ends in {found.vulnerable}."
    first = (
        f"Of {found.samples:,} records, {found.high:,} ({percent(found.high / found.samples)}) end in "
        f"{found.vulnerable}; half of them were there to stay by epoch {found.half_by_epoch:g}."
    )
    known = _figure(moved, "known_70")
    if known is None or known.value is None:
        return first
    last = found.steps[-1].epoch
    share = f", {100 * known.value / last:.0f} % of the way through training" if last > 0 else ""
    return (
        f"{first} At epoch {known.value:g}{_between(known)}{share}, at least 70 % of them could already be "
        "named."
    )


def _pace(moved: Dynamics) -> str:
    half = _figure(moved, "half_time")
    if half is None or half.value is None:
        return ""
    return f"The mean advantage reached half of its final value at epoch {half.value:.3g}{_between(half)}."


def _peak(found: Exposure, moved: Dynamics) -> str:
    """The step of training during which most records became vulnerable per epoch."""
    curve = {c.name: c for c in moved.curves}.get("hazard_per_epoch")
    steps = [] if curve is None else list(zip(curve.epochs, curve.estimates, strict=True))
    known = [(estimate.value, epoch) for epoch, estimate in steps if estimate.value]
    if not known:
        return ""
    value, epoch = max(known)
    before = max((step.epoch for step in found.steps if step.epoch < epoch), default=0.0)
    return (
        f"Between epochs {before:g} and {epoch:g} most became vulnerable: per epoch, {percent(value)} of the "
        "records that were not so before."
    )


def _who(moved: Dynamics) -> str:
    """Which records, by the measure of hardness that goes most closely with the final advantage."""
    outcome = "final_advantage"
    rows = [a for a in moved.associations if a.outcome == outcome] or list(moved.associations[:1])
    told = [a for a in rows if a.rank_correlation.value is not None and len(a.bins) > 1]
    if not told:
        return ""
    return _hard(max(told, key=lambda a: abs(a.rank_correlation.value or 0.0)))


def _hard(row: Association) -> str:
    correlation = row.rank_correlation
    title = row.outcome_title[:1].lower() + row.outcome_title[1:]
    if (
        correlation.low is not None
        and correlation.high is not None
        and correlation.low <= 0 <= correlation.high
    ):
        return "Whether hard records are the exposed ones cannot be told from this sample."
    kind = "Hard" if (correlation.value or 0.0) > 0 else "Easy"
    return (
        f"{kind} records go with exposure: ordered by {row.measure_title.lower()}, the easiest group has a "
        f"mean {title} of {row.bins[0].outcome:.2f}, the hardest of {row.bins[-1].outcome:.2f} (rank "
        f"correlation {correlation.value:.2f}{_between(correlation, ', ', '')})."
    )


def _figure(moved: Dynamics, name: str) -> Estimate | None:
    return {figure.name: figure.estimate for figure in moved.figures}.get(name)


def _between(estimate: Estimate, start: str = " (", end: str = ")") -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    return f"{start}95 % interval {estimate.low:.3g} to {estimate.high:.3g}{end}"
