"""Sweeps of the study of information: leakage of linear models over size, weight, features and noise."""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from vestige.designs.design import shown
from vestige.designs.leakage_sweep import LeakageSweep, leakage_sweep
from vestige.leakage.private import classical_shift

SIGMA, WEIGHT = 0.05, 0.01
MODELS = ("ridge", "logistic")
WEIGHTS = (1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)
EPSILONS, DELTAS = (0.1, 0.25, 0.5, 1.0), (1e-3, 1e-5, 1e-7, 1e-9)
RELU_WEIGHTS = (1e-7, 1e-5, 1e-2)
RELU = (10, 40, 160, 640, 2560)  # random features for 160 records: below, at and above interpolation
QUANTITIES = ("kl", "mutual_information", "advantage")


@dataclass(frozen=True, kw_only=True)
class Source:
    """A data set of two classes and what is varied on it: sizes, one size for all else, and components."""

    name: str
    title: str
    classes: tuple[str, ...]
    sizes: tuple[int, ...]
    size: int
    components: tuple[int, ...]


Varied = Callable[[Source], Mapping[str, Sequence[Any]]]
SOURCES = (
    Source(
        name="digits",
        title="digits 3 and 8",
        classes=("3", "8"),
        sizes=(40, 80, 160, 320),
        size=160,
        components=(2, 5, 10, 20, 40, 60),
    ),
    Source(
        name="breast_cancer",
        title="breast cancer",
        classes=(),
        sizes=(40, 80, 160, 320),
        size=160,
        components=(2, 5, 10, 20, 30),
    ),
    Source(
        name="wine",
        title="wine, 2 classes",
        classes=("0", "1"),
        sizes=(15, 30, 60, 120),
        size=60,
        components=(2, 4, 8, 13),
    ),
)


def sizes(seeds: int, out: Path) -> pd.DataFrame:
    """Leakage over the size of the training set, at one weight and noise."""
    return _over(seeds, out, lambda source: {"size": source.sizes}, {"weight": WEIGHT, "sigma": SIGMA})


def weights(seeds: int, out: Path) -> pd.DataFrame:
    """Leakage over the regularization weight, at one size and noise."""
    return _over(seeds, out, lambda _: {"weight": WEIGHTS}, {"sigma": SIGMA})


def complexities(seeds: int, out: Path) -> pd.DataFrame:
    """Leakage over the number of principal components."""
    return _over(
        seeds,
        out,
        lambda source: {"features": [f"pca:{count}" for count in source.components]},
        {"weight": 1e-3, "sigma": SIGMA},
    )


def noises(seeds: int, out: Path) -> pd.DataFrame:
    """Leakage under calibrated noise: over s = sqrt(ln(1.25/delta))/epsilon, and over size at one epsilon."""
    private = {"epsilon": EPSILONS, "delta": DELTAS}
    over_noise = _over(seeds, out / "noise", lambda _: private, {"weight": WEIGHT})
    over_size = _over(seeds, out / "size", lambda s: {"size": s.sizes}, {"weight": WEIGHT, "epsilon": 1.0})
    return pd.concat([over_noise, over_size.assign(axis="size, epsilon 1")], ignore_index=True)


def expansions(seeds: int, out: Path) -> pd.DataFrame:
    """Leakage over the number of random ReLU features, from fewer to many more than records."""
    found = [
        _figures(
            _sweep(source, seeds, out, {"features": [f"relu:{k}" for k in RELU]}, weight), source, weight
        )
        for source, weight in itertools.product(SOURCES[:2], ({"weight": weight} for weight in RELU_WEIGHTS))
    ]
    return pd.concat(found, ignore_index=True)


def _sweep(
    source: Source, seeds: int, out: Path, vary: Mapping[str, Sequence[Any]], fixed: Mapping[str, Any]
) -> LeakageSweep:
    """A sweep in a folder of its own."""
    options: dict[str, Any] = {"model": "ridge", "sigma": SIGMA, **fixed}
    if "epsilon" in (*options, *vary):
        del options["sigma"]
    if "size" not in vary:
        options["size"] = source.size
    name = "_".join((source.name, options["model"], *(f"{o}={shown(v)}" for o, v in fixed.items())))
    return leakage_sweep(
        source.name, vary=vary, seeds=seeds, out=out / name, classes=source.classes, **options
    )


def _over(seeds: int, out: Path, vary: Varied, fixed: Mapping[str, Any]) -> pd.DataFrame:
    """The figures of every data set and model."""
    found: list[pd.DataFrame] = []
    for source, model in itertools.product(SOURCES, MODELS):
        told = {"model": model}
        found.append(_figures(_sweep(source, seeds, out, vary(source), {**fixed, **told}), source, told))
    return pd.concat(found, ignore_index=True)


def _figures(sweep: LeakageSweep, source: Source, told: Mapping[str, Any]) -> pd.DataFrame:
    """Means and maxima over records: setting, axis, x, seed, quantity and value."""
    table = sweep.table[sweep.table.quantity.isin(QUANTITIES) & sweep.table.statistic.isin(("mean", "max"))]
    words = ", ".join(v if o == "model" else f"ridge, {o} {shown(v)}" for o, v in told.items())
    options = [factor.option for factor in sweep.design.factors]
    private = "epsilon" in options
    return pd.DataFrame(
        {
            "setting": f"{source.title}, {words}",
            "axis": "s" if private else options[0],
            "x": [
                _place(dict(zip(options, row, strict=True)))
                for row in zip(*(table[o] for o in options), strict=True)
            ],
            "seed": table.seed.to_numpy(),
            "quantity": (table.quantity + " " + table.statistic).to_numpy(),
            "value": table.value.to_numpy(),
        }
    )


def _place(levels: Mapping[str, Any]) -> float:
    """A cell's place on the axis of its sweep."""
    if "epsilon" in levels:
        return spread(levels["epsilon"], levels["delta"])
    level = next(iter(levels.values()))
    return float(level.partition(":")[2]) if isinstance(level, str) else float(level)


def spread(epsilon: float, delta: float) -> float:
    """s = sqrt(ln(1.25/delta)) / epsilon, to which classical Gaussian noise is proportional."""
    return 1 / (math.sqrt(2) * classical_shift(epsilon, delta))
