"""Members that are treated apart, since they would be given away."""

from dataclasses import dataclass

from vestige.core import check
from vestige.core.errors import InputError

FOLDED = ("out_of_fold_loss", "memorization")
FLAGS = (*FOLDED, "centroid", "neighbors")
ROWS = ("down_weight", "smooth", "relabel")  # what is learned of a flagged member is a row, not its label
ACTIONS = ("drop", *ROWS, "augment")
NEIGHBORS = 10
FEWEST = 2  # samples to train on: batch normalization cannot train on one


@dataclass(frozen=True, kw_only=True)
class Treatment:
    """Which of a model's own members are flagged before it trains, and what becomes of them.

    share: of the members, those with the highest score. Scores come from proxies, models that train on the
      members first and are then forgotten.
    flag: the score. "out_of_fold_loss" is the loss, in nats, under the one of `folds` proxies that left the
      member out; "memorization" is the mean scaled logit under those that did not, less that under the one
      that did. "centroid" is the distance to the mean of the others of its class, and "neighbors" the mean
      distance to the 10 nearest members, both among penultimate features of one proxy trained on them all.
    action: "drop" (not trained on), "down_weight" (its loss times strength), "smooth" (this much of its
      target is spread over all classes), "augment" (normal noise of this standard deviation on its inputs at
      each step), or "relabel" (the label that the proxy predicts which left it out).
    strength: of the action; "drop" and "relabel" have none.
    folds: proxies of the first two flags.

    Raises InputError for an unknown name, a value out of range, or "relabel" without folds.
    """

    share: int | float = 0.1
    flag: str = "out_of_fold_loss"
    action: str = "drop"
    strength: int | float = 0.5
    folds: int = 4

    def __post_init__(self) -> None:
        check.within("treatment share", self.share, 0.0, 1.0)
        check.one_of("treatment flag", self.flag, FLAGS)
        check.one_of("treatment action", self.action, ACTIONS)
        check.at_least("treatment folds", self.folds, 2)
        if self.action in ROWS:
            check.within("treatment strength", self.strength, 0.0, 1.0)
        if self.action == "augment":
            check.positive("treatment strength", self.strength)
        if self.action == "relabel" and not self.is_folded:
            raise InputError(
                f"treatment action='relabel' asks proxies that left a member out, and flag={self.flag!r} has "
                f"none; use one of {', '.join(FOLDED)}"
            )

    @property
    def is_folded(self) -> bool:
        """Whether each member is left out by one of the proxies."""
        return self.flag in FOLDED

    @property
    def proxies(self) -> int:
        """How many models are trained to identify the members of one."""
        return self.folds if self.is_folded else 1

    def count(self, members: int) -> int:
        """How many of so many members are flagged: their share, rounded."""
        return round(self.share * members)

    def require(self, model: int, members: int) -> None:
        """Raise InputError where the model has too few members to identify or to train on."""
        kept = members - self.count(members) if self.action == "drop" else members
        left = members - -(-members // self.folds)  # of the proxy that leaves the largest fold out
        needed = {
            f"folds={self.folds}": not self.is_folded or (members >= self.folds and left >= FEWEST),
            f"flag={self.flag!r}": self.flag != "neighbors" or members > NEIGHBORS,
            f"share={self.share:g}": kept >= FEWEST,
        }
        for option in (option for option, enough in needed.items() if not enough):
            raise InputError(
                f"pre_identification: model {model} has {members} members, too few for {option}; give more "
                "samples, or change that option"
            )
