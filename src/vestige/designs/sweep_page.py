"""What the page of a sweep shows, made from its tables."""

import itertools
from typing import Any

import numpy as np
import pandas as pd

from vestige.designs.design import Factor, shown
from vestige.designs.feature_map import features_from
from vestige.designs.linear_task import LinearTask
from vestige.designs.sweep_design import SweepDesign
from vestige.designs.sweep_slopes import STATISTICS, axis_of, grid, slope_over_seeds
from vestige.leakage.entropy import NATS_PER_BIT
from vestige.leakage.randomness import GaussianOutput
from vestige.report.leakage_sweep_figures import SweepCurve, SweepPage, SweepPlot, SweepRow

COLUMNS = (
    ("kl", "mean"), ("kl", "q99"), ("kl", "max"), ("mutual_information", "mean"),
    ("advantage", "mean"), ("advantage", "max"),
    ("tpr@0.01", "mean"), ("tpr@0.01", "max"), ("tpr@0.001", "mean"), ("tpr@0.001", "max"),
)  # fmt: skip
IN_UNIT = ("kl", "mutual_information")


def sweep_page(design: SweepDesign, table: pd.DataFrame, bits: bool = False) -> SweepPage:
    """The page of a sweep; bits: instead of nats."""
    cells = design.conditions
    task = cells[0].task
    factor = 1 / NATS_PER_BIT if bits else 1.0
    return SweepPage(
        dataset=design.dataset.name,
        unit="bits" if bits else "nats",
        facts=_facts(design, task),
        randomness=_randomness(design, task),
        exact=task.kind == "exact",
        known_laws=isinstance(task.randomness(design.records_of(task)), GaussianOutput),
        seeds=int(table.seed.nunique()),
        plots=tuple(plot for one in design.factors for plot in _plots(design, table, one, factor)),
        rows=tuple(_row(table, cell.levels, factor) for cell in cells),
        notes=tuple(_notes(design, task)),
    )


def _plots(design: SweepDesign, table: pd.DataFrame, varied: Factor, factor: float) -> list[SweepPlot]:
    """One plot per level of the other options, where the varied one is a number."""
    axis = axis_of(varied)
    if axis is None or len(varied.levels) < 2:
        return []
    title, x = axis
    others = [one for one in design.factors if one is not varied]
    found: list[SweepPlot] = []
    for levels in itertools.product(*(one.levels for one in others)):
        fixed = {one.option: level for one, level in zip(others, levels, strict=True)}
        curves = tuple(
            SweepCurve(
                statistic=statistic,
                values=factor * values[:, np.argsort(x)],
                slope=slope_over_seeds(x, values) if len(x) > 2 and (values > 0).all() else None,
            )
            for statistic in STATISTICS
            for values in (grid(table, varied, fixed, "kl", statistic),)
        )
        name = ", ".join(f"{option}={shown(level)}" for option, level in fixed.items())
        found.append(SweepPlot(option=varied.option, axis=title, x=np.sort(x), fixed=name, curves=curves))
    return found


def _row(table: pd.DataFrame, levels: tuple[tuple[str, Any], ...], factor: float) -> SweepRow:
    kept = pd.Series(True, index=table.index)
    for option, level in levels:
        kept &= table[option] == level
    means = table[kept].groupby(["quantity", "statistic"]).value.mean()
    return SweepRow(
        name=", ".join(f"{option}={shown(level)}" for option, level in levels) or "all",
        values={key: float(means[key]) * (factor if key[0] in IN_UNIT else 1.0) for key in COLUMNS},
    )


def _facts(design: SweepDesign, task: LinearTask) -> tuple[tuple[str, str], ...]:
    varied = [factor.option for factor in design.factors]

    def told(option: str, value: str) -> str:
        return "varied" if option in varied else value

    return (
        ("Data set", f"{design.dataset.name}, {design.dataset.num_samples:,} records"),
        ("Classes", ", ".join(design.dataset.class_names) or str(design.dataset.num_classes)),
        ("Model", str(task.model)),
        ("Records in training", told("size", f"{design.records_of(task):,}")),
        ("Regularization weight", told("weight", f"{task.weight:g}")),
        ("Features", told("features", task.features)),
        ("Removal of a record", "exact" if task.kind == "exact" else f"by {task.method or 'alo'}"),
    )


def _randomness(design: SweepDesign, task: LinearTask) -> str:
    varied = [factor.option for factor in design.factors]

    def level(option: str, value: float) -> str:
        return f"the {option} of each condition" if option in varied else f"{option} {value:g}"

    if task.temperature is not None:
        told = level("temperature", task.temperature)
        return f"The release is one draw of the Gibbs posterior at {told} (nats of summed loss)."
    if task.sigma is not None:
        told = level("sigma", task.sigma)
        return f"The release is all parameters, each with Gaussian noise; its deviation is {told}."
    assert task.epsilon is not None
    return (
        "The release is all parameters with the Gaussian noise that makes it differentially private at "
        f"{level('epsilon', task.epsilon)} and {level('delta', task.chosen_delta)} "
        f"({task.chosen_calibration} calibration), for inputs of norm at most 1."
    )


def _notes(design: SweepDesign, task: LinearTask) -> list[str]:
    found: list[str] = []
    if task.epsilon is not None:
        found.append(
            "Noise follows from the most that any record could move the parameters, 2 G / (records x weight),"
            " where G bounds the gradient of one loss: 1 for logistic regression, the root of 2 for softmax, "
            "1 + 1/sqrt(weight) for ridge. It shrinks with size and weight, so that leakage need not fall "
            "with either: give sigma to see their own effect."
        )
        found.append(
            f"No record can be shifted by more than {task.shift_allowed:.3g} standard deviations in the "
            "first condition. The scaling of the inputs looks at the data and is not part of that statement."
        )
    spent = features_from(task.features).trained_on
    if spent:
        found.append(
            f"The network was trained on {spent:,} other records and then kept fixed; what it tells of those "
            "is not measured."
        )
    if task.kind == "estimate":
        found.append(
            "Removal is computed by one Newton step from the fit (method alo corrects for leverage); "
            "--method exact fits again without each record."
        )
    return found
