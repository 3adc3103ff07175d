"""Which records are exposed, and since when."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Integer

from vestige.risk.estimate import Estimate
from vestige.risk.plane import Plane


@dataclass(frozen=True, kw_only=True)
class ExposedRecord:
    """One record at the last checkpoint.

    sample: the row in the user's own file. label: the name of its class, empty if not on record.
    fpr, tpr: with exact intervals over the models trained without and with it.
    region: as the report names it.
    since_epoch: from when on it stayed in a vulnerable region; None if it does not end there.
    steadiness: the share of checkpoints since the first visit to such a region that it spent there;
      None if it never was there.
    """

    sample: int
    label: str
    fpr: Estimate
    tpr: Estimate
    advantage: float
    region: str
    since_epoch: float | None
    steadiness: float | None


@dataclass(frozen=True, kw_only=True)
class PlaneStep:
    """All samples at one checkpoint.

    center_fpr, center_tpr, advantage: means over samples. shares: of the samples, by region.
    """

    epoch: float
    center_fpr: float
    center_tpr: float
    advantage: float
    shares: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """The plane in numbers: its operating point, each checkpoint, and the most exposed records.

    attack: the attack whose decisions the plane counts. named: where it names samples, in words.
    models_in, models_out: the median number of models that scored a sample on either side.
    high, samples: how many samples end in a vulnerable region, of how many.
    regions, shown, meaning: the regions by name, as a report names them, and in words.
    vulnerable: the vulnerable regions in words.
    half_by_epoch: the epoch by which half of these were there to stay; None if there are none.
    """

    attack: str
    named: str
    models_in: int
    models_out: int
    samples: int
    high: int
    half_by_epoch: float | None
    regions: tuple[str, ...]
    shown: tuple[str, ...]
    meaning: tuple[str, ...]
    vulnerable: str
    steps: tuple[PlaneStep, ...]
    records: tuple[ExposedRecord, ...]


def exposure(
    plane: Plane,
    ids: Integer[np.ndarray, "samples"],
    labels: Integer[np.ndarray, "samples"] | None,
    *,
    attack: str,
    class_names: tuple[str, ...] = (),
    scores: Float[np.ndarray, "samples"] | None = None,
    most: int = 10,
) -> Exposure:
    """The plane in numbers, with the most exposed records first.

    scores: any further measure of exposure that orders records of equal advantage; higher = more exposed.
    """
    order, parts = ranking(plane, scores)[:most], plane.partition
    since = plane.first_exposed
    reached = np.sort(plane.epochs[since[since >= 0]])
    return Exposure(
        attack=attack,
        named=plane.point.phrase,
        models_in=int(np.median(plane.n_in[-1])),
        models_out=int(np.median(plane.n_out[-1])),
        samples=plane.n_in.shape[1],
        high=len(reached),
        half_by_epoch=float(reached[(len(reached) - 1) // 2]) if len(reached) else None,
        regions=parts.names,
        shown=parts.shown,
        meaning=parts.meaning,
        vulnerable=_phrase(tuple(parts.shown[i] for i in parts.vulnerable)),
        steps=_steps(plane),
        records=tuple(
            _record(plane, int(i), int(ids[i]), _label(labels, int(i), class_names)) for i in order
        ),
    )


def ranking(plane: Plane, scores: Float[np.ndarray, "samples"] | None = None) -> Int[np.ndarray, "samples"]:
    """Sample positions by falling advantage at the last checkpoint, then falling score, then position."""
    advantage = np.nan_to_num(plane.advantage[-1], nan=-2.0)  # below any real advantage
    further = np.zeros(len(advantage)) if scores is None else np.nan_to_num(scores, nan=-np.inf)
    return np.lexsort((-further, -advantage))


def class_name(label: int, class_names: tuple[str, ...]) -> str:
    """The class's name, or its number where it has none; empty for -1, which stands for no label."""
    if label < 0:
        return ""
    return class_names[label] if label < len(class_names) else str(label)


def _phrase(vulnerable: tuple[str, ...]) -> str:
    return vulnerable[0] if len(vulnerable) == 1 else f"one of the {len(vulnerable)} vulnerable regions"


def _label(labels: Integer[np.ndarray, "samples"] | None, position: int, class_names: tuple[str, ...]) -> str:
    return "" if labels is None else class_name(int(labels[position]), class_names)


def _record(plane: Plane, position: int, sample: int, label: str) -> ExposedRecord:
    fpr, tpr = plane.rates(-1, position)
    high = plane.high[:, position]
    since = int(plane.first_exposed[position])
    visits = np.flatnonzero(high)
    return ExposedRecord(
        sample=sample,
        label=label,
        fpr=fpr,
        tpr=tpr,
        advantage=float(np.nan_to_num(plane.advantage[-1, position])),
        region=plane.partition.shown[int(plane.regions[-1, position])],
        since_epoch=float(plane.epochs[since]) if since >= 0 else None,
        steadiness=float(high[visits[0] :].mean()) if len(visits) else None,
    )


def _steps(plane: Plane) -> tuple[PlaneStep, ...]:
    rows = zip(
        plane.epochs, plane.center_of_mass, np.nan_to_num(plane.advantage).mean(1), plane.shares, strict=True
    )
    return tuple(
        PlaneStep(
            epoch=float(epoch),
            center_fpr=float(center[0]),
            center_tpr=float(center[1]),
            advantage=float(advantage),
            shares=tuple(float(x) for x in shares),
        )
        for epoch, center, advantage, shares in rows
    )
