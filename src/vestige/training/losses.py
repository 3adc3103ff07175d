"""Losses of a batch, sample by sample; the training loop takes their mean.

Targets are labels, [batch] int64, or target rows, [batch classes]: probabilities that sum to 1, or to the
weight of the sample, which plain cross-entropy then bears.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional

from vestige.core import check
from vestige.core.record import LATER
from vestige.training.centered import CenterRelaxed

FORMS = ("image", "tabular")
ROUNDED = 1e-4  # how far from 1 the sum of float32 probabilities may be


@dataclass(frozen=True, kw_only=True)
class CrossEntropy:
    """Cross-entropy in nats against labels or rows smoothed towards uniform (Szegedy et al. 2016).

    confidence_penalty: times the entropy of the prediction, it is taken off (Pereyra et al. 2017, eq. 3).
    """

    label_smoothing: float = 0.0
    confidence_penalty: float = field(default=0.0, metadata=LATER)

    def __post_init__(self) -> None:
        check.within("label_smoothing", self.label_smoothing, 0.0, 1.0)
        check.at_least("confidence_penalty", self.confidence_penalty, 0.0)

    def __call__(self, logits: Tensor, targets: Tensor, epoch: int = 0) -> Tensor:
        """The loss of each sample, [batch], from logits [batch classes]; the same in every epoch."""
        loss = functional.cross_entropy(
            logits, targets, reduction="none", label_smoothing=self.label_smoothing
        )
        if not self.confidence_penalty:
            return loss
        log_p = functional.log_softmax(logits, -1)
        return loss + self.confidence_penalty * (log_p.exp() * log_p).sum(-1)

    def logit_gradient(
        self, logits: Tensor, targets: Tensor, epoch: int = 0, shares: Tensor | None = None
    ) -> Tensor:
        """The gradient of each sample's loss in its own logits, [... batch classes].

        It is p - q, where q sums to w it is w p - q, and with a penalty beta also beta p (log p + H(p)).
        """
        gradient = torch.softmax(logits, -1)
        penalty = self._penalty(logits, gradient) if self.confidence_penalty else None
        if self.label_smoothing:
            gradient -= self.label_smoothing / logits.shape[-1]
        if targets.is_floating_point():
            gradient.mul_(_weights(targets))
            gradient.sub_(targets, alpha=1 - self.label_smoothing)
        else:
            hit = torch.full((), self.label_smoothing - 1.0, dtype=gradient.dtype, device=gradient.device)
            gradient.scatter_add_(-1, targets.unsqueeze(-1), hit.expand(*targets.shape, 1))
        return gradient if penalty is None else gradient.add_(penalty)

    def _penalty(self, logits: Tensor, p: Tensor) -> Tensor:
        log_p = functional.log_softmax(logits, -1)
        entropy = -(p * log_p).sum(-1, keepdim=True)
        return self.confidence_penalty * p * (log_p + entropy)


@dataclass(frozen=True, kw_only=True)
class RelaxLoss:
    """Keeps the mean cross-entropy of a batch near a level, not at zero (Chen, Yu and Fritz 2022, alg. 1).

    Even epochs, from 0: |mean - level|, which ascends below it. Odd epochs: cross-entropy above the level; at
    or below it the prediction is flattened towards t, with t_y = min(p_y, upper) and the rest shared equally.
    level: in nats. upper: of t_y.
    form: "image" is CE(z, t) of wrong predictions only, less CE(z, y); "tabular" is CE(z, t) of all samples.
    detach: whether t is held constant. The published code lets gradients through t, so that is the default:
      published levels were tuned with it.
    first_epoch: the number of the first epoch. With 1 odd and even change places; that and "tabular" is the
      variant in the published code of center-based relaxed learning (Fang and Kim 2024).
    """

    level: float
    upper: float = 1.0
    form: str = "image"
    detach: bool = False
    first_epoch: int = field(default=0, metadata=LATER)

    def __post_init__(self) -> None:
        check.at_least("relax_loss level", self.level, 0.0)
        check.within("relax_loss upper", self.upper, 0.0, 1.0)
        check.one_of("relax_loss form", self.form, FORMS)
        check.within("relax_loss first_epoch", self.first_epoch, 0, 1)

    def __call__(self, logits: Tensor, targets: Tensor, epoch: int = 0) -> Tensor:
        """A value for each sample, [batch], whose mean is the batch's loss; from logits [batch classes]."""
        log_p = functional.log_softmax(logits, -1)
        plain = _at(log_p, targets).neg()
        mean = plain.detach().mean(-1, keepdim=True)
        if self._is_even(epoch):
            return torch.sign(mean - self.level) * (plain - self.level)
        soft = self._soft(log_p.exp(), targets)
        flat = -((soft.detach() if self.detach else soft) * log_p).sum(-1)
        if self.form == "image":
            flat = _wrong(logits, targets) * flat - plain
        return torch.where(mean > self.level, plain, flat)

    def logit_gradient(
        self, logits: Tensor, targets: Tensor, epoch: int = 0, shares: Tensor | None = None
    ) -> Tensor:
        """The gradient of each sample's value in its own logits, [... batch classes].

        shares: of each sample in the mean of its batch, [... batch], 0 for padding; None is an equal share.
        """
        log_p = functional.log_softmax(logits, -1)
        p = log_p.exp()
        losses = _at(log_p, targets).neg()
        mean = (losses.mean(-1) if shares is None else (losses * shares).sum(-1))[..., None, None]
        away = p - _one_hot(targets, p)
        if self._is_even(epoch):
            return torch.sign(mean - self.level) * away
        flat = self._flat_gradient(log_p, p, targets)
        if self.form == "image":
            flat = _wrong(logits, targets).unsqueeze(-1) * flat - away
        return torch.where(mean > self.level, away, flat)

    def _is_even(self, epoch: int) -> bool:
        return (epoch + self.first_epoch) % 2 == 0

    def _soft(self, p: Tensor, targets: Tensor) -> Tensor:
        kept = _at(p, targets).clamp(max=self.upper).unsqueeze(-1)
        hit = _one_hot(targets, p)
        return hit * kept + (1 - hit) * (1 - kept) / (p.shape[-1] - 1)

    def _flat_gradient(self, log_p: Tensor, p: Tensor, targets: Tensor) -> Tensor:
        """Of CE(z, t): p - t, and through t_y the slope of CE in t_y times p_y (1{j = y} - p_j)."""
        held = p - self._soft(p, targets)
        if self.detach:
            return held
        of_label, p_label = _at(log_p, targets), _at(p, targets)
        slope = (log_p.sum(-1) - of_label) / (p.shape[-1] - 1) - of_label
        passed = (slope * p_label * (p_label <= self.upper)).unsqueeze(-1)
        return held + passed * (_one_hot(targets, p) - p)


Loss = CrossEntropy | RelaxLoss | CenterRelaxed


def _at(values: Tensor, targets: Tensor) -> Tensor:
    return values.gather(-1, targets.unsqueeze(-1)).squeeze(-1)


def _weights(rows: Tensor) -> Tensor:
    """What rows sum to, [... batch 1]; exactly 1 for probabilities, whose sums are rounded."""
    sums = rows.sum(-1, keepdim=True)
    return torch.where((sums - 1).abs() < ROUNDED, torch.ones_like(sums), sums)


def _one_hot(targets: Tensor, like: Tensor) -> Tensor:
    return torch.zeros_like(like).scatter(-1, targets.unsqueeze(-1), 1.0)


def _wrong(logits: Tensor, targets: Tensor) -> Tensor:
    return (logits.argmax(-1) != targets).to(logits.dtype)
