"""Signals at all checkpoints made into one number per model and sample."""

import numpy as np
from jaxtyping import Float64

from vestige.attacks.conditioning import within
from vestige.attacks.evidence import Evidence, Mask, evidence
from vestige.attacks.view import AttackView

Trajectories = Float64[np.ndarray, "checkpoints references samples"]
RIDGE = 1e-3  # against the mean variance of a checkpoint: neighboring ones are nearly the same


def compressed(view: AttackView) -> Evidence:
    """The evidence in the direction over checkpoints that tells members best, at the last one's scale.

    Checkpoints are correlated, so that a sum of their likelihood ratios counts the same noise many times.
    """
    each = [evidence(view.at(checkpoint)) for checkpoint in range(view.num_checkpoints)]
    last = each[-1]
    every = np.stack([one.values for one in each])
    weights = fisher_direction(every, last.inside, last.usable)
    target = np.tensordot(weights, np.stack([one.target for one in each]), 1)
    return Evidence(target, np.tensordot(weights, every, 1), last.inside, last.usable, last.models)


def fisher_direction(values: Trajectories, inside: Mask, usable: Mask) -> Float64[np.ndarray, "checkpoints"]:
    """The inverse of the covariance within samples and coins, times the mean difference of IN and OUT.

    Pooled over all samples, so that it is well known with few references. Scaled to the deviation of the last
    checkpoint, which points the same way.
    """
    outside = usable & ~inside
    centered = np.stack([within(one, outside) + within(one, inside) for one in values])
    rows = centered.reshape(len(values), -1)
    covariance = rows @ rows.T / max(int(usable.sum()), 1)
    both = (inside.sum(0) > 0) & (outside.sum(0) > 0)
    difference = np.array([_mean(one, inside, both) - _mean(one, outside, both) for one in values])
    ridge = RIDGE * np.trace(covariance) / len(values)
    weights = np.linalg.solve(covariance + (ridge + 1e-12) * np.eye(len(values)), difference)
    spread = weights @ covariance @ weights
    return weights * np.sqrt(covariance[-1, -1] / spread) if spread > 0 else np.eye(len(values))[-1]


def _mean(values: Float64[np.ndarray, "references samples"], chosen: Mask, samples: np.ndarray) -> float:
    """The mean over samples of the mean over the chosen references."""
    count = np.maximum(chosen.sum(0), 1)
    return float((np.where(chosen, values, 0.0).sum(0) / count)[samples].mean())
