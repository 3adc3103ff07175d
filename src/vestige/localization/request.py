"""What to localize, checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vestige.audits.options import Options
from vestige.core import check
from vestige.core.errors import InputError
from vestige.defenses.dp_sgd import DPSGDDefense
from vestige.defenses.pptp import PPTP
from vestige.defenses.writing import BETWEEN, from_text
from vestige.designs.target_figures import ATTACK
from vestige.models.partition import Partition, partition_of
from vestige.models.regions import GRAINS

DEFENSE = "label_smoothing:0.3"
REWIND = (0.0, 0.05, 0.15)  # shares of training
MODELS = 8  # of each population: four pairs of targets
FEWEST_MODELS = 4  # a target and its complement leave a pair of references


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to localize.

    base: the options of an audit, without a defense of their own.
    defense: what protected regions learn from, as written.
    grain: of inferred regions, "stage" or "block". regions: a TOML file with regions of the user's own.
    rewind: the shares of training, from 0 to below 1, that regions are set back to.

    Raises InputError for values out of range, and for options that say the same twice.
    """

    base: Options
    defense: str = DEFENSE
    grain: str = "stage"
    rewind: tuple[int | float, ...] = REWIND
    regions: Path | None = None

    def __post_init__(self) -> None:
        check.one_of("grain", self.grain, GRAINS)
        if self.base.models is not None:
            check.at_least("models", self.base.models, FEWEST_MODELS)
        if not self.rewind:
            raise InputError("rewind: no share of training is given; name one, for example 0")
        for share in self.rewind:
            check.within("rewind", float(share), 0.0, 0.99)
        if self.base.attack:
            named = ", ".join(self.base.attack)
            raise InputError(f"attack={named}: regions are measured by {ATTACK}; leave it out")
        if self.base.regions != Options().regions:
            raise InputError(
                f"regions={self.base.regions!r} is of the plane, which is not drawn here; give regions of "
                "the network apart, as --regions FILE.toml"
            )
        self._check_regions()
        given = from_text(self.defense).defenses
        if len(given) != 1 or isinstance(given[0], PPTP):
            raise InputError(
                f"defense={self.defense!r} must be one defense that regions can learn from, for example "
                "label_smoothing:0.3; which regions is what is measured here"
            )

    def _check_regions(self) -> None:
        """The file can be read, and its path be written within a defense."""
        _ = self.partition
        if self.regions is not None and BETWEEN.search(str(self.regions)):
            raise InputError(f"regions={self.regions}: a path with a plus cannot be written into a defense")

    @property
    def partition(self) -> Partition:
        """The regions of the user's own; () where they are to be inferred."""
        return partition_of(self.regions)

    @property
    def is_private(self) -> bool:
        """Whether the defense is differentially private training."""
        return isinstance(from_text(self.defense).defenses[0], DPSGDDefense)

    def protecting(self, words: str, phase: str = "routed") -> str:
        """The defense in these regions alone, as written; "none" and "all" are no pptp."""
        if words == "none":
            return "none"
        if words == "all" and phase == "routed":
            return self.defense
        inner = self.defense.replace("/", ";").replace(",", ";")
        kept = [f"protect={words}"]
        if phase != "routed":
            kept.append(f"phase={phase}")
        if self.grain != "stage":
            kept.append(f"grain={self.grain}")
        if self.regions is not None:
            kept.append(f"regions={self.regions}")
        return "/".join([f"pptp:{inner}", *kept])

    def epochs(self, of: int) -> tuple[int, ...]:
        """The epochs that regions are set back to, in a training of that many; each once, in order."""
        return tuple(sorted({round(share * of) for share in self.rewind}))


def rewinds(values: Sequence[int | float] | None) -> tuple[int | float, ...]:
    """The shares of training that are given, or the usual ones."""
    return tuple(values) if values else REWIND
