"""Validity controls: runs whose answer is known beforehand."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int, Integer

from vestige.core import seeds
from vestige.core.errors import InputError
from vestige.risk.estimate import Z_95, Estimate, unsupported
from vestige.risk.pooled import has_both
from vestige.signals.source import SignalSource
from vestige.stats.roc import roc

# Four standard errors: under no effect a control fails by chance once in 16,000 audits.
TOLERANCE = 4.0
PLANTED_SHIFT = 3.0  # pooled standard deviations; an attack that works then reaches AUC .98
PLANTED_AUC = 0.8


# The audited attack with all its options: from signals to the scores of every audited target at the
# last checkpoint.
Attacker = Callable[[SignalSource], Float[np.ndarray, "targets samples"]]


@dataclass(frozen=True, kw_only=True)
class Control:
    """One control: what it guards against, what must come out, and what came out.

    passed: None where it could not be run; `note` then says why.
    """

    name: str
    purpose: str
    expectation: str
    estimate: Estimate
    passed: bool | None
    note: str = ""


def positive_control(
    run: Attacker,
    signals: SignalSource,
    mask: Bool[np.ndarray, "models samples"],
    targets: Integer[np.ndarray, "targets"],
) -> Control:
    """The attack on the real scaled logits of the last checkpoint with members' values raised.

    An attack that cannot see a shift this large would see nothing in the real signals either.
    """
    name, purpose = "positive control", "Finds a broken attack: a planted trace of membership must be seen."
    expectation = f"AUC above {PLANTED_AUC:g}"
    if "scaled_logit" not in signals.names:
        note = "The scaled logit is not on record."
        return Control(
            name=name,
            purpose=purpose,
            expectation=expectation,
            estimate=unsupported(note),
            passed=None,
            note=note,
        )
    estimate = _mean_auc(run(_Planted(signals, mask)), mask[targets])
    return Control(
        name=name,
        purpose=purpose,
        expectation=expectation,
        estimate=estimate,
        passed=estimate.value is not None and estimate.value > PLANTED_AUC,
    )


def negative_control(
    run: Attacker,
    mask: Bool[np.ndarray, "models samples"],
    targets: Integer[np.ndarray, "targets"],
    seed: int,
) -> Control:
    """The attack on pure noise with the real membership; finds leaks by counting and swapped coins."""
    models, samples = mask.shape
    estimate = _mean_auc(run(_Noise((models, 1, samples, 1), seed)), mask[targets])
    return Control(
        name="negative control",
        purpose="Finds an audit that knows the answer: pure noise must carry no trace of membership.",
        expectation="AUC within four standard errors of 0.5",
        estimate=estimate,
        passed=_near_half(estimate, 0.0),
    )


def foreign_coins(
    scores: Float[np.ndarray, "targets samples"],
    member: Bool[np.ndarray, "targets samples"],
    clusters: Integer[np.ndarray, "targets"],
) -> Control:
    """Each target's scores judged against the membership of another, independent target."""
    name = "foreign coins"
    purpose = (
        "Finds scores that tell samples apart, not members: another model's membership must not be visible."
    )
    expectation = "AUC within four standard errors of 0.5, plus what the design itself ties together"
    partners = _partners(clusters)
    if partners is None:
        note = "There are no two independent targets."
        return Control(
            name=name,
            purpose=purpose,
            expectation=expectation,
            estimate=unsupported(note),
            passed=None,
            note=note,
        )
    estimate = _mean_auc(scores, member[partners])
    # Where each sample is in a fixed number of K models, two models' coins correlate by -1 / (K - 1).
    slack = 0.5 / max(len(scores) - 1, 1)
    return Control(
        name=name,
        purpose=purpose,
        expectation=expectation,
        estimate=estimate,
        passed=_near_half(estimate, slack),
    )


def all_passed(controls: tuple[Control, ...]) -> bool:
    """Whether no control failed; one that could not be run does not fail."""
    return all(c.passed is not False for c in controls)


class _Noise:
    """Scaled logits that know nothing, drawn again whenever they are read."""

    names = ("scaled_logit",)

    def __init__(self, shape: tuple[int, int, int, int], seed: int) -> None:
        self.shape, self._seed = shape, seed

    def row(self, name: str, model: int, checkpoint: int) -> Float64[np.ndarray, "samples augmentations"]:
        _one_checkpoint(name, checkpoint)
        return seeds.generator(self._seed, "negative control", model).standard_normal((self.shape[2], 1))


class _Planted:
    """The last checkpoint's scaled logits, with a constant added where the model trained on the sample."""

    names = ("scaled_logit",)

    def __init__(self, signals: SignalSource, mask: Bool[np.ndarray, "models samples"]) -> None:
        self._signals, self._mask = signals, mask
        models, checkpoints, samples, augmentations = signals.shape
        self._last = checkpoints - 1
        self.shape = (models, 1, samples, augmentations)
        rows = [
            np.asarray(signals.row("scaled_logit", m, self._last), np.float64) for m in range(min(models, 8))
        ]
        self._shift = PLANTED_SHIFT * max(float(np.std(rows)), 1e-3)

    def row(self, name: str, model: int, checkpoint: int) -> Float64[np.ndarray, "samples augmentations"]:
        _one_checkpoint(name, checkpoint)
        real = np.asarray(self._signals.row(name, model, self._last), np.float64)
        return real + self._shift * self._mask[model][:, None]


def _one_checkpoint(name: str, checkpoint: int) -> None:
    if name != "scaled_logit" or checkpoint not in (0, -1):
        raise InputError(
            f"signal={name!r} at checkpoint {checkpoint} is not part of a control, which has one of each"
        )


def _partners(clusters: Integer[np.ndarray, "targets"]) -> Int[np.ndarray, "targets"] | None:
    """For each target the next one that is independent of it."""
    count = len(clusters)
    found = np.full(count, -1)
    for target in range(count):
        order = (target + np.arange(1, count)) % count
        other = order[clusters[order] != clusters[target]]
        if len(other) == 0:
            return None
        found[target] = other[0]
    return found


def _mean_auc(
    scores: Float[np.ndarray, "targets samples"], member: Bool[np.ndarray, "targets samples"]
) -> Estimate:
    """The mean AUC over targets with the interval that chance alone would give it."""
    rows = [(row, coin) for row, coin in zip(scores, member, strict=True) if has_both(row, coin)]
    if not rows:
        return unsupported("No target has both a scored member and a scored non-member.")
    curves = [roc(row, coin) for row, coin in rows]
    variance = np.mean([null_variance(c.positives, c.negatives) for c in curves])
    # Two targets serve each other as references, so their chance deviations come twice: hence the 2.
    error = float(np.sqrt(2 * variance / len(curves)))
    value = float(np.mean([c.auc for c in curves]))
    return Estimate(
        value=value,
        low=max(0.0, value - Z_95 * error),
        high=min(1.0, value + Z_95 * error),
        method=f"spread expected from chance alone over {len(curves)} targets",
    )


def null_variance(positives: int, negatives: int) -> float:
    """The variance of an AUC whose scores know nothing (Mann and Whitney 1947)."""
    return (positives + negatives + 1) / (12 * positives * negatives)


def _near_half(estimate: Estimate, slack: float) -> bool | None:
    if estimate.value is None or estimate.standard_error is None:
        return None
    return abs(estimate.value - 0.5) <= TOLERANCE * estimate.standard_error + slack
