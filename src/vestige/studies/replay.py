"""The same models seen with other eyes: another attack, or the list that one run's trace would give."""

from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64

from vestige.attacks.catalog import by_name
from vestige.attacks.pool import Pool
from vestige.attacks.score import stream
from vestige.motion.curves import Motion, motion
from vestige.motion.traces import indicator, warning_precision
from vestige.population.recorded import Recorded, recorded
from vestige.risk.decisions import Decisions
from vestige.risk.operating_point import OperatingPoint, PopulationFPR
from vestige.risk.region import NAMED
from vestige.signals.source import read
from vestige.stats.roc import roc


def decisions_of(found: Recorded, attack: str, point: OperatingPoint | None = None) -> Decisions:
    """The decisions of an attack on a recorded population, at every checkpoint."""
    decisions = Decisions(found.membership.mask, found.epochs, point or PopulationFPR())
    for target, checkpoint, row in stream(Pool(found.signals, found.membership), by_name(attack)):
        decisions.add(target, checkpoint, row)
    return decisions


def moved(
    run_folder: Path, attack: str, point: OperatingPoint | None = None, replicates: int = 100
) -> Motion:
    """The motion under another attack or operating point, of the models that an audit trained."""
    found = recorded(run_folder)
    decisions = decisions_of(found, attack, point)
    return motion(decisions, NAMED, found.membership.clusters(), replicates=replicates)


def first_auc(run_folder: Path, attack: str) -> float:
    """The mean AUC over targets at the first checkpoint, where nothing was learned yet."""
    found = recorded(run_folder)
    rows = stream(Pool(found.signals, found.membership), by_name(attack), checkpoints=[0])
    return float(np.mean([roc(row, found.membership.mask[target]).auc for target, _, row in rows]))


def precision_of_warning(
    run_folder: Path,
    exposed: Bool[np.ndarray, "samples"],
    *,
    signal: str = "loss_trace_iqr",
    at_share: float = 0.3,
    share: float = 0.01,
) -> tuple[Float64[np.ndarray, "models"], float]:
    """Per model, how many of the records that its own trace lists end exposed; and what chance gives.

    at_share: of training that the trace covers. share: of its members that each model lists.
    """
    found, measure = recorded(run_folder), indicator(signal)
    models, checkpoints = found.signals.shape[:2]
    last = int(np.searchsorted(found.epochs, at_share * found.epochs[-1] + 1e-9, side="right")) - 1
    traces = np.stack(
        [
            [read(found.signals, measure.signal, model, t)[:, 0] for t in range(min(last + 1, checkpoints))]
            for model in range(models)
        ]
    )
    return warning_precision(
        traces, found.membership.mask, exposed, checkpoint=last, share=share, measure=measure.measure
    )
