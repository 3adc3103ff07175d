"""The records that one run is likely to expose in the end, and how far such a list can be trusted."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int

from vestige.core.errors import InputError
from vestige.motion.traces import Indicator, indicator, list_precision, most_exposed
from vestige.risk.estimate import Estimate, unsupported
from vestige.stats.intervals import t_interval
from vestige.tracking.measured import closest, shipped
from vestige.tracking.references import References
from vestige.tracking.run import Run

HOW_TO_MEASURE = "track a few runs on random halves of your data and give their folder as references="


@dataclass(frozen=True, kw_only=True, eq=False)
class EarlyWarning:
    """The members with the highest value of a trace measure, highest first.

    samples: positions in the data set. values: of the measure, in its unit; higher = more exposed.
    step: the last step that was looked at.
    precision: the share of such a list that turns out exposed, with its interval; None if nobody knows.
    chance: the precision of a random list. provenance: where these two come from.
    """

    samples: Int[np.ndarray, "listed"]
    values: Float64[np.ndarray, "listed"]
    signal: str
    share: float
    step: float
    precision: Estimate | None
    chance: float | None
    provenance: str

    def __len__(self) -> int:
        return len(self.samples)

    def __str__(self) -> str:
        head = ", ".join(map(str, self.samples[:10].tolist()))
        more = ", ..." if len(self) > 10 else ""
        return f"{len(self)} of the members, by {self.signal} up to step {self.step:g}: {head}{more}"


def early_warning(run: Run, references: References | None, *, share: float, signal: str) -> EarlyWarning:
    """The top share of the run's members by a measure of their traces.

    Raises InputError for an unknown measure, a share outside (0, 1], or too few recorded steps.
    """
    measure = indicator(signal)
    if len(run.steps) < measure.fewest_checkpoints:
        raise InputError(
            f"signal={signal!r} needs {measure.fewest_checkpoints} recorded steps and there are "
            f"{len(run.steps)}; record more, or use signal='cumulative_loss'"
        )
    values = measure.measure(run.trace(measure.signal))
    listed = most_exposed(values, run.members, share)
    precision, chance, provenance = _precision(run, references, measure, signal, share)
    return EarlyWarning(
        samples=listed,
        values=values[listed],
        signal=signal,
        share=share,
        step=run.steps[-1],
        precision=precision,
        chance=chance,
        provenance=provenance,
    )


def _precision(
    run: Run, references: References | None, measure: Indicator, signal: str, share: float
) -> tuple[Estimate | None, float | None, str]:
    if references is None:
        return _elsewhere(signal, share)
    last = references.nearest(run.steps[-1])
    if last + 1 < measure.fewest_checkpoints:
        note = f"The references have only {last + 1} checkpoint up to this step."
        return unsupported(note), None, note
    return _measured(references, measure, last, share)


def _measured(
    references: References, measure: Indicator, last: int, share: float
) -> tuple[Estimate, float | None, str]:
    """Each reference plays the run: its own list at that checkpoint against the finally exposed."""
    exposed, mask = references.exposed, references.membership.mask
    if not exposed.any():
        note = "No record is exposed among the references, so there is nothing to find."
        return unsupported(note), 0.0, note
    found: list[float] = []
    for model, members in enumerate(mask):
        values = measure.measure(references.trace(measure.signal, model, last))
        found.append(list_precision(values, members, exposed, share))
    chance = float(np.mean([exposed[members].mean() for members in mask]))
    step = f"step {references.epochs[last]:g} of {references.epochs[-1]:g}"
    provenance = f"measured on {len(mask)} reference runs of this data, at {step}"
    return _over_runs(np.array(found), references), chance, provenance


def _over_runs(found: Float64[np.ndarray, "references"], references: References) -> Estimate:
    clusters = references.membership.clusters()
    mean = float(found.mean())
    if len(set(clusters.tolist())) < 2:
        return Estimate(value=mean, note="too few independent references for an interval")
    low, high = t_interval(found, clusters)
    method = f"Student's t over {len(found)} reference runs"
    return Estimate(value=mean, low=max(0.0, min(low, mean)), high=min(1.0, max(high, mean)), method=method)


def _elsewhere(signal: str, share: float) -> tuple[Estimate | None, float | None, str]:
    row = closest(shipped(), signal, share)
    if row is None:
        return None, None, f"no precision is known for such a list; {HOW_TO_MEASURE}"
    estimate = Estimate(
        value=row.precision, low=row.low, high=row.high, method="mean over the study's models"
    )
    listed = f"top {100 * row.share:g} %"
    return estimate, row.chance, f"measured on {row.setting}, {listed}, not on your data"
