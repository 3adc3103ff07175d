"""PPTP: a defense for the risky regions of a network alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import ClassVar

from vestige.core import check
from vestige.core.errors import InputError
from vestige.defenses.conflict import unclaimed
from vestige.defenses.defense import Defense
from vestige.models.partition import partition_of
from vestige.models.protected import ALL, AUTO, NONE
from vestige.training.losses import CrossEntropy
from vestige.training.recipe import Recipe
from vestige.training.routing import Protected, Retraining, Routing

PHASES = ("routed", "two_phase")
LOSS = {"loss"}
PRIVATE = {"privacy", "optimizer", "batch_size"}


@dataclass(frozen=True, kw_only=True)
class PPTP:
    """Protected regions learn from the defense, the rest from plain cross-entropy.

    A reconstruction: of the paper only the claims were at hand, that privacy risk and generalization lie in
    different regions of a network, and that protecting the risky ones keeps generalization.

    defense: of the loss, or dp_sgd; as text in it, further parameters are separated by semicolons.
    protect: words for regions (see `vestige.models.protected.protected`), as text separated by colons; "auto"
      lets `vestige compare` choose on reference data. "all" is the defense itself, "none" no defense.
    strength: the share of the defense in what protected regions learn from.
    phase: "routed" trains all regions together, each by its own gradient of one forward pass; "two_phase"
      trains without the defense, then resets the protected regions and retrains them, half as long, beside a
      frozen rest.
    rate: the learning rate of protected regions, in units of the recipe's.
    after: the share of training before the defense begins; until then all regions learn without it.
    budget: of accuracy that regions chosen by "auto" may cost.
    regions: of the user's own, name to modules or parameters, or a TOML file of such lines.
    grain: of inferred regions, "stage" or "block".
    """

    defense: Defense
    protect: str | Sequence[str] = AUTO
    strength: int | float = 1.0
    phase: str = "routed"
    grain: str = "stage"
    rate: int | float = 1.0
    after: int | float = 0.0
    budget: int | float = 0.01
    regions: Mapping[str, str | Sequence[str]] | str | Path | None = None

    name: ClassVar[str] = "pptp"
    paper: ClassVar[str] = "Fang and Kim 2026, a reconstruction"
    part: ClassVar[str] = "routing"
    meaning: ClassVar[str] = "the defense that protected regions learn from, with its parameters"
    grid: ClassVar[tuple[int | float, ...]] = ()

    def __post_init__(self) -> None:
        check.one_of("pptp phase", self.phase, PHASES)
        check.within("pptp strength", self.strength, 0.0, 1.0)
        check.at_least("pptp budget", self.budget, 0)
        check.positive("pptp rate", self.rate)
        check.within("pptp after", self.after, 0.0, 0.99)
        assert self.protected

    @property
    def protected(self) -> Protected:
        """Which regions are protected; their words are ("auto",) where they are to be chosen."""
        words = self.protect.split(":") if isinstance(self.protect, str) else self.protect
        return Protected(
            words=tuple(words) or (NONE,), partition=partition_of(self.regions), grain=self.grain
        )

    def __call__(self, recipe: Recipe) -> Recipe:
        """The recipe with the defense in its protected regions.

        Raises InputError for a defense that cannot be limited to regions.
        """
        unclaimed(self.name, "routing", recipe.routing, None)
        unclaimed(self.name, "retraining", recipe.retraining, None)
        unclaimed(self.name, "loss", recipe.loss, CrossEntropy())
        defended = self.defense(recipe)
        changed = {f.name for f in fields(Recipe) if getattr(defended, f.name) != getattr(recipe, f.name)}
        if not changed:
            raise InputError(f"pptp: {self.defense.name} as it is given changes nothing; make it stronger")
        private = "privacy" in changed and changed <= PRIVATE
        if not private and changed != LOSS:
            raise InputError(
                f"pptp cannot limit {self.defense.name} to regions: it changes {', '.join(sorted(changed))}, "
                "which all regions share; give one that changes the loss, such as label_smoothing or "
                "relax_loss, or dp_sgd"
            )
        self._check_phase(private)
        words = set(self.protected.words)
        if words == {NONE} or (self.strength == 0 and self.rate == 1):
            return recipe
        if self.phase == "two_phase":
            return self._two_phase(recipe, defended)
        if words == {ALL} and self._is_plain:
            return defended
        if private:
            return replace(defended, routing=Routing(protected=self.protected, loss=None))
        return replace(
            recipe,
            routing=Routing(
                protected=self.protected,
                loss=defended.loss,
                strength=self.strength,
                rate=self.rate,
                first_epoch=round(self.after * recipe.epochs),
            ),
        )

    @property
    def _is_plain(self) -> bool:
        """Whether nothing but the regions is different from the defense itself."""
        return self.strength == 1 and self.rate == 1 and self.after == 0

    def _check_phase(self, private: bool) -> None:
        if private and (self.phase == "two_phase" or not self._is_plain):
            raise InputError(
                "pptp with dp_sgd is routed at full strength only: a part that was trained without noise, or "
                "learns from it too, has nothing to gain; leave out phase, strength, rate and after"
            )
        if self.phase == "routed":
            return
        for name, value, usual in (
            ("strength", self.strength, 1),
            ("rate", self.rate, 1),
            ("after", self.after, 0),
        ):
            if value != usual:
                raise InputError(f"pptp {name}={value} belongs to phase=routed; leave it out")

    def _two_phase(self, recipe: Recipe, defended: Recipe) -> Recipe:
        again = max(1, recipe.epochs // 2)
        retraining = Retraining(protected=self.protected, loss=defended.loss, epochs=again)
        return replace(recipe, epochs=recipe.epochs + again, retraining=retraining)
