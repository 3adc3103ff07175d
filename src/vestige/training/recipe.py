"""All that training depends on, beside the data and the coins."""

from dataclasses import dataclass, field

from vestige.core import check
from vestige.core.errors import InputError
from vestige.core.record import LATER, brief
from vestige.data.transforms import Identity, Transform
from vestige.models.catalog import ModelSpec
from vestige.training.centered import CenterRelaxed
from vestige.training.losses import CrossEntropy, Loss, RelaxLoss
from vestige.training.mixing import Mixup
from vestige.training.optimizers import SAM, SGD, Optimizer
from vestige.training.output import LogitReweighting
from vestige.training.privacy import DPSGD
from vestige.training.routing import Retraining, Routing
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
    routing: regions of the network that learn something else than the rest, from the same forward pass.
    retraining: regions that are trained again at the end, beside a frozen rest.
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
    routing: Routing | None = field(default=None, metadata=LATER)
    retraining: Retraining | None = field(default=None, metadata=LATER)

    def __post_init__(self) -> None:
        check.at_least("epochs", self.epochs, 1)
        check.at_least("batch_size", self.batch_size, 1)
        check.one_of("precision", self.precision, PRECISIONS)
        _check_together(self)


def _check_together(recipe: Recipe) -> None:
    """Relaxed losses know one label for each sample; regions take the recipe apart once."""
    rows = {
        "distillation": isinstance(recipe.targets, Distilled),
        "selena": isinstance(recipe.targets, SplitTaught),
        "mixup": recipe.mixing is not None,
    }
    for name, kind in (("relax_loss", RelaxLoss), ("crl", CenterRelaxed)):
        for other in (other for other, present in rows.items() if present):
            if any(isinstance(loss, kind) for loss in losses_of(recipe)):
                raise Conflict(
                    f"{name} and {other} cannot be combined: the first needs one label for each sample, the "
                    "second gives it several; drop one of the two"
                )
    if isinstance(recipe.optimizer, SAM) and any(isinstance(x, CenterRelaxed) for x in losses_of(recipe)):
        raise Conflict("crl and sam cannot be combined: its centers take one step in each batch; drop one")
    _check_regions(recipe)


def _check_regions(recipe: Recipe) -> None:
    routing, retraining = recipe.routing, recipe.retraining
    if routing is None and retraining is None:
        return
    name = "cwrf" if retraining is not None and retraining.critical is not None else "pptp"
    if routing is not None and retraining is not None:
        raise Conflict("pptp is given beside pptp in two phases, or beside cwrf; keep one")
    if recipe.loss != CrossEntropy():
        raise Conflict(
            f"{name} begins with plain cross-entropy, or leaves it to regions that it does not protect, but "
            f"loss={brief(recipe.loss)} is given for all; put that defense into {name}, "
            "or drop one of the two"
        )
    alone = retraining is not None or (routing is not None and routing.loss is not None)
    if recipe.privacy is not None and alone:
        remedy = "put dp_sgd into pptp, or drop" if name == "pptp" else "drop"
        raise Conflict(
            f"{name} and dp_sgd cannot be combined: a part of the training takes gradients without noise; "
            f"{remedy} one of the two"
        )
    if recipe.privacy is None and not alone:
        raise Conflict("pptp routes a loss or private training, and the recipe has neither; give a defense")
    if retraining is not None and retraining.epochs >= recipe.epochs:
        raise Conflict(
            f"{name} retrains for {retraining.epochs} epochs, and the recipe has {recipe.epochs} in all; "
            f"give early_stopping before {name}, or drop one of the two"
        )


def has_centers(recipe: Recipe) -> bool:
    """Whether some part of the network learns from a loss that learns centers of its features."""
    return any(isinstance(loss, CenterRelaxed) and loss.weight > 0 for loss in losses_of(recipe))


def losses_of(recipe: Recipe) -> tuple[Loss, ...]:
    """Every loss that some part of the network learns from, the recipe's own first."""
    routed = (recipe.routing, recipe.retraining)
    return (recipe.loss, *(one.loss for one in routed if one is not None and one.loss is not None))
