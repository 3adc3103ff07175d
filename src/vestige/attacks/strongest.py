"""The attack to use when no other is asked for: the parts that suit the pool."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from vestige.attacks.hierarchical import LEAST_REFERENCES, Hierarchical
from vestige.attacks.joint import Joint
from vestige.attacks.part_pool import OUTSIDE
from vestige.attacks.pool import Pool
from vestige.attacks.protocol import Attack, Needs
from vestige.attacks.stacking import LEAST_ROWS
from vestige.attacks.student_t import StudentT
from vestige.attacks.view import AttackView
from vestige.core import check
from vestige.core.errors import InputError

MANY_REFERENCES = 128  # from here on student-t is as good as hierarchical; joint was better still


@dataclass(frozen=True, kw_only=True)
class Vestige(Attack):
    """The strongest attack of this library for the references and descriptions that a pool holds.

    With 4 references or more: `joint`, stacked, where the pool has labels and features and the candidates are
    the training pool, by embeddings for samples that are images where it has them. Otherwise, with 4 to 127
    and labels, `hierarchical`, stacked. Else `student-t`. Stacked only where trees have samples enough. The
    scores say which.

    candidates: "pool" if the target's training set was drawn from the candidates, as in every audit; "some"
      if most of it lies outside, so that neighbors' coins say little.
    chosen: what it came to; set by `resolved`.
    """

    candidates: str = "pool"
    chosen: Attack | None = None

    def __post_init__(self) -> None:
        check.one_of("candidates", self.candidates, ("pool", "some"))

    @property
    def name(self) -> str:
        """`vestige`."""
        return "vestige"

    @property
    def paper(self) -> str:
        """Where the attack was published."""
        return "Vestige 2026" if self.chosen is None else self.chosen.paper

    @property
    def needs(self) -> Needs:
        """What the chosen attack needs; before the choice one reference on either side."""
        return Needs(in_references=1, out_references=1) if self.chosen is None else self.chosen.needs

    @property
    def is_log_ratio(self) -> bool:
        """True."""
        return True

    @property
    def is_transductive(self) -> bool:
        """Whether the chosen attack is; before the choice True, as it may be."""
        return self.chosen is None or self.chosen.is_transductive

    def describe(self) -> str:
        """The small print, with the attack that was chosen."""
        if self.chosen is None:
            return "joint, hierarchical or student-t, by the references and what is known of samples"
        return f"{self.chosen.name}: {self.chosen.describe()}"

    def resolved(self, pool: Pool, targets: Sequence[int] | None = None) -> Attack:
        """This attack with its choice for these targets of the pool, whatever it chose for others."""
        models = range(pool.num_models) if targets is None else targets
        return dataclasses.replace(self, chosen=self._choice(pool, min(map(pool.num_references, models))))

    def notes(self, pool: Pool) -> tuple[str, ...]:
        """Those of the chosen attack."""
        return () if self.chosen is None else self.chosen.notes(pool)

    def score(self, view: AttackView) -> Float64[np.ndarray, "samples"]:
        """The log likelihood ratio in nats."""
        if self.chosen is None:
            raise InputError("attack='vestige' chooses by the pool; ask resolved(pool) to score")
        return self.chosen.score(view)

    def _choice(self, pool: Pool, references: int) -> Attack:
        if pool.labels is None or references < LEAST_REFERENCES:
            return StudentT()
        if pool.features is None or self.candidates == "some":
            return _with_trees(Hierarchical(), pool) if references < MANY_REFERENCES else StudentT()
        images = np.ndim(pool.features) > 2  # alike in pixels is not alike
        return _with_trees(Joint(kernel="embeddings" if images and _may_embed(pool) else "inputs"), pool)


def _with_trees(attack: Hierarchical | Joint, pool: Pool) -> Attack:
    """The attack, stacked where there are samples enough for trees to learn from."""
    return dataclasses.replace(attack, stacked=pool.player_rows(attack.pseudo_targets) >= LEAST_ROWS)


def _may_embed(pool: Pool) -> bool:
    """Whether embeddings are at hand that tell no target's coins.

    In the balanced design every model is left out of some samples with every target, so none of its own may.
    """
    known = pool.embeddings or {}
    return bool(known) and (pool.membership.design != "balanced" or OUTSIDE in set(known))
