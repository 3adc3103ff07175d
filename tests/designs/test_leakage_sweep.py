"""Sweeps of leakage: the same figures as a plain call, powers, reuse, private noise, refusals."""

import json

import numpy as np
import pandas as pd
import pytest

from vestige.core.errors import InputError
from vestige.data import sources
from vestige.designs import leakage_sweep as module
from vestige.designs.design import Factor
from vestige.designs.leakage_sweep import leakage_sweep
from vestige.designs.linear_records import linear_records, with_classes
from vestige.designs.linear_task import LinearTask
from vestige.designs.sweep_slopes import axis_of, slope_over_seeds, steps
from vestige.leakage.private import analytic_shift, classical_shift
from vestige.leakage.randomness import GaussianOutput, Gibbs
from vestige.leakage.ridge_regression import ridge
from vestige.leakage.slope import log_log_slope

PAIR = {"classes": ("3", "8"), "model": "ridge", "sigma": 0.05}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return leakage_sweep(
        "digits",
        vary={"size": [40, 80, 160], "weight": [0.01, 0.1]},
        out=tmp_path_factory.mktemp("a"),
        **PAIR,
    )


def mean_kl(sweep, **levels):
    table = sweep.table[(sweep.table.quantity == "kl") & (sweep.table.statistic == "mean")]
    for option, level in levels.items():
        table = table[table[option] == level]
    return table.value.to_numpy()


def test_a_cell_is_what_the_plain_call_gives(found):
    data = with_classes(sources.load("digits"), ("3", "8"))
    for seed in range(3):
        records = linear_records(data, "raw", seed).first(80)
        direct = ridge(records.inputs, records.signs, 0.1, GaussianOutput(sigma=0.05))
        for quantity in ("kl", "mutual_information", "advantage"):
            row = found.table[
                (found.table["size"] == 80) & (found.table.weight == 0.1) & (found.table.seed == seed)
                & (found.table.quantity == quantity)
            ].set_index("statistic").value  # fmt: skip
            values = getattr(direct, quantity)
            assert row["mean"] == pytest.approx(values.mean(), rel=1e-12)
            assert row["q99"] == pytest.approx(np.quantile(values, 0.99), rel=1e-12)
            assert row["max"] == pytest.approx(values.max(), rel=1e-12)


def test_every_condition_every_seed_and_files_that_say_so(found):
    assert len(mean_kl(found)) == 3 * 2 * 3
    assert len(found.records) == 3 * 2 * (40 + 80 + 160)
    document = json.loads((found.folder / "sweep.json").read_text())
    assert document["schema_version"] == 1
    assert {cell["kind"] for cell in document["cells"]} == {"exact"}
    assert pd.read_parquet(found.folder / "sweep.parquet").equals(found.table)
    assert json.loads((found.folder / "manifest.json").read_text())["state"] == "done"
    assert "KL divergence per record along size (weight=0.01)" in found.report.read_text()


def test_leakage_falls_with_size_and_weight(found):
    slopes = found.slopes[(found.slopes.quantity == "kl") & (found.slopes.statistic == "mean")]
    assert (slopes.high < 0).all()
    assert len(slopes) == 2  # size at two weights; two weights are too few for a power
    assert (mean_kl(found, weight=0.1) < mean_kl(found, weight=0.01)).all()


def test_noise_has_its_exact_power(tmp_path):
    sweep = leakage_sweep(
        "digits", vary={"sigma": [1, 2, 4]}, size=60, out=tmp_path, **{**PAIR, "sigma": None}
    )
    kl = sweep.slopes.set_index(["quantity", "statistic"]).loc[("kl", "mean")]
    assert (kl.slope, kl.low, kl.high) == pytest.approx((-2, -2, -2), abs=1e-9)


def test_a_rerun_measures_only_what_is_new(tmp_path, monkeypatch):
    first = leakage_sweep("digits", vary={"size": [40, 80]}, out=tmp_path, **PAIR)
    measured = []
    plain = module.measure
    monkeypatch.setattr(
        module, "measure", lambda task, records: measured.append(task) or plain(task, records)
    )
    again = leakage_sweep("digits", vary={"size": [40, 80, 120]}, out=tmp_path, **PAIR)
    assert [(task.size, task.seed) for task in measured] == [(120, 0), (120, 1), (120, 2)]
    kept = again.table[again.table["size"] < 120].reset_index(drop=True)
    assert kept.equals(first.table)
    leakage_sweep("digits", vary={"size": [40]}, out=tmp_path, **{**PAIR, "weight": 0.02})
    assert len(measured) == 6  # another weight is another cell


def test_an_interrupted_sweep_keeps_what_it_measured(tmp_path, monkeypatch):
    plain, calls = module.measure, []

    def stopping(task, records):
        calls.append(task.size)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return plain(task, records)

    monkeypatch.setattr(module, "measure", stopping)
    with pytest.raises(KeyboardInterrupt):
        leakage_sweep("digits", vary={"size": [40, 80]}, out=tmp_path, **PAIR)
    leakage_sweep("digits", vary={"size": [40, 80]}, out=tmp_path, **PAIR)
    assert len(calls) == 3 + 4


@pytest.mark.parametrize("model", ["ridge", "logistic", "softmax"])
@pytest.mark.parametrize("weight", [0.01, 1.0])
def test_no_record_leaks_more_than_epsilon_allows(tmp_path, model, weight):
    data = "digits" if model == "softmax" else "breast_cancer"
    sweep = leakage_sweep(
        data, vary={"epsilon": [0.5, 1.0]}, size=60, weight=weight, model=model, seeds=2, out=tmp_path
    )
    for epsilon in (0.5, 1.0):
        largest = sweep.table[
            (sweep.table.epsilon == epsilon)
            & (sweep.table.quantity == "kl")
            & (sweep.table.statistic == "max")
        ].value.max()
        assert 0 < largest <= classical_shift(epsilon, 1e-5) ** 2 / 2


def test_calibration_is_classical_up_to_one_and_one_for_all_cells():
    task = LinearTask(model="logistic", epsilon=1.0, weight=0.1)
    assert task.randomness(100) == GaussianOutput(sigma=2 / (100 * 0.1) / classical_shift(1.0, 1e-5))
    beyond = LinearTask(model="logistic", epsilon=2.0, weight=0.1)
    assert beyond.randomness(100).sigma == pytest.approx(0.2 / analytic_shift(2.0, 1e-5))
    design = module.design_of(sources.load("breast_cancer"), {"size": 50}, {"epsilon": [0.5, 2.0]}, None)
    assert {cell.task.chosen_calibration for cell in design.cells} == {"analytic"}


def test_gibbs_is_offered_for_ridge(tmp_path):
    sweep = leakage_sweep(
        "wine", vary={"temperature": [0.5, 1.0]}, classes="0,1", model="ridge", size=40, seeds=1, out=tmp_path
    )
    task = sweep.design.cells[0].task
    assert task.randomness(40) == Gibbs(temperature=0.5)
    assert (sweep.records.kl != sweep.records.kl_reverse).any()
    assert "Gibbs posterior" in sweep.report.read_text()


def test_powers_of_points_and_of_seeds():
    x = (1.0, 2.0, 4.0)
    values = np.array([[8.0, 4.0, 2.0], [9.0, 4.0, 1.0], [8.0, 2.0, 0.5]])
    each = [log_log_slope(x, row).value for row in values]
    found = slope_over_seeds(x, values)
    assert found.value == pytest.approx(np.mean(each))
    assert found.high - found.value == pytest.approx(4.302653 * np.std(each, ddof=1) / np.sqrt(3), rel=1e-6)
    assert slope_over_seeds(x, values[:1]).kind == "points"
    assert steps(x[::-1], values[:1, ::-1]) == pytest.approx(np.array([[-1.0, -1.0]]))


def test_axes_are_numbers_or_nothing():
    assert axis_of(Factor("features", ("relu:10", "relu:20"))) == ("random ReLU features", (10.0, 20.0))
    assert axis_of(Factor("features", ("raw", "pca:20"))) is None
    title, x = axis_of(Factor("delta", (1e-3, 1e-5)))
    assert (title, x) == ("ln(1.25/delta)", pytest.approx((np.log(1250), np.log(125000))))


WRONG = [
    ({"sigma": 0.0}, "sigma=0"),
    ({"sigma": None}, "none of sigma, epsilon and temperature"),
    ({"temperature": 1.0}, "given together"),
    ({"sigma": None, "epsilon": -1.0}, "epsilon"),
    ({"sigma": None, "epsilon": 2.0, "calibration": "classical"}, "analytic"),
    ({"delta": 1e-5}, "delta=1e-05 belongs to epsilon"),
    ({"sigma": None, "epsilon": 1.0, "delta": 1.0}, "strictly between"),
    ({"model": "logistic", "sigma": None, "temperature": 1.0}, "ridge"),
    ({"classes": ()}, "--classes"),
    ({"size": 400}, "more than the 357"),
    ({"size": 300, "features": "network:mlp-8@100"}, "beside the 100"),
    ({"features": "pca:65"}, "64 features"),
    ({"features": "network:convnet@10"}, "convnet"),
    ({"method": "influence"}, "ridge is exact"),
    ({"wieght": 0.1}, "did you mean weight"),
    ({"weight": -1.0}, "weight"),
    ({"vary": {"sise": [1]}}, "did you mean size"),
    ({"vary": {"size": [40, 400]}}, "400"),
    ({"vary": {"size": ["many"]}}, "whole numbers"),
    ({"vary": {"size": [40, 40]}}, "twice"),
    ({"seeds": 3}, "same 357 records"),
    ({"seeds": 0, "size": 40}, "seeds=0"),
    ({"classes": (), "model": "softmax", "features": "relu:2000", "size": 1700}, "pca:1400"),
]


@pytest.mark.parametrize(("changed", "message"), WRONG)
def test_what_is_wrong_is_refused_before_any_work(tmp_path, changed, message):
    with pytest.raises(InputError, match=message):
        leakage_sweep("digits", out=tmp_path / "none", **{**PAIR, **changed})
    assert not (tmp_path / "none").exists()


def test_users_own_arrays_and_ids(tmp_path):
    generator = np.random.default_rng(0)
    inputs, labels = generator.standard_normal((30, 3)), np.arange(30) % 2
    sweep = leakage_sweep((inputs, labels), sigma=1.0, size=10, seeds=2, out=tmp_path)
    assert sweep.design.cells[0].task.model == "logistic"
    assert len(sweep.records) == 20
    assert set(sweep.records.record) <= set(range(30))
