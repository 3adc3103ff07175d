"""The harness: pairing, ratios, verdicts, naive twins and the Markdown section."""

import time

import numpy as np
import pytest
from benchmarks.gemm import Limits
from benchmarks.machine import Machine
from benchmarks.measure import CORES, Comparison, Contender, Spread, Timing, interleave
from benchmarks.problem import Problem, synthetic_bits
from benchmarks.row import Goal, Row, quantity

from benchmarks import measure, naive, scoring, table

MACHINE = Machine("a processor, 2 cores", ("a fact",))


def timings(*walls, others=0.0):
    return [Timing(wall, 2 * wall, others) for wall in walls]


def test_contenders_take_turns_and_the_warm_up_is_not_counted():
    calls = []

    def run(name):
        calls.append(name)
        return 0.0

    contenders = [Contender(name, lambda name=name: run(name)) for name in "ab"]
    compared = interleave(contenders, rounds=2)
    assert "".join(calls) == "ababab"
    assert {name: len(found) for name, found in compared.timings.items()} == {"a": 2, "b": 2}


def test_time_is_per_unit_and_cpu_of_other_processes_is_added():
    def nap():
        time.sleep(0.05)
        return 6.0

    timing = measure.clocked(Contender("nap", nap, units=2))
    assert 0.025 <= timing.wall < 0.2
    assert 3.0 <= timing.cpu < 3.1


def test_ratios_are_taken_by_pair():
    compared = Comparison({"slow": timings(4.0, 9.0, 6.0), "fast": timings(2.0, 3.0, 1.0)})
    assert compared.ratio("slow", "fast") == Spread(3.0, 2.0, 6.0)
    assert compared.wall("slow") == Spread(6.0, 4.0, 9.0)
    assert compared.cpu("fast") == Spread(4.0, 2.0, 6.0)


@pytest.mark.parametrize(
    ("others", "overloaded", "quiet"), [(0.0, False, True), (1, False, False), (0, True, False)]
)
def test_a_disturbed_machine_is_not_quiet(monkeypatch, others, overloaded, quiet):
    monkeypatch.setattr(measure, "LOAD_AT_START", CORES + 1.0 if overloaded else 0.0)
    compared = Comparison({"a": timings(1.0, others=others * CORES)})
    assert compared.quiet("a") is quiet


@pytest.mark.parametrize(
    ("value", "goal", "quiet", "verdict"),
    [
        (9, Goal(5, 8), True, "aim met"),
        (8, Goal(5, 8), True, "aim met"),
        (6, Goal(5, 8), True, "floor met"),
        (4, Goal(5, 8), True, "below floor"),
        (9, Goal(5, 8), False, "no verdict"),
        (4, Goal(10, 5, smaller_is_better=True), True, "aim met"),
        (7, Goal(10, 5, smaller_is_better=True), True, "floor met"),
        (11, Goal(10, 5, smaller_is_better=True), True, "below floor"),
        (2, Goal(3, smaller_is_better=True), True, "met"),
        (2, None, True, ""),
    ],
)
def test_verdicts(value, goal, quiet, verdict):
    assert Row(figure="f", value=Spread.of([value]), goal=goal, quiet=quiet).verdict == verdict


def test_numbers_are_written_with_three_digits_or_so():
    assert [quantity(v, "x") for v in (1.234, 12.34, 1234.5)] == ["1.23x", "12.3x", "1,234x"]
    assert quantity(0.351, "%") == "35 %"
    assert quantity(2.5e-10, "error") == "2.5e-10"


def test_a_section_replaces_that_of_the_same_machine_only(tmp_path):
    path = tmp_path / "RESULTS.md"
    path.write_text("# Measured\n\n## a processor, 2 cores\n\nold\n\n## another\n\nby hand\n")
    table.write(path, MACHINE, [Row(figure="new", value=Spread(2, 1, 3), unit="x", goal=Goal(1, 4))])
    text = path.read_text()
    assert "old" not in text
    assert text.endswith("\n\n## another\n\nby hand\n")
    assert "| new |  |  |  | 2.00x | 1.00x to 3.00x | 1.00x | 4.00x | floor met |" in text
    table.write(path, Machine("a third", ()), [])
    assert text in path.read_text()


def test_operations_of_a_perceptron_are_counted_as_by_hand():
    problem = Problem(dataset=synthetic_bits(60, 10, 3), model="mlp-4", models=2, epochs=4, checkpoints=2)
    training, signals = problem.operations
    weights = 10 * 4 + 4 * 3
    assert training == 30 * (2 * 2 * weights + 2 * 4 * 3)  # no gradient in the inputs
    assert signals == 60 * 2 * weights * 2 / 4


def test_the_peak_is_that_of_the_exact_path():
    rates = {
        (path, threads, "shape"): Spread.of([rate * threads])
        for path, rate in (("float32 default", 1.0), ("float32 medium", 3.0), ("bf16", 8.0))
        for threads in dict.fromkeys((1, CORES))
    }
    assert Limits(rates, "float32 medium", 1e-6, True).peak("float32") == 3.0 * CORES
    assert Limits(rates, "float32 default", 1e-6, True).peak("float32") == CORES
    assert Limits(rates, "float32 medium", 1e-6, True).peak("bf16") == 8.0 * CORES


def test_the_naive_forms_leave_out_the_target_and_its_complement():
    values, membership = scoring.population(8, 6)
    values = values.astype(np.float64)
    before = naive.lira_loop(values, membership, 2, range(6)), naive.lira_fixed(values, membership, 2)
    values[3] += 100.0
    after = naive.lira_loop(values, membership, 2, range(6)), naive.lira_fixed(values, membership, 2)
    np.testing.assert_array_equal(before, after)


def test_dense_ratios_count_what_is_dominated():
    values, membership = scoring.population(6, 40)
    shares = naive.rmia_dense(naive.probabilities_of(values), membership, 0, np.arange(40))
    assert shares.min() >= 0
    assert shares.max() < 1  # nothing dominates itself by a factor of two
    assert shares[values[0].argmin()] == 0
