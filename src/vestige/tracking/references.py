"""Models that were trained before on the same data: what a tracked run is compared with."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64, Int64, Shaped

from vestige.attacks.pool import Pool
from vestige.attacks.protocol import Attack
from vestige.attacks.score import stream
from vestige.core.errors import InputError
from vestige.data.membership import Membership
from vestige.population.recorded import recorded
from vestige.risk.decisions import Decisions
from vestige.signals.source import SignalSource, read
from vestige.tracking.order import Order
from vestige.tracking.runs import Runs, is_runs


@dataclass(frozen=True, eq=False)
class Plain:
    """The first augmentation of a source: the sample as it is, which is all that a tracker measures."""

    source: SignalSource

    @property
    def names(self) -> tuple[str, ...]:
        """The signals on record."""
        return self.source.names

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(models, checkpoints, samples, 1)."""
        return *self.source.shape[:3], 1

    def row(self, name: str, model: int, checkpoint: int) -> Shaped[np.ndarray, "samples augmentations"]:
        """One signal of one model at one checkpoint, [samples 1]."""
        return self.source.row(name, model, checkpoint)[:, :1]


@dataclass(frozen=True, eq=False)
class References:
    """Reference models with their membership and checkpoints, and what is known of their samples.

    labels: None where they are not on record. order: of tracked runs, which tells samples apart.
    """

    signals: SignalSource
    membership: Membership
    epochs: Float64[np.ndarray, "checkpoints"]
    labels: Int64[np.ndarray, "samples"] | None
    attack: Attack
    folder: Path
    order: Order | None = None

    @property
    def num_models(self) -> int:
        """How many references there are."""
        return self.membership.num_models

    def difference(self, order: Order) -> str | None:
        """How other samples differ from those of the references, in words; None if nothing is seen."""
        if self.order is not None:
            return self.order.difference(order)
        if self.labels is None or np.array_equal(self.labels, order.labels):
            return None
        sample = int(np.flatnonzero(self.labels != order.labels)[0])
        return f"sample {sample} has label {order.labels[sample]} where it had {self.labels[sample]}"

    def nearest(self, step: float) -> int:
        """The checkpoint nearest to a step; of two equally near the earlier."""
        return int(np.argmin(np.abs(self.epochs - step)))

    def pool(self) -> Pool:
        """The references alone, as attacks read them."""
        return Pool(self.signals, self.membership, labels=self.labels)

    @cached_property
    def exposed(self) -> Bool[np.ndarray, "samples"]:
        """Which samples are in a vulnerable region of the references' own plane at their last checkpoint."""
        last = len(self.epochs) - 1
        decisions = Decisions(self.membership.mask, self.epochs[last:])
        for target, _, row in stream(self.pool(), self.attack, checkpoints=[last]):
            decisions.add(target, 0, row)
        return decisions.plane().high[0]

    def trace(self, signal: str, model: int, last: int) -> Float64[np.ndarray, "checkpoints samples"]:
        """A signal of one reference at every checkpoint up to and with `last`."""
        return np.stack([read(self.signals, signal, model, t)[:, 0] for t in range(last + 1)])


def open_references(folder: Path, attack: Attack, own: Path) -> References:
    """The references in a folder of tracked runs (but the run in `own`), or in an audit's run folder.

    Raises InputError where there are none, or where a sample lacks references that trained with it or
    without it.
    """
    if is_runs(folder):
        runs = Runs.open(folder, without=own)
        _refuse_too_few(runs.mask, attack, folder)
        return References(runs, runs.membership, runs.epochs, runs.labels, attack, folder, runs.runs[0].order)
    return _from_audit(folder, attack)


def _from_audit(folder: Path, attack: Attack) -> References:
    try:
        found = recorded(folder)
    except InputError as error:
        raise InputError(
            f"references={folder} is neither a folder of tracked runs nor the folder of a finished audit "
            f"({error})"
        ) from error
    if found.manifest["observation"]["queries"][0]["type"] != "Identity":
        raise InputError(
            f"references={folder}: its audit never measured the samples as they are; use another"
        )
    _refuse_too_few(found.membership.mask, attack, folder)
    signals = Plain(found.signals)
    return References(signals, found.membership, found.epochs, _labels(folder), attack, folder)


def _labels(folder: Path) -> Int64[np.ndarray, "samples"] | None:
    table = folder / "samples.parquet"
    if not table.is_file():
        return None
    labels = pd.read_parquet(table, columns=["label"])["label"].to_numpy(np.int64)
    return labels if labels.min() >= 0 else None


def _refuse_too_few(mask: Bool[np.ndarray, "models samples"], attack: Attack, folder: Path) -> None:
    need_in, need_out = max(1, attack.needs.in_references), max(1, attack.needs.out_references)
    inside = mask.sum(0)
    lacking = (inside < need_in) | (len(mask) - inside < need_out)
    if lacking.any():
        sample = int(np.flatnonzero(lacking)[0])
        raise InputError(
            f"references={folder}: {int(lacking.sum())} of {len(inside)} samples lack references for "
            f"{attack.name}; sample {sample} is in {inside[sample]} of {len(mask)} models and needs at least "
            f"{need_in} with it and {need_out} without it; add runs on other random halves"
        )
