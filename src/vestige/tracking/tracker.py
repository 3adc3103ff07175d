"""Membership dynamics in the user's own training loop."""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Int
from torch import nn

from vestige.attacks.catalog import HEADLINE, by_name
from vestige.attacks.protocol import Attack
from vestige.core import check
from vestige.core.errors import InputError, RunFolderError
from vestige.data.arrays import as_array
from vestige.risk.plane import Plane
from vestige.tracking.comparison import exposed_in, notes, plane_of
from vestige.tracking.measurement import Measurement, measured, recorded, unwrapped
from vestige.tracking.prediction import Predict
from vestige.tracking.prediction import predict as usual
from vestige.tracking.references import References, open_references
from vestige.tracking.run import RECORD, Run
from vestige.tracking.samples import samples_of
from vestige.tracking.summary import summary_of
from vestige.tracking.untouched import untouched
from vestige.tracking.warning import EarlyWarning, early_warning


class Tracker:
    """Records what a model in training says of every sample, at chosen steps, and never changes the run.

    dataset: see `vestige.tracking.samples.samples_of`; always in the same order, without random augmentation.
    members: what the run trains on, as positions or as a boolean mask [samples]; None means all.
    folder: where the run is kept; one that holds the same run is continued.
    name: of the run; the folder's by default. batch_size: of the measurement; a DataLoader has its own.
    signals: what is recorded besides scaled logit and correctness (`vestige.signals.source.UNITS`).
    predict: (model, batch) -> (logits, labels), for models and batches of another form.
    references: a folder of tracked runs, or an audit's run folder, on the same samples.
    attack: names the samples that the references find.

    Raises InputError for data without a fixed order, members that are no samples, and references that
    cannot carry the attack; RunFolderError for a folder of another run.
    """

    def __init__(
        self,
        dataset: Any,
        *,
        members: Any = None,
        folder: Path | str,
        name: str | None = None,
        signals: tuple[str, ...] = ("scaled_logit", "correct"),
        batch_size: int = 512,
        predict: Predict | None = None,
        references: Path | str | None = None,
        attack: str | Attack = HEADLINE,
    ) -> None:
        self.folder = Path(folder)
        self.name = name or self.folder.name
        self._samples = samples_of(dataset, check.at_least("batch_size", batch_size, 1))
        self._predict = predict or usual
        self.signals = recorded(tuple(signals))
        self.members = _mask(members, self._samples.count)
        self._run = _continued(self.folder, self.members, self.signals)
        self._rewinds = self._run is not None
        chosen = by_name(attack) if isinstance(attack, str) else attack
        self._references = None if references is None else self._opened(Path(references), chosen)

    @property
    def steps(self) -> tuple[float, ...]:
        """The recorded steps."""
        return self._run.steps if self._run else ()

    @property
    def run(self) -> Run:
        """What is on record. Raises InputError before the first step."""
        if self._run is None or not self._run.steps:
            raise InputError(f"tracker {self.name!r} has no recorded step; call tracker.record(model, step)")
        return self._run

    def record(self, model: nn.Module, step: float | int) -> None:
        """Measure every sample under the model as it is now; costs about one forward pass over the samples.

        step: any increasing number, such as epochs done; 0 for the initialization. The first step after a
        folder was opened again may be an earlier one; what was recorded from there on is then dropped.

        Raises InputError, and writes nothing, for a step that does not increase, and for samples that are
        not those of the first pass.
        """
        module = unwrapped(model)
        with untouched(module, self._samples.generator):
            self._record(module, self._next(step))

    def early_warning(self, share: float = 0.01, signal: str = "loss_trace_iqr") -> EarlyWarning:
        """The members most likely to end up exposed, from this run alone, and how precise such a list is.

        share: of the members to list, at least one. signal: "loss_trace_iqr" (Pollock et al. 2024, arXiv
        2411.05743), "cumulative_loss" or "learning_time".

        With references the precision is measured: each of them plays this run. Without, it comes from a
        study of other data, and says so.
        """
        return early_warning(self.run, self._references, share=share, signal=signal)

    def plane(self) -> Plane:
        """Where every sample stands at every recorded step, over the references and this run."""
        return plane_of(self.run, self._compared())

    def exposed(self) -> Int[np.ndarray, "exposed"]:
        """The members that this run gives away now and that are vulnerable on the plane, by position."""
        return exposed_in(self.run, self._compared())

    @property
    def notes(self) -> tuple[str, ...]:
        """Which steps are compared with another step of the references."""
        return () if self._references is None else notes(self.run, self._references)

    def summary(self) -> str:
        """Plain text of 5 to 8 lines: steps, accuracy, early warning, its precision, what to do next."""
        return summary_of(self.run, self._references)

    def _record(self, module: nn.Module, now: float) -> None:
        found = measured(module, self._samples, self._predict, self.signals)
        run = self._run or Run(self.folder, self.name, self.members, found.order, self.signals)
        self._refuse_other_order(run, found, now)
        if self._references is not None and (other := self._references.difference(found.order)):
            raise InputError(
                f"references={self._references.folder} are of other samples: {other}; give others"
            )
        self._run = run.with_step(now, found.signals)
        self._rewinds = False

    def _next(self, step: float | int) -> float:
        now, last = float(step), self.steps[-1] if self.steps else -np.inf
        if not (now >= 0 and np.isfinite(now)):
            raise InputError(f"step={step} must be a finite number from 0 up")
        if now <= last and not self._rewinds:
            raise InputError(f"step={now:g} does not follow step {last:g}; record increasing steps")
        return now

    def _refuse_other_order(self, run: Run, found: Measurement, step: float) -> None:
        difference = run.order.difference(found.order)
        if difference is None:
            return
        if self._rewinds:
            raise RunFolderError(
                f"folder={self.folder} holds a run of other data: {difference}; choose another folder"
            )
        raise InputError(f"step {step:g}: {difference}; {run.order.remedy(found.order)}")

    def _opened(self, folder: Path, attack: Attack) -> References:
        references = open_references(folder, attack, self.folder)
        samples = references.signals.shape[2]
        if samples != len(self.members):
            raise InputError(
                f"references={folder} hold {samples} samples and the data set {len(self.members)}; "
                "give references of the same samples"
            )
        if self.members.all():
            raise InputError(
                "this run trains on every sample, so it has no others to set a threshold on; give members=, "
                "and a data set that also holds samples outside the training"
            )
        return references

    def _compared(self) -> References:
        if self._references is None:
            raise InputError("the plane needs reference runs; give their folder as references=")
        return self._references


def _mask(members: Any, samples: int) -> Bool[np.ndarray, "samples"]:
    if members is None:
        return np.ones(samples, bool)
    given = as_array(members, "members")
    if given.dtype == np.bool_:
        if given.shape != (samples,):
            raise InputError(f"members has shape {given.shape}; a mask has one entry for each of {samples}")
        mask = given.copy()
    else:
        mask = _mask_of_positions(given, samples)
    if not mask.any():
        raise InputError("members names no sample; give what the run trains on, or None for everything")
    return mask


def _mask_of_positions(given: np.ndarray, samples: int) -> Bool[np.ndarray, "samples"]:
    if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
        raise InputError(f"members has shape {given.shape} and type {given.dtype}; give positions or a mask")
    if len(given) == samples > 2 and given.max() <= 1:
        raise InputError("members looks like a mask of 0 and 1; give it as booleans, or give positions")
    wrong = given[(given < 0) | (given >= samples)]
    if len(wrong):
        raise InputError(f"members holds {wrong[0]}; positions run from 0 to {samples - 1}")
    mask = np.zeros(samples, bool)
    mask[given.astype(np.int64)] = True
    return mask


def _continued(folder: Path, members: Bool[np.ndarray, "samples"], signals: tuple[str, ...]) -> Run | None:
    """The run that the folder holds; None where it is absent or empty."""
    if not folder.exists():
        return None
    if not folder.is_dir():
        raise RunFolderError(f"folder={folder} is a file; choose a folder")
    if not (folder / RECORD).exists():
        return _unless_foreign(folder)
    run = Run.open(folder)
    for what, differs in (
        ("other samples", len(run.members) != len(members)),
        ("other members", not np.array_equal(run.members, members)),
        (f"the signals {', '.join(run.signals)}", run.signals != signals),
    ):
        if differs:
            raise RunFolderError(f"folder={folder} holds a run of {what}; choose another folder")
    return run


def _unless_foreign(folder: Path) -> None:
    names = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    foreign = names - {"members.npy", "labels.npy", "sums.npy", "steps"}  # of a run killed at its first step
    if foreign:
        raise RunFolderError(
            f"folder={folder} holds files that no tracker wrote ({min(foreign)}); choose an empty or new one"
        )
