"""All that training depends on, beside the data and the coins."""

from dataclasses import dataclass, field

from vestige.core import check
from vestige.core.errors import InputError
from vestige.core.record import LATER
from vestige.data.transforms import Identity, Transform
from vestige.models.catalog import ModelSpec
from vestige.training.losses import CrossEntropy, Loss, RelaxLoss
from vestige.training.mixing import Mixup
from vestige.training.optimizers import SGD, Optimizer
from vestige.training.output import LogitReweighting
from vestige.training.privacy import DPSGD
from vestige.training.schedules import Constant, Schedule
from vestige.training.targets import Distilled, Labels, SplitTaught, Targets
from vestige.training.treatment import Treatment

PRECISIONS = ("float32", "bf16")


class Conflict(InputError):
    """Two parts of a recipe that cannot both hold; the message names both."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How every model is trained; two equal recipes have equal content hashes.

    model: a named architecture or a user's factory.
    loss: per sample; the loop takes the mean over a batch.
    augmentation: applied to training batches only.
    epochs: passes over a model's own members; batch_size: samples per step.
    targets: what labels become before the loss sees them. mixing: of samples within a batch.
    privacy: differentially private training, which replaces batches and gradients by its own.
    output: what is done to the logits before anybody sees them; it is fitted after training.
    treatment: which members are treated apart, and how; they are identified before training.
    precision: of the arithmetic in training; signals are always measured in float32.

    Raises InputError for values out of range, and Conflict for parts that cannot both hold.
    """

    model: ModelSpec
    loss: Loss = field(default_factory=CrossEntropy)
    optimizer: Optimizer = field(default_factory=SGD)
    schedule: Schedule = field(default_factory=Constant)
    augmentation: Transform = field(default_factory=Identity)
    epochs: int = 40
    batch_size: int = 128
    precision: str = "float32"
    targets: Targets = field(default_factory=Labels, metadata=LATER)
    mixing: Mixup | None = field(default=None, metadata=LATER)
    privacy: DPSGD | None = field(default=None, metadata=LATER)
    output: LogitReweighting | None = field(default=None, metadata=LATER)
    treatment: Treatment | None = field(default=None, metadata=LATER)

    def __post_init__(self) -> None:
        check.at_least("epochs", self.epochs, 1)
        check.at_least("batch_size", self.batch_size, 1)
        check.one_of("precision", self.precision, PRECISIONS)
        _check_together(self)


def _check_together(recipe: Recipe) -> None:
    """RelaxLoss knows one label for each sample."""
    if isinstance(recipe.loss, RelaxLoss):
        rows = {
            "distillation": isinstance(recipe.targets, Distilled),
            "selena": isinstance(recipe.targets, SplitTaught),
            "mixup": recipe.mixing is not None,
        }
        for other in (name for name, present in rows.items() if present):
            raise Conflict(
                f"relax_loss and {other} cannot be combined: the first needs one label for each sample, the "
                "second gives it several; drop one of the two"
            )
