"""Critical weights: those that privacy hangs on, by a score of each weight."""

import math
from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Int
from torch import Tensor, nn
from torch.nn import functional

from vestige.core import seeds
from vestige.training.engine import Material
from vestige.training.logits import as_columns

TRADE = 0.5  # ours: the share of the distance to the initialization in what privacy hangs on
APART = 0.1  # of a model's own members, on which that distance is measured
BATCH = 128


def set_apart(members: Int[Tensor, "members"], seed: int) -> Int[Tensor, "apart"]:
    """The members on which the distance to the initialization is measured, about a tenth of them."""
    drawn = seeds.generator(seed, "members set apart").random(len(members)) < APART
    return members[torch.from_numpy(drawn).to(members.device)]


def largest(scores: Mapping[str, Tensor], share: int | float) -> dict[str, Tensor]:
    """Where the largest scores of all stand, by name: exactly floor(share * weights) of them are true."""
    names = list(scores)
    flat = torch.cat([scores[name].flatten() for name in names])
    mask = torch.zeros(len(flat), dtype=torch.bool, device=flat.device)
    mask[flat.topk(math.floor(share * len(flat))).indices] = True
    parts = mask.split([scores[name].numel() for name in names])
    return {name: part.view_as(scores[name]) for name, part in zip(names, parts, strict=True)}


def weight_scores(
    module: nn.Module,
    initial: nn.Module,
    material: Material,
    members: Tensor,
    apart: Tensor,
    trade: int | float = TRADE,
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """How much privacy and how much fitting hang on each weight that learns: |gradient times weight| by name.

    Both add up the absolute products over batches of one pass, in evaluation mode. Fitting: the
    cross-entropy of the members. Privacy: (1 - trade) times it plus trade times the Kullback-Leibler
    divergence KL(model || initial) of their answers to members set apart; a reconstruction of the scores of
    critical-weight rewinding and freezing (arXiv 2603.13186), from a third party's account of it.

    module, initial: in evaluation mode. members, apart: indices of samples. The divergence is in nats.
    """
    names = [name for name, value in module.named_parameters() if value.requires_grad]
    weights = [module.get_parameter(name) for name in names]
    privacy = [torch.zeros_like(weight) for weight in weights]
    learnability = [torch.zeros_like(weight) for weight in weights]
    parts = max(1, len(members) // BATCH)
    for own, held in zip(members.tensor_split(parts), _turns(apart, parts), strict=True):
        with torch.enable_grad():
            fitting = _gradients(_fit(module, material, own), weights)
            moved = _gradients(_moved(module, initial, material, held), weights)
        for place, weight in enumerate(weights):
            blended = (1 - trade) * fitting[place] + trade * moved[place]
            learnability[place] += (fitting[place] * weight.detach()).abs()
            privacy[place] += (blended * weight.detach()).abs()
    return dict(zip(names, privacy, strict=True)), dict(zip(names, learnability, strict=True))


def _turns(apart: Tensor, parts: int) -> list[Tensor]:
    """Those set apart in as many batches, each of them somewhere; all of them in each where they are few."""
    return list(apart.tensor_split(parts)) if len(apart) >= parts else [apart] * parts


def _fit(module: nn.Module, material: Material, chosen: Tensor) -> Tensor:
    return functional.cross_entropy(_logits(module, material, chosen), material.targets[chosen])


def _moved(module: nn.Module, initial: nn.Module, material: Material, chosen: Tensor) -> Tensor:
    """The mean KL(model || initial) of their answers, in nats; 0 for nobody."""
    if not len(chosen):
        return _logits(module, material, material.targets.new_zeros(1)).sum() * 0
    with torch.no_grad():
        before = _logits(initial, material, chosen).log_softmax(-1)
    now = _logits(module, material, chosen).log_softmax(-1)
    return functional.kl_div(before, now, reduction="batchmean", log_target=True)


def _logits(module: nn.Module, material: Material, chosen: Tensor) -> Tensor:
    return as_columns(module(material.inputs[chosen]).float())


def _gradients(loss: Tensor, weights: Sequence[Tensor]) -> list[Tensor]:
    return list(torch.autograd.grad(loss, weights, allow_unused=True, materialize_grads=True))
