"""The likelihood ratio whose means and variances are shared in part between samples."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Integer

from vestige.attacks.compression import compressed
from vestige.attacks.evidence import Evidence, evidence, pseudo_targets
from vestige.attacks.hierarchy import Hierarchy, fit
from vestige.attacks.pool import Pool
from vestige.attacks.protocol import Attack, Needs
from vestige.attacks.stacking import LEAST_ROWS, Stack, readings, stacked, without_trees
from vestige.attacks.view import AttackView
from vestige.core import check

LEAST_REFERENCES = 4
CHECKPOINTS = ("scored", "all")


@dataclass(frozen=True, kw_only=True)
class Hierarchical(Attack):
    """log t(x; IN) - log t(x; OUT) with both means and the variance of a sample shrunk toward their like.

    Both means of a sample have a joint normal prior about what its class leads to expect, so that one side
    informs the other and a sample without references on a side is scored too; the variance is that of
    samples of similar OUT mean, times a factor of its own (`vestige.attacks.hierarchy`). Fitted by empirical
    Bayes on the references of one target. Signals are cut off two scales beyond either location, where
    the ratio of t densities turns.

    stacked: let trees make one score of this ratio, BASE, the plain likelihood ratio and what they are made
      of, learned on references that play the target; where there are too few samples the ratio alone is it.
    pseudo_targets: how many references do so at most.
    checkpoints: "scored" looks at the one that is scored, "all" at the direction over all of them that tells
      members best: for an attacker who holds the models of training, of target and references alike.

    Queries are averaged before anything else.
    """

    stacked: bool = False
    pseudo_targets: int = 16
    checkpoints: str = "scored"

    def __post_init__(self) -> None:
        check.at_least("pseudo_targets", self.pseudo_targets, 1)
        check.one_of("checkpoints", self.checkpoints, CHECKPOINTS)

    @property
    def name(self) -> str:
        """`hierarchical`, with `-checkpoints` and `-stacked`."""
        every = "-checkpoints" if self.checkpoints == "all" else ""
        return f"hierarchical{every}{'-stacked' if self.stacked else ''}"

    @property
    def paper(self) -> str:
        """Where the attack was published."""
        return "Vestige; empirical-Bayes form of Carlini et al. 2022"

    @property
    def needs(self) -> Needs:
        """The scaled logit, labels, and four references."""
        return Needs(
            in_references=1,
            out_references=1,
            references=LEAST_REFERENCES,
            one_sided=True,
            labels=True,
            all_checkpoints=self.checkpoints == "all",
        )

    @property
    def is_log_ratio(self) -> bool:
        """True."""
        return True

    def describe(self) -> str:
        """The small print."""
        form = ", stacked" if self.stacked else ""
        every = "; all checkpoints" if self.checkpoints == "all" else ""
        return f"online; means and variances shrunk by empirical Bayes over classes{form}{every}"

    def notes(self, pool: Pool) -> tuple[str, ...]:
        """Whether the trees had too few samples to learn from."""
        return without_trees(pool.player_rows(self.pseudo_targets)) if self.stacked else ()

    def score(self, view: AttackView) -> Float64[np.ndarray, "samples"]:
        """The log likelihood ratio in nats."""
        found = gathered(view, self.checkpoints)
        prior = fit(found.sides, classes(view.labels))
        if not self.stacked or view.player_rows(self.pseudo_targets) < LEAST_ROWS:
            return prior.posterior(found.sides).log_ratio(found.target)
        stack = view.latest((self, found.digest()), lambda: self._stack(view, found, prior))
        return stack.log_ratio(readings(found, prior))

    def _stack(self, view: AttackView, found: Evidence, prior: Hierarchy) -> Stack:
        rows: list[np.ndarray] = []
        coins: list[np.ndarray] = []
        for place in pseudo_targets(found, self.pseudo_targets):
            usable = found.usable[place]
            rows.append(readings(found.of_pseudo_target(view, place), prior)[usable])
            coins.append(found.inside[place, usable])
        return stacked(np.concatenate(rows), np.concatenate(coins))


def gathered(view: AttackView, checkpoints: str) -> Evidence:
    """The evidence at the checkpoint that is scored, or that of all of them in one number."""
    return evidence(view) if checkpoints == "scored" else compressed(view)


def classes(labels: Integer[np.ndarray, "samples"]) -> Float64[np.ndarray, "samples classes"]:
    """One column per class, 1 where a sample is of it."""
    return np.eye(int(labels.max()) + 1)[labels]
