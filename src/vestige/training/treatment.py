"""Members that are treated apart, since they would be given away."""

from dataclasses import dataclass

from vestige.core import check


@dataclass(frozen=True, kw_only=True)
class Treatment:
    """Which share of a model's own members is flagged before training."""

    share: int | float = 0.1

    def __post_init__(self) -> None:
        check.within("treatment share", self.share, 0.0, 1.0)
