"""Rewinding: what is forgotten, and what is unlearned, when one region goes back in training."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from jaxtyping import Float64, Int
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase  # pyright: ignore[reportPrivateUsage]

from vestige.audits.opened import answers, laid_out
from vestige.audits.step import Listener, counted
from vestige.designs.target_figures import TargetFigures, figures
from vestige.models.regions import Region
from vestige.population.plan import Plan
from vestige.population.store import Store
from vestige.signals.confidence import Prediction, correct, scaled_logit
from vestige.training.arithmetic import configure, restored
from vestige.training.engine import Material, initialized
from vestige.training.reopened import as_trained, reopened
from vestige.training.snapshots import weights_at

WHOLE = ""  # stands for the model as it is
State = Mapping[str, Tensor]
Places = tuple[tuple[str, int], ...]


def rewound_figures(
    plan: Plan, store: Store, regions: Sequence[Region], epochs: Sequence[int], listener: Listener
) -> dict[tuple[str, int], TargetFigures]:
    """The figures of the final models with one region as it was at one epoch, by region and epoch.

    ("", 0) stands for the models as they are. A region's buffers go back with it. All models have the
    statistics of their batch normalization measured again on their own members, those as they are too.
    """
    material = Material.of(plan.dataset, torch.device(plan.device))
    models = range(plan.membership.num_models)
    places: Places = ((WHOLE, 0), *((region.name, epoch) for region in regions for epoch in epochs))
    with restored(), torch.random.fork_rng(devices=[]):
        configure(threads=1, device=plan.device)
        found = [
            _answers_of(plan, store, material, model, regions, places)
            for model in counted(models, "rewind", len(models), "models", listener)
        ]
    logits, right = (np.stack(part, 1) for part in zip(*found, strict=True))
    return {
        place: figures(f"{place[0]} at {place[1]}", logits[row], right[row], plan.membership)
        for row, place in enumerate(places)
    }


def rewound(final: State, early: State, region: Region) -> dict[str, Tensor]:
    """The final weights with the region's parameters and buffers as they were early."""
    own = {*region.parameters, *region.buffers}
    return {name: early[name] if name in own else value for name, value in final.items()}


@torch.no_grad()
def recalibrated(module: nn.Module, inputs: Tensor, batch_size: int) -> None:
    """Measure the running statistics of batch normalization again, as the mean over batches of the inputs.

    The module, in evaluation mode, keeps everything else as it is.
    """
    norms = [part for part in module.modules() if isinstance(part, _NormBase) and part.track_running_stats]
    if not norms:
        return
    with _averaging(norms):
        for batch in inputs.tensor_split(max(1, len(inputs) // batch_size)):
            module(batch)


@contextmanager
def _averaging(norms: Sequence[_NormBase]) -> Generator[None]:
    """The statistics start anew and are plain averages meanwhile."""
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    try:
        yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
            norm.eval()


@torch.no_grad()
def _answers_of(
    plan: Plan, store: Store, material: Material, model: int, regions: Sequence[Region], places: Places
) -> tuple[Float64[np.ndarray, "places samples"], np.ndarray]:
    """Scaled logits and whether the answer is right, in every place, mean over queries."""
    stored = store.weights(model)
    module = laid_out(reopened(plan.recipe, material, stored), material)
    final = {name: value.clone() for name, value in module.state_dict().items()}
    early = {epoch: _early(plan, material, model, stored, epoch) for epoch in {e for _, e in places}}
    by_name = {region.name: region for region in regions}
    members = np.flatnonzero(plan.membership.mask[model])
    rows: list[tuple[np.ndarray, np.ndarray]] = []
    for name, epoch in places:
        module.load_state_dict(rewound(final, early[epoch], by_name[name]) if name else final)
        rows.append(_measured(plan, module, material, members))
    logits, right = (np.stack(part) for part in zip(*rows, strict=True))
    return logits, right


def _early(plan: Plan, material: Material, model: int, stored: State, epoch: int) -> State:
    if epoch:
        return weights_at(stored, epoch)
    return as_trained(plan.recipe, initialized(plan.recipe, material, plan.seed, model)).state_dict()


def _measured(
    plan: Plan, module: nn.Module, material: Material, members: Int[np.ndarray, "members"]
) -> tuple[np.ndarray, np.ndarray]:
    own = material.inputs[torch.from_numpy(members).to(material.device)]
    recalibrated(module, own, plan.recipe.batch_size)
    predicted = [
        Prediction(answers(module, material, query), material.targets) for query in plan.observation.queries
    ]
    logits = torch.stack([scaled_logit(one) for one in predicted]).double().mean(0)
    right = torch.stack([correct(one) for one in predicted]).double().mean(0)
    return logits.cpu().numpy(), right.cpu().numpy() > 0.5
