"""The last layer of a network on frozen features: leakage over the number of records, and its validation."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from vestige.data import sources
from vestige.designs.leakage_sweep import leakage_sweep
from vestige.designs.linear_records import linear_records
from vestige.leakage.randomness import GaussianOutput
from vestige.leakage.retraining import validate
from vestige.leakage.softmax_regression import softmax
from vestige.studies.information_sweeps import SIGMA

WEIGHT = 1e-3
REFITS = 20


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A network, the sizes of the training set of its last layer, and the size at which it is validated."""

    dataset: str
    title: str
    features: str
    sizes: tuple[int, ...]
    validated: int


LAYERS = (
    Layer(
        dataset="location30",
        title="Location30, MLP on 2,000 other rows",
        features="network:mlp-128-relu@2000",
        sizes=(500, 1000, 2000, 3000),
        validated=1000,
    ),
    Layer(
        dataset="fashion_mnist",
        title="Fashion-MNIST, MLP on 10,000 other rows",
        features="network:mlp-128-relu@10000",
        sizes=(1000, 2000, 5000, 10_000, 20_000),
        validated=2000,
    ),
)


def last_layers(seeds: int, out: Path, data_dir: Path | None) -> pd.DataFrame:
    """Leakage by approximate leave-one-out over size, and its agreement with true leave-one-out fits."""
    found = [figures for layer in LAYERS for figures in _layer(layer, seeds, out, data_dir)]
    return pd.concat(found, ignore_index=True)


def _layer(layer: Layer, seeds: int, out: Path, data_dir: Path | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    sweep = leakage_sweep(
        layer.dataset,
        vary={"size": layer.sizes},
        seeds=seeds,
        out=out / layer.dataset,
        data_dir=data_dir,
        model="softmax",
        features=layer.features,
        weight=WEIGHT,
        sigma=SIGMA,
    )
    table = sweep.table[sweep.table.statistic == "mean"]
    leaked = pd.DataFrame(
        {
            "setting": layer.title,
            "axis": "size",
            "x": np.asarray(table["size"], np.float64),
            "seed": table.seed.to_numpy(),
            "quantity": (table.quantity + " mean").to_numpy(),
            "value": table.value.to_numpy(),
        }
    )
    return leaked, _validated(layer, seeds, data_dir)


def _validated(layer: Layer, seeds: int, data_dir: Path | None) -> pd.DataFrame:
    """Rank correlation and ratio of means of estimated and exact KL, on records drawn at random."""
    data = sources.load(layer.dataset, data_dir)
    rows: list[dict[str, Any]] = []
    for seed in range(seeds):
        records = linear_records(data, layer.features, seed).first(layer.validated)
        noise = GaussianOutput(sigma=SIGMA)
        found = validate(softmax, records.inputs, records.labels, WEIGHT, noise, count=REFITS, seed=seed)
        told: dict[str, Any] = {
            "setting": layer.title,
            "axis": "refits",
            "x": float(layer.validated),
            "seed": seed,
        }
        rows += [
            {**told, "quantity": "rank correlation", "value": found.spearman},
            {**told, "quantity": "mean ratio", "value": found.ratio},
        ]
    return pd.DataFrame(rows)
