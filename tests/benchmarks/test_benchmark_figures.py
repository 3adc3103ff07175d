"""Every figure's code path, at toy size: no claim about speed is made here."""

import numpy as np
import pytest
import torch
from benchmarks.problem import Problem, location30, synthetic_bits
from benchmarks.race import PRECISIONS
from benchmarks.setting import Setting

from benchmarks import cnn, cuda, drift, large_mlp, limits, loops, memory, scoring, small_mlp, tracker
from vestige.training.engines import ENGINES


@pytest.fixture(scope="module")
def setting():
    toy = Setting(rounds=1, scale="toy", jobs=1)
    yield toy
    toy.close()


def test_limits_in_every_precision(setting):
    rows = limits.rows(setting)
    assert {"float32 default", "float32 medium", "bf16"} <= {row.figure.split(", ")[1] for row in rows}
    assert all(row.value is None or row.value.median > 0 for row in rows)


@pytest.mark.parametrize(("figure", "loops_raced"), [(small_mlp, 3), (large_mlp, 1), (cnn, 1)])
def test_training_races(setting, figure, loops_raced):
    rows = [row for row in figure.rows(setting) if row.value]
    assert len(rows) == 2 * (loops_raced + 1)
    assert all(row.value.median > 0 for row in rows)


def test_scoring_agrees_with_the_naive_forms(setting):
    rows = {row.figure: row for row in scoring.rows(setting)}
    differences = [row for figure, row in rows.items() if "naive form" in figure]
    assert len(differences) == 3
    assert all(row.value.median < 1e-9 for row in differences)


def test_memory_is_that_of_the_process_that_scored(setting):
    rows = memory.rows(setting)
    assert [row.unit for row in rows] == ["GB", "s", "GB", "s"]
    assert all(0.01 < row.value.median < 5 for row in rows if row.unit == "GB")


def test_drift_of_equal_arithmetic_is_small(setting):
    stacked, *_ = drift.rows(setting)
    assert "stacked float32" in stacked.figure
    assert 0 <= stacked.value.median < 0.05


def test_the_figures_of_a_device_run_on_this_one(setting):
    rows = cuda.rows(setting, device="cpu")
    perceptron = [f"{engine} {precision}" for precision in PRECISIONS for engine in ENGINES]
    convnet = [name for name in perceptron if not name.startswith("stacked")]
    assert [row.figure.split(", ")[1] for row in rows] == [*perceptron, *perceptron, *convnet]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_cuda_its_figures_are_skipped_with_a_note(setting):
    (row,) = cuda.rows(setting)
    assert "skipped" in row.note


def test_a_plain_loop_learns_and_measures_every_sample():
    problem = Problem(dataset=synthetic_bits(300, 40, 3), model="mlp-16", models=2, epochs=12, checkpoints=2)
    torch.manual_seed(0)
    first, last = loops.METER(problem, epochs=12, passes=2)
    members = problem.membership.mask[0]
    assert first.shape == last.shape == (300,)
    assert (last.numpy()[members] > 0).mean() > 0.8
    assert np.median(last) > np.median(first)


def test_missing_data_are_replaced_and_named(tmp_path):
    assert location30(tmp_path, 60).name == "synthetic rows"


def test_every_process_gets_one_whole_task():
    problem = Problem(dataset=synthetic_bits(60), model="mlp-128", epochs=1, checkpoints=1).filling(3)
    assert len(problem.plan().tasks) == 3
    assert len({len(task.job.models) for task in problem.plan().tasks}) == 1


def test_a_record_is_held_against_a_forward_pass_and_an_epoch(setting):
    rows = tracker.rows(setting)
    assert [row.against for row in rows] == ["bare forward pass", "training epoch"] * 2
    assert all(row.value.median > 0 for row in rows)
