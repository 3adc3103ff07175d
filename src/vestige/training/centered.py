"""Center-based relaxed learning: levels for the loss of bounded logits and the spread of features."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from vestige.core import check
from vestige.core.errors import InputError
from vestige.models.penultimate import penultimate

Batch = Float[Tensor, "*models batch"]


@dataclass(frozen=True, kw_only=True)
class CenterRelaxed:
    """Center-based relaxed learning (CRL; Fang and Kim 2024, UAI), after its published code.

    Logits are bounded to z / (1 + squash ||z||), and their mean cross-entropy is held near a level: in even
    epochs, counted from 1, |mean - level|; in odd ones cross-entropy above the level, and at or below it
    cross-entropy to t with t_y = min(p_y, upper) and the rest shared equally, held constant. Penultimate
    features f and a learned center c of each class, bounded alike, give d = mean ||f - c_y||^2 / 2, which is
    held near center_level in the same turns: at or below it p_y ||f - c_y||^2 + (1 - p_y) ||f||^2, halved.

    level: in nats. weight: of the second part. center_lr: of the centers' own gradient descent.
    """

    level: float
    weight: float = 0.1
    squash: float = 0.05
    upper: float = 1.0
    center_level: float = 0.1
    center_squash: float = 1.0
    center_upper: float = 1.0
    center_lr: float = 0.5

    def __post_init__(self) -> None:
        for name in ("level", "weight", "squash", "center_level", "center_squash"):
            check.at_least(f"crl {name}", getattr(self, name), 0.0)
        for name in ("upper", "center_upper"):
            check.within(f"crl {name}", getattr(self, name), 0.0, 1.0)
        check.positive("crl center_lr", self.center_lr)

    def __call__(
        self, logits: Tensor, targets: Tensor, epoch: int = 0, shares: Tensor | None = None
    ) -> Tensor:
        """The first part: a value for each sample, [... batch], whose mean is the batch's."""
        log_p = functional.log_softmax(bounded(logits, self.squash), -1)
        plain = -log_p.gather(-1, targets.unsqueeze(-1)).squeeze(-1)
        mean = _mean(plain.detach(), shares)
        if epoch % 2 == 1:  # the even epochs of a count from 1
            return torch.sign(mean - self.level) * (plain - self.level)
        kept = _of_label(logits, targets).clamp(max=self.upper).unsqueeze(-1)
        hit = functional.one_hot(targets, logits.shape[-1]).to(logits.dtype)
        soft = hit * kept + (1 - hit) * (1 - kept) / (logits.shape[-1] - 1)
        return torch.where(mean > self.level, plain, -(soft * log_p).sum(-1))

    def logit_gradient(
        self, logits: Tensor, targets: Tensor, epoch: int = 0, shares: Tensor | None = None
    ) -> Tensor:
        """The gradient of each sample's first part in its own logits, [... batch classes]."""
        with torch.enable_grad():
            free = logits.detach().requires_grad_()
            return torch.autograd.grad(self(free, targets, epoch, shares).sum(), free)[0]

    def spread(
        self,
        features: Float[Tensor, "batch features"],
        centers: Float[Tensor, "classes features"],
        logits: Float[Tensor, "batch classes"],
        targets: Int[Tensor, "batch"],
        epoch: int = 0,
    ) -> Float[Tensor, "batch"]:
        """The second part: a value for each sample, whose mean is the batch's."""
        near = bounded(features, self.center_squash)
        distances = (near - bounded(centers, self.center_squash)[targets]).square().sum(-1) / 2
        mean = distances.detach().mean()
        if epoch % 2 == 1:
            return torch.sign(mean - self.center_level) * (distances - self.center_level)
        p = _of_label(logits, targets).clamp(max=self.center_upper)
        shrunk = p * distances + (1 - p) * near.square().sum(-1) / 2
        return torch.where(mean > self.center_level, distances, shrunk)


class Centered:
    """The loss bound to a module: it sees the penultimate features of each pass, and learns the centers."""

    def __init__(
        self, loss: CenterRelaxed, module: nn.Module, inputs: Tensor, classes: int, seed: int
    ) -> None:
        head = head_of(module, inputs)
        self.loss = loss
        stream = torch.Generator().manual_seed(seed)
        drawn = torch.randn(max(2, classes), head.in_features, generator=stream)
        self.centers = nn.Parameter(drawn.to(inputs.device))
        self.optimizer = torch.optim.SGD([self.centers], lr=loss.center_lr)
        self._features: Tensor | None = None
        head.register_forward_pre_hook(self._see)

    def __call__(self, logits: Tensor, targets: Tensor, epoch: int) -> Tensor:
        """Both parts of the pass that gave these logits, [batch]."""
        assert self._features is not None
        spread = self.loss.spread(self._features.float(), self.centers, logits, targets, epoch)
        return self.loss(logits, targets, epoch) + self.loss.weight * spread

    def _see(self, _head: nn.Module, given: tuple[Tensor, ...]) -> None:
        self._features = given[0] if torch.is_grad_enabled() else None


def head_of(module: nn.Module, inputs: Float[Tensor, "batch ..."]) -> nn.Linear:
    """The linear layer whose inputs are the features. Raises InputError for a module that ends in none."""
    head = penultimate(module, inputs)
    if head is None:
        raise InputError(
            "crl needs the features before the linear layer that ends a model, and this one ends in "
            "none; choose another model, or relax_loss"
        )
    return head


def bounded(values: Float[Tensor, "*models n m"], squash: float) -> Float[Tensor, "*models n m"]:
    """Rows v / (1 + squash ||v||), whose norms stay below 1 / squash."""
    return values / (1 + squash * values.norm(dim=-1, keepdim=True))


def _mean(values: Tensor, shares: Tensor | None) -> Tensor:
    return values.mean(-1, keepdim=True) if shares is None else (values * shares).sum(-1, keepdim=True)


def _of_label(logits: Tensor, targets: Tensor) -> Tensor:
    """p_y, held constant."""
    p = torch.softmax(logits.detach(), -1)
    return p.gather(-1, targets.unsqueeze(-1)).squeeze(-1)
