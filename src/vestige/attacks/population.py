"""Attack-P: how unusual the target's loss is among a population of samples."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from vestige.attacks.protocol import SCALED_LOGIT, Attack, Needs
from vestige.attacks.queries import average
from vestige.attacks.view import AttackView
from vestige.stats.ranks import share_at_most


@dataclass(frozen=True, kw_only=True)
class AttackP(Attack):
    """The share of a population whose loss under the target is at least the sample's, 0 to 1.

    With public samples, which no model trained on, one minus the score is a false positive rate. Without
    them the candidates themselves are the population: the ranking is then that of the loss, and the score
    says nothing about error rates. With `per_class` only samples of the same class are compared; a class
    that the population lacks gives NaN. Losses are compared as scaled logits, which do not round to 0.
    """

    per_class: bool = False

    @property
    def name(self) -> str:
        """`attack-p`."""
        return "attack-p"

    @property
    def paper(self) -> str:
        """Where the attack was published."""
        return "Ye et al., CCS 2022"

    @property
    def needs(self) -> Needs:
        """The scaled logit, and labels when per class."""
        return Needs(labels=self.per_class)

    def describe(self) -> str:
        """The small print."""
        return f"empirical distribution of the loss{' per class' if self.per_class else ''}; publics if given"

    def score(self, view: AttackView) -> Float64[np.ndarray, "samples"]:
        """The share of the population with at least the sample's loss."""
        candidates = average(view.target(SCALED_LOGIT))
        population = average(view.publics(SCALED_LOGIT)) if view.has_publics else candidates
        if not self.per_class:
            return share_at_most(population, candidates)
        population_labels = view.public_labels if view.has_publics else view.labels
        scores = np.full(len(candidates), np.nan)
        for label in np.intersect1d(view.labels, population_labels):
            chosen = view.labels == label
            scores[chosen] = share_at_most(population[population_labels == label], candidates[chosen])
        return scores
