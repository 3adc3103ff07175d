"""The regions of the FPR-TPR plane."""

import numpy as np
from jaxtyping import Float, Int8

# Our own partition: Chen et al. 2025 (arXiv 2507.23291) name such regions without printing their borders.
REGIONS = ("Safe", "Ambiguous", "Emerging", "High", "Inverted")
SAFE, AMBIGUOUS, EMERGING, HIGH, INVERTED = range(5)

# How a report for non-specialists names them: there "Safe" would read as a promise.
SHOWN = ("Low", "Ambiguous", "Emerging", "High", "Inverted")

MEANING = {
    "Safe": "seldom named, whether a member or not",
    "Ambiguous": "often named, whether a member or not",
    "Emerging": "named more often when a member, by at least 20 points",
    "High": "named in at least half of the models trained with it, and in at most a tenth of the others",
    "Inverted": "named more often when not a member, by at least 20 points",
}


def region_of(
    fpr: Float[np.ndarray, "*shape"], tpr: Float[np.ndarray, "*shape"]
) -> Int8[np.ndarray, "*shape"]:
    """The index into REGIONS of each point; NaN rates count as Safe, for nothing was seen.

    High: TPR >= .5 and FPR <= .1. Else by advantage a = TPR - FPR: Emerging a >= .2, Inverted a <= -.2,
    and between them Ambiguous where TPR + FPR > 1, Safe otherwise.
    """
    advantage = np.round(tpr - fpr, 9)  # rates are ratios of small counts: .6 - .4 must reach .2
    found = np.full(fpr.shape, SAFE, np.int8)
    found[(np.abs(advantage) < 0.2) & (np.round(tpr + fpr, 9) > 1)] = AMBIGUOUS
    found[advantage >= 0.2] = EMERGING
    found[advantage <= -0.2] = INVERTED
    found[(tpr >= 0.5) & (fpr <= 0.1)] = HIGH
    return found
