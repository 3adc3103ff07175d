"""Leave-one-out leakage of softmax regression: seconds over n, share of the matmul limit, against refits."""

from dataclasses import dataclass

import numpy as np

from benchmarks.measure import Comparison, Contender, Spread, interleave
from benchmarks.row import Goal, Row, quantity
from benchmarks.setting import Setting
from vestige.core import seeds
from vestige.leakage.newton import Factor
from vestige.leakage.slope import log_log_slope
from vestige.leakage.softmax_model import SoftmaxFit, softmax_fit
from vestige.leakage.softmax_shift import one_step_distances, refitted_distances

WEIGHT = 1e-4
MATMUL, REFITS = "matmul", "fits without each record"
TOTAL = Goal(60.0, smaller_is_better=True)  # seconds for 20,000 x 256 x 10, fit and leakage, on 2 cores


@dataclass(frozen=True)
class Size:
    """records: sizes of the sweep; refitted: records that are fitted without; square: side of the matmul."""

    records: tuple[int, ...]
    features: int
    classes: int
    refitted: int
    square: int


SIZES = {
    "full": Size((2_500, 5_000, 10_000, 20_000), 256, 10, 4, 2048),
    "quick": Size((1_000, 2_000, 4_000), 128, 10, 4, 1024),
    "toy": Size((40, 60, 80), 5, 3, 2, 16),
}


def rows(setting: Setting) -> list[Row]:
    size = setting.size(SIZES)
    inputs, labels = problem(size)
    fits = {count: softmax_fit(inputs[:count], labels[:count], WEIGHT) for count in size.records}
    largest = fits[size.records[-1]]
    contenders = [_matmul(size.square), _refits(largest, size.refitted)]
    contenders += [_fit(fit) for fit in fits.values()] + [_leakage(fit) for fit in fits.values()]
    comparison = interleave(contenders, setting.rounds, warm_up=False)
    return [
        *(_seconds(comparison, fit) for fit in fits.values()),
        _growth(comparison, size),
        _share(comparison, largest),
        _against_refits(comparison, largest, size.refitted),
        _total(comparison, largest, setting.scale),
    ]


def problem(size: Size) -> tuple[np.ndarray, np.ndarray]:
    """Classes that overlap a little, with features as after a ReLU, of norm at most 1."""
    generator = seeds.generator(0, "softmax benchmark")
    count = size.records[-1]
    labels = generator.integers(size.classes, size=count)
    centers = 0.3 * generator.standard_normal((size.classes, size.features))
    inputs = np.maximum(0, generator.standard_normal((count, size.features)) + centers[labels])
    return inputs / np.linalg.norm(inputs, axis=1).max(), labels


def _matmul(square: int) -> Contender:
    left, right = np.ones((square, square)), np.ones((square, square))
    out = np.empty_like(left)

    def run() -> float:
        np.matmul(left, right, out=out)
        return 0.0

    return Contender(MATMUL, run, 2.0 * square**3)


def _fit(fit: SoftmaxFit) -> Contender:
    def run() -> float:
        softmax_fit(fit.inputs, fit.labels, WEIGHT)
        return 0.0

    return Contender(_name("fit", fit), run)


def _leakage(fit: SoftmaxFit) -> Contender:
    def run() -> float:
        one_step_distances(fit, np.arange(len(fit.inputs)))
        return 0.0

    return Contender(_name("leakage", fit), run)


def _refits(fit: SoftmaxFit, count: int) -> Contender:
    factor = Factor(fit.hessian())

    def run() -> float:
        refitted_distances(fit, np.arange(count), factor=factor)
        return 0.0

    return Contender(REFITS, run, count / len(fit.inputs))


def _name(what: str, fit: SoftmaxFit) -> str:
    classes, features = fit.parameters.shape
    return f"softmax {what}, {len(fit.inputs):,} records x {features} features x {classes} classes"


def _seconds(comparison: Comparison, fit: SoftmaxFit) -> Row:
    leakage, fitting = _name("leakage", fit), _name("fit", fit)
    return Row(
        figure=leakage,
        ours=f"{quantity(comparison.cpu(leakage).median, 's')} CPU",
        against="its own fit",
        theirs=quantity(comparison.wall(fitting).median, "s"),
        value=comparison.wall(leakage),
        unit="s",
        quiet=comparison.quiet(leakage, fitting),
    )


def _growth(comparison: Comparison, size: Size) -> Row:
    shape = f"x {size.features} features x {size.classes} classes"
    seconds = [comparison.cpu(f"softmax leakage, {count:,} records {shape}").median for count in size.records]
    slope = log_log_slope(np.array(size.records), np.array(seconds))
    return Row(
        figure="softmax leakage, power of n in CPU time",
        value=Spread(slope.value, slope.low, slope.high),
        note="1 is linear; the factorization is a constant part",
    )


def _share(comparison: Comparison, fit: SoftmaxFit) -> Row:
    name = _name("leakage", fit)
    operations = 2.0 * len(fit.inputs) * fit.parameters.size**2
    limit = comparison.cpu(MATMUL).times(operations)
    return Row(
        figure=f"{name}, share of the float64 matmul limit, CPU",
        ours=quantity(comparison.cpu(name).median, "s"),
        against=f"{operations / 1e9:,.0f} GFLOP at the rate of a large product",
        theirs=quantity(limit.median, "s"),
        value=comparison.ratio(MATMUL, name, "cpu").times(operations),
        unit="%",
        quiet=comparison.quiet(name, MATMUL),
    )


def _against_refits(comparison: Comparison, fit: SoftmaxFit, refitted: int) -> Row:
    name = _name("leakage", fit)
    return Row(
        figure=f"{name}, CPU",
        ours=quantity(comparison.cpu(name).median, "s"),
        against=f"{REFITS}, warm started; {refitted} timed, scaled",
        theirs=quantity(comparison.cpu(REFITS).median, "s"),
        value=comparison.ratio(REFITS, name, "cpu"),
        unit="x",
        quiet=comparison.quiet(name, REFITS),
    )


def _total(comparison: Comparison, fit: SoftmaxFit, scale: str) -> Row:
    names = _name("fit", fit), _name("leakage", fit)
    pairs = zip(*(comparison.timings[name] for name in names), strict=True)
    return Row(
        figure=_name("fit and leakage", fit),
        value=Spread.of([fitting.wall + leakage.wall for fitting, leakage in pairs]),
        unit="s",
        goal=TOTAL if scale == "full" else None,
        quiet=comparison.quiet(*names),
    )
