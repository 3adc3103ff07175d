"""From scores to the chance of membership, as references that play the target show it."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from sklearn.linear_model import LogisticRegression

WEAK = 1e6  # the inverse penalty: two numbers are fitted to thousands of rows


@dataclass(frozen=True)
class Calibration:
    """chance = 1 / (1 + exp(-(slope score + level)))."""

    slope: float
    level: float

    def chances(self, scores: Float64[np.ndarray, "samples"]) -> Float64[np.ndarray, "samples"]:
        """The chance that each sample is a member."""
        return 1 / (1 + np.exp(-np.clip(self.slope * scores + self.level, -700, 700)))

    def with_prior(self, prior: float, rate: float) -> "Calibration":
        """For a target that trained on the share `prior` of the candidates, fitted at the share `rate`."""
        return Calibration(self.slope, self.level + log_odds(prior) - log_odds(rate))


def calibrated(scores: Float64[np.ndarray, "rows"], member: Bool[np.ndarray, "rows"]) -> Calibration:
    """Logistic regression of membership on scores; scores that point the wrong way count for nothing."""
    if member.all() or not member.any():
        return Calibration(0.0, 0.0)
    fitted = LogisticRegression(C=WEAK).fit(scores[:, None], member)
    slope = float(fitted.coef_[0, 0])
    if slope <= 0:
        return Calibration(0.0, log_odds(float(member.mean())))
    return Calibration(slope, float(fitted.intercept_[0]))


def log_odds(share: float) -> float:
    """log(share / (1 - share))."""
    return math.log(share / (1 - share))
