"""Per-sample losses; the training loop reduces them."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from vestige.core import check


@dataclass(frozen=True, kw_only=True)
class CrossEntropy:
    """Cross-entropy in nats against the label, smoothed towards uniform (Szegedy et al. 2016)."""

    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        check.within("label_smoothing", self.label_smoothing, 0.0, 1.0)

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The loss of each sample, [batch], from logits [batch classes]."""
        return functional.cross_entropy(
            logits, targets, reduction="none", label_smoothing=self.label_smoothing
        )

    def logit_gradient(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The gradient of each sample's loss in its own logits, [... batch classes]: p - q."""
        gradient = torch.softmax(logits, -1)
        if self.label_smoothing:
            gradient -= self.label_smoothing / logits.shape[-1]
        hit = torch.full((), self.label_smoothing - 1.0, dtype=gradient.dtype, device=gradient.device)
        return gradient.scatter_add_(-1, targets.unsqueeze(-1), hit.expand(*targets.shape, 1))
