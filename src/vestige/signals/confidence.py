"""Signals computed from logits, in float32, without ever forming a rounded probability."""

import torch
from torch import Tensor


def two_columns(logits: Tensor) -> Tensor:
    """Logits with a class axis: one logit per sample (binary) becomes the pair (0, logit)."""
    if logits.shape[-1] == 1:
        logits = torch.cat([torch.zeros_like(logits), logits], dim=-1)
    return logits


def of_label(logits: Tensor, targets: Tensor) -> Tensor:
    """The logit of the label, [... samples]."""
    return logits.gather(-1, _index(logits, targets)).squeeze(-1)


def others(logits: Tensor, targets: Tensor) -> Tensor:
    """The logits with the label's replaced by minus infinity, [... samples classes]."""
    return logits.scatter(-1, _index(logits, targets), -torch.inf)


def scaled_logit(logits: Tensor, targets: Tensor) -> Tensor:
    """log p_y - log(1 - p_y) = z_y - logsumexp of the other logits (Carlini et al. 2022, eq. 3).

    logits: [... samples classes]; targets: [samples]; returns [... samples]; higher = more confident.
    """
    return of_label(logits, targets) - torch.logsumexp(others(logits, targets), -1)


def correct(logits: Tensor, targets: Tensor) -> Tensor:
    """Whether the label has the strictly largest logit, [... samples]; a tie is not a correct answer."""
    return of_label(logits, targets) > others(logits, targets).amax(-1)


def entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Shannon entropy of the prediction in nats, [... samples]; it does not look at the label."""
    log_p = torch.log_softmax(logits, -1)
    return -(log_p.exp() * log_p).sum(-1)


def modified_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """-(1 - p_y) log p_y - sum over other classes of p_j log(1 - p_j) (Song and Mittal 2021, eq. 8).

    log(1 - p_j) is taken as the log-sum-exp of the other classes, so that p_j near 1 loses no digits.
    """
    log_p = torch.log_softmax(logits, -1)
    p = log_p.exp()
    log_rest = torch.stack([_log_rest(log_p, j) for j in range(logits.shape[-1])], -1)
    index = _index(logits, targets)
    terms = (p * log_rest).scatter(-1, index, 0.0)
    label = log_rest.gather(-1, index).exp() * log_p.gather(-1, index)
    return -(label.squeeze(-1) + terms.sum(-1))


def _log_rest(log_p: Tensor, j: int) -> Tensor:
    rest = torch.cat([log_p[..., :j], log_p[..., j + 1 :]], -1)
    return torch.logsumexp(rest, -1)


def _index(logits: Tensor, targets: Tensor) -> Tensor:
    return targets.expand(logits.shape[:-1]).unsqueeze(-1)
