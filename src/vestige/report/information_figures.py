"""Figures of information: the divergence over training, and beside what an attack does to each record."""

import numpy as np
from jaxtyping import Float64, Int64

from vestige.core import seeds
from vestige.report.colors import color_of
from vestige.report.figure import ACCENT, Axis, Dots, Figure, Line, Table
from vestige.risk.estimate import Estimate
from vestige.risk.information import Information
from vestige.risk.plane import Plane

MOST_DOTS = 3000  # more hide each other, and make the page heavy
SURELY_DRAWN = 200  # of the records of the largest divergence


def checkpoint_figure(found: Information) -> Figure:
    """The estimated KL over training: the mean record and the record at the 99th percentile."""
    epochs = np.array([row.epoch for row in found.by_checkpoint], np.float64)
    lines = (
        _line("mean over records", epochs, [row.mean for row in found.by_checkpoint], ACCENT),
        _line("99th percentile", epochs, [row.q99 for row in found.by_checkpoint], "High"),
    )
    first, last = found.by_checkpoint[0], found.by_checkpoint[-1]
    return Figure(
        key="information-checkpoints",
        title="What the models tell of a record, over training",
        caption=(
            "KL divergence in nats of the scaled logits with and without the record, from normal laws fitted "
            "at each checkpoint. In the population it lies below the divergence of the models themselves. "
            "Bands: 95 % intervals over models. The estimate is not clipped at 0."
        ),
        alt=(
            f"The mean goes from {first.mean.value or 0.0:.3g} nats at epoch {first.epoch:g} to "
            f"{last.mean.value or 0.0:.3g} at epoch {last.epoch:g}; the 99th percentile ends at "
            f"{last.q99.value or 0.0:.3g}."
        ),
        x=Axis(title="Epoch"),
        y=Axis(title="KL in nats"),
        marks=lines,
        table=Table(
            header=("measure", "epoch", "kl_nats", "low", "high"),
            rows=tuple(
                (line.name, float(e), float(y), float(low), float(high))
                for line in lines
                for e, y, low, high in zip(line.x, line.y, *_band(line), strict=True)
            ),
        ),
        height=320,
    )


def exposure_figure(kl: Float64[np.ndarray, "samples"], plane: Plane, attack: str) -> Figure:
    """Each record's estimated KL beside its advantage under the headline attack, in the plane's colors."""
    advantage, parts = plane.advantage[-1], plane.partition
    drawn = _drawn(np.where(np.isnan(advantage), np.nan, kl))
    regions = plane.regions[-1][drawn]
    marks = tuple(
        Dots(
            name=parts.shown[r],
            x=advantage[drawn][regions == r],
            y=kl[drawn][regions == r],
            color=color_of(parts, r),
        )
        for r in range(len(parts.names))
        if (regions == r).any()
    )
    some = (
        "" if len(drawn) == len(kl) else f" Drawn: {len(drawn):,} records, the largest and others at random."
    )
    return Figure(
        key="information-exposure",
        title="Estimated divergence and vulnerability, record by record",
        caption=(
            f"Across: TPR − FPR of the record under {attack} at the last checkpoint. Up: its KL in nats, "
            f"from normal laws of the scaled logit. Colors: regions of the plane.{some}"
        ),
        alt=(
            f"Half of the records lie below {np.nanmedian(kl):.3g} nats, one in a hundred above "
            f"{np.nanquantile(kl, 0.99):.3g}; the largest is {np.nanmax(kl):.3g}."
        ),
        x=Axis(title="Advantage (TPR − FPR)"),
        y=Axis(title="KL in nats"),
        marks=marks,
        table=Table(
            header=("advantage", "kl_nats", "region"),
            rows=tuple(
                (float(advantage[i]), float(kl[i]), parts.shown[int(plane.regions[-1][i])]) for i in drawn
            ),
        ),
        height=400,
    )


def _drawn(kl: Float64[np.ndarray, "samples"]) -> Int64[np.ndarray, "drawn"]:
    """All finite records if there are few; else the largest and a random choice of the rest."""
    known = np.flatnonzero(np.isfinite(kl))
    if len(known) <= MOST_DOTS:
        return known
    order = known[np.argsort(kl[known])[::-1]]
    rest = seeds.generator(0, "drawn records").permutation(order[SURELY_DRAWN:])
    return np.sort(np.concatenate([order[:SURELY_DRAWN], rest[: MOST_DOTS - SURELY_DRAWN]]))


def _line(name: str, epochs: Float64[np.ndarray, "points"], estimates: list[Estimate], color: str) -> Line:
    value, low, high = (
        np.array([np.nan if (x := getattr(e, end)) is None else x for e in estimates], np.float64)
        for end in ("value", "low", "high")
    )
    banded = bool(np.isfinite(low).all() and np.isfinite(high).all())
    return Line(
        name=name,
        x=epochs,
        y=value,
        low=low if banded else None,
        high=high if banded else None,
        color=color,
        dotted=True,
    )


def _band(line: Line) -> tuple[Float64[np.ndarray, "points"], Float64[np.ndarray, "points"]]:
    missing = np.full(len(line.x), np.nan)
    return (missing if line.low is None else line.low, missing if line.high is None else line.high)
