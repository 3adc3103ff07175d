"""One-sided confidence limits of a proportion whose trials come in clusters."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy import special

Counts = Float64[np.ndarray, "clusters thresholds"]
Rates = Float64[np.ndarray, "thresholds"]


@dataclass(frozen=True, eq=False)
class Events:
    """How often something happened in each cluster of trials.

    happened: [clusters thresholds], at each threshold. trials: [clusters 1].
    """

    happened: Counts
    trials: Float64[np.ndarray, "clusters 1"]

    @property
    def rate(self) -> Rates:
        """The share over all trials."""
        return self.happened.sum(0) / self.trials.sum()

    def low(self, tail: float) -> Rates:
        """The lower limit, above the rate with probability `tail` at most (about, where clusters count)."""
        trials = self.effective_trials(tail)
        happened = self.rate * trials
        limit = special.betaincinv(np.maximum(happened, 1e-300), trials - happened + 1, tail)
        return np.where(happened > 0, limit, 0.0)

    def high(self, tail: float) -> Rates:
        """The upper limit, likewise."""
        return 1.0 - Events(self.trials - self.happened, self.trials).low(tail)

    def effective_trials(self, tail: float) -> Rates:
        """The number of independent trials that would be as informative, never more than there are.

        Korn and Graubard 1998: the trials over the design effect, times a squared ratio of t quantiles for
        the few clusters that the design effect is known from. One cluster tells of no dependence: all count.
        """
        total, clusters = float(self.trials.sum()), len(self.trials)
        rate = self.rate
        if clusters < 2:
            return np.full_like(rate, total)
        spread = ((self.happened - rate * self.trials) ** 2).sum(0) * clusters / (clusters - 1) / total**2
        binomial = rate * (1 - rate) / total
        effect = np.divide(spread, binomial, out=np.ones_like(rate), where=binomial > 0)
        few = (special.stdtrit(total - 1, tail) / special.stdtrit(clusters - 1, tail)) ** 2
        return np.minimum(total, total / np.maximum(effect, 1e-12) * few)
