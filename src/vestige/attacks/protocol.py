"""What every attack is: frozen options, declared needs, and one verb."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from vestige.attacks.pool import Pool
from vestige.attacks.view import AttackView

SCALED_LOGIT = "scaled_logit"


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What an attack must be given.

    signals: names of recorded or derivable signals.
    in_references, out_references: how many references trained with, and without, a sample are needed to
      score that sample; where there are fewer its score is NaN. An attack that uses references at all asks
      for one on either side: no sample of a population is in every model or in none, so references that are
      all on one side would give the target's coin away.
    references: how many reference models it takes in all.
    one_sided: whether a sample is scored too whose references are all on one side, where that tells nothing
      of the target's coin: when further models, outside the references, share the same coins.
    labels, features, embeddings, publics: whether the pool must hold them.
    all_checkpoints: whether the attack looks at other checkpoints than the one it scores.
    """

    signals: tuple[str, ...] = (SCALED_LOGIT,)
    in_references: int = 0
    out_references: int = 0
    references: int = 0
    one_sided: bool = False
    labels: bool = False
    features: bool = False
    embeddings: bool = False
    publics: bool = False
    all_checkpoints: bool = False


@dataclass(frozen=True, kw_only=True)
class Attack(ABC):
    """An attack; its fields are its options."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The name that these options go by."""

    @property
    @abstractmethod
    def paper(self) -> str:
        """Where the attack was published."""

    @property
    @abstractmethod
    def needs(self) -> Needs:
        """What the attack must be given under these options."""

    @property
    def is_log_ratio(self) -> bool:
        """Whether scores are log likelihood ratios of membership, so that 0 favors neither side."""
        return False

    @property
    def is_transductive(self) -> bool:
        """Whether the score of a sample uses the target's signals at other candidates.

        Such an attacker holds all candidates and asks the target about each; the others judge one at a time.
        """
        return False

    def resolved(self, pool: Pool, targets: Sequence[int] | None = None) -> "Attack":
        """The attack with options that suit these targets of a pool, None for all models.

        Itself, unless it leaves options to the pool.
        """
        return self

    def notes(self, pool: Pool) -> tuple[str, ...]:
        """What a reader should know about this attack on this pool."""
        return ()

    @abstractmethod
    def describe(self) -> str:
        """The small print of a figure: every choice that changes the numbers, in a few plain words."""

    @abstractmethod
    def score(self, view: AttackView) -> Float64[np.ndarray, "samples"]:
        """One score per sample; higher = more likely a member; NaN = could not be scored."""
