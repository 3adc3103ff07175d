"""Prediction depth: after how many stages of a model its answer is settled."""

import numpy as np
import torch
from jaxtyping import Float64, Int
from torch import Tensor, nn

from vestige.core import seeds
from vestige.core.errors import InputError
from vestige.models.stages import stage_outputs

NEIGHBORS = 30  # Baldock, Maennel and Neyshabur 2021
MOST_SUPPORT = 5000  # members that neighbors are looked for among; drawn at random where there are more
BATCH = 512


@torch.no_grad()
def prediction_depth(
    module: nn.Module, inputs: Tensor, targets: Tensor, members: Int[np.ndarray, "_"], *, seed: int = 0
) -> Float64[np.ndarray, "samples"]:
    """The number of the stage from which on neighbors vote as the model answers (Baldock et al. 2021).

    At each stage a sample's 30 nearest members (Euclidean, the sample itself left out) vote with their
    labels. 0 means that the raw inputs already vote as the model answers and all later stages do too; the
    number of stages means that not even the logits' neighbors do. Higher = harder.

    inputs: [samples ...]; members: the model's training samples.
    Raises InputError for fewer members than neighbors.
    """
    if len(members) <= NEIGHBORS:
        raise InputError(f"{len(members)} members are too few for a vote of {NEIGHBORS} nearest neighbors")
    support = _support(members, seed).to(inputs.device)
    answers, agrees = _answers(module, inputs), []
    bank = _stages(module, inputs[support])
    labels = targets[support]
    for start in range(0, len(inputs), BATCH):
        chosen = torch.arange(start, min(start + BATCH, len(inputs)), device=inputs.device)
        own = chosen[:, None] == support[None]
        queries = stage_outputs(module, inputs[chosen])
        votes = [_vote(q, s, labels, own) for q, s in zip(queries, bank, strict=True)]
        agrees.append(torch.stack(votes) == answers[chosen])
    return _settled(torch.cat(agrees, 1).cpu().numpy())


def _settled(agrees: np.ndarray) -> Float64[np.ndarray, "samples"]:
    """The first stage from which all agree; the number of stages if the last does not."""
    stayed = np.logical_and.accumulate(agrees[::-1], axis=0).sum(0)
    return (len(agrees) - stayed).astype(np.float64)


def _support(members: Int[np.ndarray, "_"], seed: int) -> Tensor:
    order = seeds.generator(seed, "prediction depth").permutation(members)
    return torch.from_numpy(np.sort(order[:MOST_SUPPORT]).astype(np.int64))


def _stages(module: nn.Module, inputs: Tensor) -> list[Tensor]:
    parts = [stage_outputs(module, chunk) for chunk in inputs.split(BATCH)]
    return [torch.cat(stage) for stage in zip(*parts, strict=True)]


def _answers(module: nn.Module, inputs: Tensor) -> Tensor:
    logits = torch.cat([stage_outputs(module, chunk)[-1] for chunk in inputs.split(BATCH)])
    return (logits[:, 0] > 0).long() if logits.shape[1] == 1 else logits.argmax(1)


def _vote(queries: Tensor, support: Tensor, labels: Tensor, own: Tensor) -> Tensor:
    """The most frequent label of each query's nearest neighbors; the smallest label where several are."""
    distance = torch.cdist(queries, support).masked_fill_(own, torch.inf)
    nearest = labels[distance.topk(NEIGHBORS, largest=False).indices]
    return nearest.mode(1).values
