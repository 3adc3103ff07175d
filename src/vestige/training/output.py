"""What is done to a trained model's logits before anybody sees them."""

from dataclasses import dataclass

from vestige.core import check


@dataclass(frozen=True, kw_only=True)
class LogitReweighting:
    """Each logit vector is pulled towards the mean member logit of the class that it predicts.

    With mu that mean and s = weight cos(z, mu), the logits z become s z + (1 - s) mu.
    """

    weight: int | float = 0.1

    def __post_init__(self) -> None:
        check.within("logit_reweighting weight", self.weight, 0.0, 1.0)
