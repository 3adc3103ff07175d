"""Whether a model is as often right as it is sure."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Integer

from vestige.core import check
from vestige.core.errors import InputError
from vestige.data.membership import Membership
from vestige.risk.estimate import Estimate
from vestige.risk.target_mean import target_mean
from vestige.signals.source import SignalSource, read

BINS = 15  # Guo et al. 2017


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibration:
    """The expected calibration error of each model, on its members and on the others; 0 to 1, lower = better.

    members, non_members: [models], fractions; the estimates are their means over models.
    """

    members: Float64[np.ndarray, "models"]
    non_members: Float64[np.ndarray, "models"]
    members_estimate: Estimate
    non_members_estimate: Estimate


def expected_calibration_error(
    confidence: Float[np.ndarray, "samples"], correct: Bool[np.ndarray, "samples"], bins: int = BINS
) -> float:
    """The mean of |accuracy - confidence| over bins of equal width, each weighted by its samples.

    Guo et al. 2017, eq. 3. confidence: the probability of the predicted class, 0 to 1; bin m holds what lies
    in ((m-1)/M, m/M]. With few samples a bin's accuracy scatters, so the error comes out too large.

    Raises InputError for no samples or a confidence outside 0 to 1.
    """
    check.at_least("bins", bins, 1)
    if not len(confidence):
        raise InputError("confidence holds 0 samples; give at least one")
    sure = np.asarray(confidence, np.float64)
    if not ((sure >= 0) & (sure <= 1 + 1e-6)).all():  # float32 may round a sum of probabilities above 1
        raise InputError(f"confidence runs from {sure.min():g} to {sure.max():g}; give probabilities, 0 to 1")
    place = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], sure, side="left")
    gaps = np.bincount(place, correct - sure, minlength=bins)
    return float(np.abs(gaps).sum() / len(sure))


def calibration(
    confidence: Float[np.ndarray, "models samples"],
    correct: Bool[np.ndarray, "models samples"],
    member: Bool[np.ndarray, "models samples"],
    clusters: Integer[np.ndarray, "models"],
    *,
    seed: int = 0,
    bins: int = BINS,
) -> Calibration:
    """The calibration error of each model on its members and non-members, and the means over models.

    clusters: models with the same number are dependent by design.
    """
    rows = list(zip(confidence, correct, member, strict=True))
    inside = np.array([expected_calibration_error(sure[own], right[own], bins) for sure, right, own in rows])
    outside = np.array(
        [expected_calibration_error(sure[~own], right[~own], bins) for sure, right, own in rows]
    )
    method = f"{bins} bins of equal width"
    return Calibration(
        members=inside,
        non_members=outside,
        members_estimate=target_mean(inside, clusters, method, seed=seed),
        non_members_estimate=target_mean(outside, clusters, method, seed=seed),
    )


def recorded_calibration(
    signals: SignalSource, membership: Membership, *, checkpoint: int = -1, seed: int = 0
) -> Calibration:
    """The calibration of a population at one checkpoint, the last by default, for the first query.

    Raises InputError where `top_confidence` is not on record: for a wrong answer it does not follow from
    the label's confidence.
    """
    models, checkpoints = signals.shape[:2]
    at = range(checkpoints)[checkpoint]
    sure = np.stack([read(signals, "top_confidence", model, at)[:, 0] for model in range(models)])
    right = np.stack([read(signals, "correct", model, at)[:, 0] > 0 for model in range(models)])
    return calibration(sure, right, membership.mask, membership.clusters(), seed=seed)
