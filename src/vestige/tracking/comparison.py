"""A tracked run beside its references: who is named now, and where each sample stands."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64, Int, Shaped

from vestige.attacks.pool import Pool
from vestige.attacks.score import stream
from vestige.data.membership import Membership
from vestige.risk.decisions import Decisions
from vestige.risk.plane import Plane
from vestige.tracking.references import References
from vestige.tracking.run import Run

Row = Float64[np.ndarray, "samples"]


@dataclass(frozen=True, eq=False)
class Joined:
    """The references at one checkpoint, and after them the run at one of its steps (a `SignalSource`)."""

    references: References
    checkpoint: int
    run: Run
    place: int

    @property
    def names(self) -> tuple[str, ...]:
        """The signals that both recorded."""
        return tuple(name for name in self.run.signals if name in self.references.signals.names)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(models, 1, samples, 1)."""
        return self.references.num_models + 1, 1, self.run.num_samples, 1

    def row(self, name: str, model: int, checkpoint: int) -> Shaped[np.ndarray, "samples augmentations"]:
        """One signal of one reference, or of the run, which is the last model."""
        if model == self.references.num_models:
            return self.run.row(name, self.place)[:, None]
        return self.references.signals.row(name, model, self.checkpoint)


def plane_of(run: Run, references: References) -> Plane:
    """The plane at every step of the run; the run counts as one more model."""
    return _with_notes(_decisions(run, references, range(len(run.steps))).plane(), run, references)


def exposed_in(run: Run, references: References) -> Int[np.ndarray, "exposed"]:
    """The members of the run that it gives away at its last step and that are vulnerable on the plane."""
    decisions = _decisions(run, references, [len(run.steps) - 1])
    named = decisions.named(0)[-1]
    return np.flatnonzero(named & run.members & decisions.plane().high[0])


def notes(run: Run, references: References) -> tuple[str, ...]:
    """Which steps of the run are compared with another step of the references."""
    found: list[str] = []
    for step in run.steps:
        nearest = references.epochs[references.nearest(step)]
        if nearest != step:
            found.append(f"step {step:g} is compared with step {nearest:g} of the references")
    return tuple(found)


def _decisions(run: Run, references: References, places: Sequence[int]) -> Decisions:
    mask = np.vstack([references.membership.mask, run.members])
    decisions = Decisions(mask, run.epochs[list(places)])
    nearest = [references.nearest(run.steps[place]) for place in places]
    for checkpoint in sorted(set(nearest)):
        at = [column for column, where in enumerate(nearest) if where == checkpoint]
        for target, row in _reference_rows(references, checkpoint):
            for column in at:
                decisions.add(target, column, row)
    for column, place in enumerate(places):
        decisions.add(len(mask) - 1, column, _own_row(run, references, nearest[column], place))
    return decisions


def _reference_rows(references: References, checkpoint: int) -> Iterator[tuple[int, Row]]:
    """Each reference under attack by the other references; the run is not among them, because in a
    balanced population one more model would let the number of models with a sample tell a coin.
    """
    for target, _, row in stream(references.pool(), references.attack, checkpoints=[checkpoint]):
        yield target, row


def _own_row(run: Run, references: References, checkpoint: int, place: int) -> Row:
    """The run under attack by all references, none left out: their coins say nothing about its own."""
    mask = np.vstack([references.membership.mask, run.members])
    signals = Joined(references, checkpoint, run, place)
    pool = Pool(signals, Membership(mask, "independent"), labels=run.order.labels)
    ((_, _, row),) = stream(pool, references.attack, [len(mask) - 1])
    return row


def _with_notes(plane: Plane, run: Run, references: References) -> Plane:
    found = notes(run, references)
    return replace(plane, warnings=(*plane.warnings, *(f"{note[0].upper()}{note[1:]}." for note in found)))
