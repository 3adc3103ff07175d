"""Several readings of a sample made into one score, learned on references that play the target."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64
from sklearn.ensemble import HistGradientBoostingClassifier

from vestige.attacks.calibration import log_odds
from vestige.attacks.evidence import Evidence
from vestige.attacks.hierarchy import Hierarchy
from vestige.attacks.quantity import Tempered
from vestige.stats.gaussian import log_density_ratio

Columns = Float64[np.ndarray, "rows readings"]
Samples = Float64[np.ndarray, "samples"]

TEMPERED = Tempered(2.0)  # of BASE
# Never tuned on targets of a study: many samples in a leaf, for rows of one sample repeat its difficulty;
# twice as many trees at half the rate took twice the time and gave the same rates within 1 %.
TREES: dict[str, Any] = {
    "max_iter": 60,
    "max_leaf_nodes": 12,
    "learning_rate": 0.12,
    "min_samples_leaf": 100,
    "l2_regularization": 5.0,
    "early_stopping": False,
    "random_state": 0,
}
LEAST_ROWS = TREES["max_leaf_nodes"] * TREES["min_samples_leaf"]  # for all leaves of a tree; with few it ties


@dataclass(frozen=True, eq=False)
class Stack:
    """Trees that read the columns, and the share of members among the rows that they learned from."""

    trees: Any
    rate: float

    def log_ratio(self, columns: Columns) -> Samples:
        """The log likelihood ratio of membership in nats: log odds less those of the rows learned from."""
        return np.asarray(self.trees.decision_function(columns), np.float64) - log_odds(self.rate)


def stacked(columns: Columns, member: Bool[np.ndarray, "rows"]) -> Stack:
    """Trees that tell members by the columns of pseudo-targets, whose coins are known."""
    trees: Any = HistGradientBoostingClassifier(**TREES)
    return Stack(trees.fit(columns, member), float(member.mean()))


def without_trees(rows: int) -> tuple[str, ...]:
    """What to say of a stacked score that was made of so many rows; nothing where they suffice."""
    if rows >= LEAST_ROWS:
        return ()
    return (
        f"the trees of stacked=True need {LEAST_ROWS} rows of references that play the target and have "
        f"{rows}: these are the scores without trees",
    )


def readings(found: Evidence, prior: Hierarchy) -> Columns:
    """What is to be read of each sample without neighbors; no count of references, which would tell coins.

    The hierarchical ratio, BASE, the plain likelihood ratio with fixed variances, distances to both
    locations in their scales, the signal, locations, scales, and what the prior expected.
    """
    x, (out, into) = found.target, found.sides
    posterior = prior.posterior((out, into))
    out_variance, in_variance = (np.full_like(x, variance) for variance in prior.pooled)
    plain = log_density_ratio(x, (into.mean, in_variance), (out.mean, out_variance))
    both = (out.count > 0) & (into.count > 0)
    scales = [np.sqrt(a + c) for a, c in zip(posterior.variances, posterior.uncertainty, strict=True)]
    return np.column_stack(
        [
            posterior.log_ratio(x),
            _base(found),
            np.where(both, plain, np.nan),
            *((x - mean) / scale for mean, scale in zip(posterior.means, scales, strict=True)),
            x,
            *posterior.means,
            *(np.log(scale) for scale in scales),
            *posterior.prior,
            x - np.where(out.count > 0, out.mean, np.nan),
        ]
    )


def _base(found: Evidence) -> Samples:
    """log p(x | target) less the log of its mean over references."""
    weight = found.usable / np.maximum(found.usable.sum(0), 1)
    mean = (np.exp(TEMPERED.log(found.values)) * weight).sum(0)
    return TEMPERED.log(found.target[None])[0] - np.log(np.where(mean > 0, mean, np.nan))
