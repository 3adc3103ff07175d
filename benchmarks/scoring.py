"""Scoring of every model as a target in turn: CPU seconds of ours against the loops of other tools."""

from dataclasses import dataclass

import numpy as np

from benchmarks import naive
from benchmarks.measure import Comparison, Contender, Spread, interleave
from benchmarks.row import Goal, Row, quantity
from benchmarks.setting import Setting
from vestige.attacks.score import score
from vestige.core import seeds
from vestige.data.membership import Membership, paired

LEAKPRO, METER = "LeakPro's loop shape", "ML Privacy Meter's dense ratios"
ALTERNATIVE = {"lira-online-fixed": LEAKPRO, "lira-online": LEAKPRO, "rmia-online": METER}
RATIOS = {LEAKPRO: Goal(1000, 4000), METER: Goal(100, 1000)}
SECONDS = {  # of CPU time, for all targets of the full size
    "lira-online-fixed": Goal(1.0, smaller_is_better=True),
    "lira-online": Goal(1.0, smaller_is_better=True),
    "rmia-online": Goal(3.0, smaller_is_better=True),
}
AGREEMENT = Goal(1e-9, smaller_is_better=True)
SUB_BLOCK = 200  # samples on which ours and the naive form are compared
TARGETS_COMPARED = 3


@dataclass(frozen=True)
class Size:
    """looped: samples that the per-sample loop is timed on; others: the z of the dense ratios."""

    models: int
    samples: int
    looped: int
    others: int


SIZES = {
    "full": Size(256, 50_000, 400, 10_000),
    "quick": Size(256, 50_000, 200, 2_000),
    "toy": Size(16, 300, 20, 50),
}


def rows(setting: Setting) -> list[Row]:
    size = setting.size(SIZES)
    values, membership = population(size.models, size.samples)
    ours = [_ours(values, membership, attack) for attack in ALTERNATIVE]
    theirs = [_leakpro(values, membership, size), _meter(values, membership, size)]
    comparison = interleave([*theirs, *ours], setting.rounds, warm_up=False)
    result: list[Row] = []
    for attack, against in ALTERNATIVE.items():
        result += [
            _ratio(comparison, attack, against, size),
            _seconds(comparison, attack, size, setting.scale),
            _agreement(values, membership, attack),
        ]
    return result


def population(models: int, samples: int) -> tuple[np.ndarray, Membership]:
    """Made-up scaled logits [models samples], float32, and coins in pairs."""
    membership = paired(models, samples, 0)
    values = 2 * seeds.generator(0, "scaled logits").standard_normal((models, samples), np.float32)
    values += membership.mask * np.float32(1.5)
    return values, membership


def _ours(values: np.ndarray, membership: Membership, attack: str) -> Contender:
    def run() -> float:
        score(values, membership, attack)
        return 0.0

    return Contender(attack, run, len(values))


def _leakpro(values: np.ndarray, membership: Membership, size: Size) -> Contender:
    def run() -> float:
        naive.lira_loop(values, membership, 0, range(size.looped))
        return 0.0

    return Contender(LEAKPRO, run, size.looped / size.samples)


def _meter(values: np.ndarray, membership: Membership, size: Size) -> Contender:
    others = seeds.generator(0, "z").choice(size.samples, size.others, replace=False)
    probabilities = naive.probabilities_of(values)

    def run() -> float:
        naive.rmia_dense(probabilities, membership, 0, others)
        return 0.0

    return Contender(METER, run)


def _ratio(comparison: Comparison, attack: str, against: str, size: Size) -> Row:
    ours, theirs = comparison.cpu(attack).times(1e3), comparison.cpu(against).times(1e3)
    scaled = f"; {size.looped} samples timed, scaled" if against == LEAKPRO else f"; Z = {size.others:,}"
    return Row(
        figure=f"{attack}, {size.models} models x {size.samples:,} samples, CPU per target",
        ours=quantity(ours.median, "ms"),
        against=against + scaled,
        theirs=quantity(theirs.median, "ms"),
        value=comparison.ratio(against, attack, "cpu"),
        unit="x",
        goal=RATIOS[against],
        quiet=comparison.quiet(attack, against),
    )


def _seconds(comparison: Comparison, attack: str, size: Size, scale: str) -> Row:
    return Row(
        figure=f"{attack}, all {size.models} targets x {size.samples:,} samples, CPU",
        value=comparison.cpu(attack).times(size.models),
        unit="s",
        goal=SECONDS[attack] if scale != "toy" else None,
        quiet=comparison.quiet(attack),
    )


def _agreement(values: np.ndarray, membership: Membership, attack: str) -> Row:
    """The largest difference to the naive form in float64, on a block scored on its own."""
    exact = values[:, :SUB_BLOCK].astype(np.float64)
    coins = Membership(membership.mask[:, :SUB_BLOCK], membership.design, membership.seed)
    fast = score(exact, coins, attack, targets=range(TARGETS_COMPARED)).values
    slow = np.stack([_naive(exact, coins, attack, target) for target in range(TARGETS_COMPARED)])
    error = float(np.max(np.abs(fast - slow)))
    return Row(
        figure=f"{attack}, largest difference to the naive form",
        value=Spread.of([error]),
        unit="error",
        goal=AGREEMENT,
    )


def _naive(values: np.ndarray, membership: Membership, attack: str, target: int) -> np.ndarray:
    everything = np.arange(values.shape[1])
    if attack == "lira-online":
        return naive.lira_loop(values, membership, target, range(values.shape[1]))
    if attack == "lira-online-fixed":
        return naive.lira_fixed(values, membership, target)
    return naive.rmia_dense(naive.probabilities_of(values), membership, target, everything)
