"""Signals computed from logits, in float32, without ever forming a rounded probability."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor


def two_columns(logits: Tensor) -> Tensor:
    """Logits with a class axis: one logit per sample (binary) becomes the pair (0, logit)."""
    if logits.shape[-1] == 1:
        logits = torch.cat([torch.zeros_like(logits), logits], dim=-1)
    return logits


@dataclass(frozen=True, eq=False)
class Prediction:
    """Logits [... samples classes] beside labels [samples], and what several signals share."""

    logits: Tensor
    targets: Tensor

    @cached_property
    def index(self) -> Tensor:
        """The labels as an index into the class axis, [... samples 1]."""
        return self.targets.expand(self.logits.shape[:-1]).unsqueeze(-1)

    @cached_property
    def label(self) -> Tensor:
        """The logit of the label, [... samples]."""
        return self.logits.gather(-1, self.index).squeeze(-1)

    @cached_property
    def others(self) -> Tensor:
        """The logits with the label's replaced by minus infinity, [... samples classes]."""
        return self.logits.scatter(-1, self.index, -torch.inf)

    @cached_property
    def largest_other(self) -> Tensor:
        """The largest logit of the other classes, [... samples]."""
        return self.others.amax(-1)


def scaled_logit(of: Prediction) -> Tensor:
    """log p_y - log(1 - p_y) = z_y - logsumexp of the other logits (Carlini et al. 2022, eq. 3).

    [... samples]; higher = more confident in the label.
    """
    largest = of.largest_other
    rest = (of.others - largest.unsqueeze(-1)).exp_().sum(-1).log_()
    return of.label - largest - rest


def correct(of: Prediction) -> Tensor:
    """Whether the label has the strictly largest logit, [... samples]; a tie is not a correct answer."""
    return of.label > of.largest_other


def top_confidence(of: Prediction) -> Tensor:
    """The probability of the class that is predicted, [... samples]; it does not look at the label."""
    return torch.log_softmax(of.logits, -1).amax(-1).exp()


def entropy(of: Prediction) -> Tensor:
    """Shannon entropy of the prediction in nats, [... samples]; it does not look at the label."""
    log_p = torch.log_softmax(of.logits, -1)
    return -(log_p.exp() * log_p).sum(-1)


def modified_entropy(of: Prediction) -> Tensor:
    """-(1 - p_y) log p_y - sum over other classes of p_j log(1 - p_j) (Song and Mittal 2021, eq. 8).

    log(1 - p_j) is taken as the log-sum-exp of the other classes, so that p_j near 1 loses no digits.
    """
    log_p = torch.log_softmax(of.logits, -1)
    p = log_p.exp()
    log_rest = torch.stack([_log_rest(log_p, j) for j in range(log_p.shape[-1])], -1)
    terms = (p * log_rest).scatter(-1, of.index, 0.0)
    label = log_rest.gather(-1, of.index).exp() * log_p.gather(-1, of.index)
    return -(label.squeeze(-1) + terms.sum(-1))


def _log_rest(log_p: Tensor, j: int) -> Tensor:
    rest = torch.cat([log_p[..., :j], log_p[..., j + 1 :]], -1)
    return torch.logsumexp(rest, -1)
