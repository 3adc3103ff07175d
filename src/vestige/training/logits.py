"""Logits as two or more columns."""

import torch
from torch import Tensor


def as_columns(logits: Tensor) -> Tensor:
    """Logits [batch classes]; a binary model's single logit becomes the pair (0, logit)."""
    logits = logits.unsqueeze(-1) if logits.dim() == 1 else logits
    return torch.cat([torch.zeros_like(logits), logits], -1) if logits.shape[-1] == 1 else logits
