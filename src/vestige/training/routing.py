"""Training in which some regions of a network learn something else than the rest."""

from dataclasses import dataclass, field

from jaxtyping import Float
from torch import Tensor, nn

from vestige.core import check
from vestige.core.errors import InputError
from vestige.core.record import LATER
from vestige.models.partition import Partition
from vestige.models.protected import AUTO, protected
from vestige.models.regions import GRAINS, Region, regions_of
from vestige.training.losses import Loss


@dataclass(frozen=True, kw_only=True)
class Protected:
    """Which regions are protected.

    words: as `vestige.models.protected.protected` reads them, or ("auto",) before they are chosen.
    partition: regions of the user's own, (name, modules or parameters) each; without it they are inferred.
    grain: of inferred regions, "stage" or "block".
    """

    words: tuple[str, ...] = (AUTO,)
    partition: Partition = ()
    grain: str = "stage"

    def __post_init__(self) -> None:
        check.one_of("pptp grain", self.grain, GRAINS)
        if self.partition and self.grain != GRAINS[0]:
            raise InputError(f"grain={self.grain} is of inferred regions; leave it out beside regions")
        if AUTO in self.words and len(self.words) > 1:
            raise InputError(
                f"protect={':'.join(self.words)!r}: auto stands alone; name regions, or take auto"
            )

    def all_of(self, module: nn.Module, inputs: Float[Tensor, "batch ..."]) -> tuple[Region, ...]:
        """All regions of the module. Raises InputError for a partition that does not fit it."""
        return regions_of(module, inputs, dict(self.partition), self.grain)

    def of(self, module: nn.Module, inputs: Float[Tensor, "batch ..."]) -> tuple[Region, ...]:
        """The regions of the module that are protected.

        Raises InputError where they are not chosen yet, for an unknown name, and for a single region.
        """
        if self.words == (AUTO,):
            raise InputError(
                "protect='auto' is chosen by `vestige compare` from reference data; name regions here"
            )
        return protected(self.all_of(module, inputs), self.words)

    def require(self, module: nn.Module, inputs: Float[Tensor, "batch ..."]) -> None:
        """Raise InputError as `of` does, and where nothing that is protected learns."""
        names = {name for region in self.of(module, inputs) for name in region.parameters}
        learning = [n for n, p in module.named_parameters(remove_duplicate=False) if p.requires_grad]
        if names.isdisjoint(learning):
            raise InputError(
                f"protect={':'.join(self.words)!r} protects no parameter that learns; name regions that learn"
            )


@dataclass(frozen=True, kw_only=True)
class Routing:
    """From one forward pass, protected regions take the gradient of another loss than the rest.

    A reconstruction of privacy-preserving training by decoupling (PPTP; Fang and Kim 2026, of which the
    claims only were at hand): the rest learns from the recipe's own loss, protected regions from
    strength times `loss` plus (1 - strength) times the recipe's own.
    loss: None in private training, where the gradients of protected regions are clipped and noisy and
      those of the rest are not. No guarantee for the whole model follows from that.
    rate: the learning rate of protected regions, in units of the recipe's.
    first_epoch: from which protected regions learn from `loss`; before it, they learn as the rest does.
    """

    protected: Protected
    loss: Loss | None
    strength: int | float = 1.0
    rate: int | float = field(default=1.0, metadata=LATER)
    first_epoch: int = field(default=0, metadata=LATER)

    def __post_init__(self) -> None:
        check.within("pptp strength", self.strength, 0.0, 1.0)
        check.positive("pptp rate", self.rate)
        check.at_least("pptp first_epoch", self.first_epoch, 0)
        if self.loss is None and (self.rate != 1 or self.first_epoch):
            raise InputError("private training of regions has no rate and no first epoch of its own")


@dataclass(frozen=True, kw_only=True)
class CriticalWeights:
    """The share of all weights that privacy hangs on the most; see `vestige.training.critical`.

    trade: the share of the distance to the initialization in their score; cross-entropy has the rest.
    """

    share: int | float
    trade: int | float = 0.5

    def __post_init__(self) -> None:
        check.within("cwrf share", self.share, 0.0, 1.0)
        check.within("cwrf trade", self.trade, 0.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class Retraining:
    """After training, protected regions start anew and learn again, beside a frozen rest.

    loss: what learns learns from. epochs: the last ones of the recipe; the schedule starts anew with them.
    critical: single weights in place of regions; these stay as they were initialized, and the rest learns on.
    """

    protected: Protected
    loss: Loss
    epochs: int
    critical: CriticalWeights | None = field(default=None, metadata=LATER)

    def __post_init__(self) -> None:
        check.at_least("retraining epochs", self.epochs, 1)
