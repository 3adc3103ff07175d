"""All that training depends on, beside the data and the coins."""

from dataclasses import dataclass, field

from vestige.core import check
from vestige.data.transforms import Identity, Transform
from vestige.models.catalog import ModelSpec
from vestige.training.losses import CrossEntropy
from vestige.training.optimizers import SGD, Optimizer
from vestige.training.schedules import Constant, Schedule

PRECISIONS = ("float32", "bf16")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How every model is trained; two equal recipes have equal content hashes.

    model: a named architecture or a user's factory.
    loss: per sample; the loop takes the mean over a batch.
    augmentation: applied to training batches only.
    epochs: passes over a model's own members; batch_size: samples per step.
    precision: of the arithmetic in training; signals are always measured in float32.

    Raises InputError for values out of range.
    """

    model: ModelSpec
    loss: CrossEntropy = field(default_factory=CrossEntropy)
    optimizer: Optimizer = field(default_factory=SGD)
    schedule: Schedule = field(default_factory=Constant)
    augmentation: Transform = field(default_factory=Identity)
    epochs: int = 40
    batch_size: int = 128
    precision: str = "float32"

    def __post_init__(self) -> None:
        check.at_least("epochs", self.epochs, 1)
        check.at_least("batch_size", self.batch_size, 1)
        check.one_of("precision", self.precision, PRECISIONS)
