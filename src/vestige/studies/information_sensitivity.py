"""Does a record with a larger gradient leak more? Rank correlations within fitted linear models."""

import itertools

import numpy as np
import pandas as pd

from vestige.data import sources
from vestige.designs.linear_records import linear_records, with_classes
from vestige.leakage.logistic_regression import logistic, logistic_fit
from vestige.leakage.randomness import GaussianOutput
from vestige.leakage.ridge_regression import ridge, ridge_fit
from vestige.leakage.sensitivity import linear_sensitivity
from vestige.stats.ranks import spearman
from vestige.studies.information_sweeps import SIGMA, SOURCES, Source

WEIGHTS = (1e-3, 1e-2, 1e-1)


def sensitivities(seeds: int) -> pd.DataFrame:
    """Spearman correlation, over records, of exact KL and the norm of the fitness's gradient at the fit."""
    rows = [
        {
            "setting": f"{source.title}, {model}",
            "axis": "weight",
            "x": weight,
            "seed": seed,
            "quantity": "rank correlation",
            "value": _correlation(source, model, weight, seed),
        }
        for source, model, weight, seed in itertools.product(
            SOURCES, ("ridge", "logistic"), WEIGHTS, range(seeds)
        )
    ]
    return pd.DataFrame(rows)


def _correlation(source: Source, model: str, weight: float, seed: int) -> float:
    data = with_classes(sources.load(source.name), source.classes)
    records = linear_records(data, "raw", seed).first(source.size)
    inputs, signs = records.inputs, records.signs
    noise = GaussianOutput(sigma=SIGMA)
    if model == "ridge":
        fit, leakage = ridge_fit(inputs, signs, weight), ridge(inputs, signs, weight, noise)
    else:
        fit = logistic_fit(inputs, signs, weight)
        leakage = logistic(inputs, signs, weight, noise, "exact")
    return spearman(np.asarray(leakage.kl), linear_sensitivity(fit, SIGMA).gradient)
