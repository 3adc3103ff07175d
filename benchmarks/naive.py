"""Scoring as other tools write it, and plain twins of our attacks in their own conventions."""

import numpy as np
from scipy.stats import norm

from vestige.data.membership import Membership

TEMPERATURE = 2.0
GAMMA = 2.0


def lira_loop(values: np.ndarray, membership: Membership, target: int, samples: range) -> np.ndarray:
    """Online LiRA with per-sample deviations, sample by sample as LeakPro does: one target, [samples].

    values: [models samples]. Means and unbiased deviations over the same references as ours.
    """
    references = membership.reference_mask(target)
    scores = np.zeros(len(samples))
    for place, sample in enumerate(samples):
        usable = references[:, sample]
        inside = values[usable & membership.mask[:, sample], sample]
        outside = values[usable & ~membership.mask[:, sample], sample]
        log_in = norm.logpdf(values[target, sample], np.mean(inside), np.std(inside, ddof=1))
        log_out = norm.logpdf(values[target, sample], np.mean(outside), np.std(outside, ddof=1))
        scores[place] = log_in - log_out
    return scores


def lira_fixed(values: np.ndarray, membership: Membership, target: int) -> np.ndarray:
    """Online LiRA with one deviation per side, pooled over the samples within each sample, [samples]."""
    references = membership.reference_mask(target)
    sides = [references & membership.mask, references & ~membership.mask]
    means = [_means(values, side) for side in sides]
    deviations = [
        np.sqrt(np.square(values - mean)[side].sum() / (side.sum(0) - 1).sum())
        for mean, side in zip(means, sides, strict=True)
    ]
    inside, outside = (
        norm.logpdf(values[target], mean, deviation)
        for mean, deviation in zip(means, deviations, strict=True)
    )
    return inside - outside


def probabilities_of(values: np.ndarray) -> np.ndarray:
    """The tempered probabilities of the label, from scaled logits."""
    return 1 / (1 + np.exp(-values / TEMPERATURE))


def rmia_dense(
    probabilities: np.ndarray, membership: Membership, target: int, others: np.ndarray
) -> np.ndarray:
    """Online RMIA of one target from the whole array of ratios, [samples others], as ML Privacy Meter does.

    probabilities: [models samples]; others: indices of the samples z that each sample is compared with.
    """
    ratio = probabilities[target] / _means(probabilities, membership.reference_mask(target))
    dense = ratio[:, None] / ratio[None, others]
    return (dense >= GAMMA).mean(1)


def _means(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """The mean over the chosen models of each sample."""
    return np.where(chosen, values, 0).sum(0, dtype=values.dtype) / chosen.sum(0, dtype=values.dtype)
