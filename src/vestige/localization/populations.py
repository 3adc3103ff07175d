"""The populations that are compared: the defense in none, all and some of the regions."""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from vestige.audits.preparation import Prepared, prepare
from vestige.audits.step import Listener, Step
from vestige.core.errors import InputError
from vestige.designs.run import folder_of
from vestige.designs.target_figures import ATTACK, TargetFigures, recorded_figures
from vestige.localization.request import MODELS, Request
from vestige.models.catalog import build
from vestige.models.protected import ALL, NONE, candidates, written
from vestige.models.regions import Region
from vestige.population.fit import fit_all
from vestige.population.store import Store
from vestige.training.routing import Protected

RETRAINED = "retrained "  # begins the names of what was retrained


@dataclass(frozen=True, eq=False)
class Populations:
    """Everything that is to be trained, ready: by the words for the protected regions.

    routed: trained together with the rest; the words "none" and "all" are among them. The models of "none"
      keep their weights at `epochs`. retrained: the same regions trained again beside a frozen rest; without
      any where the defense cannot be retrained.
    """

    regions: tuple[Region, ...]
    sizes: tuple[int, ...]
    epochs: tuple[int, ...]
    routed: Mapping[str, Prepared]
    retrained: Mapping[str, Prepared]

    @property
    def plain(self) -> Prepared:
        """The population without a defense."""
        return self.routed[NONE]

    @property
    def all(self) -> tuple[Prepared, ...]:
        """Every population."""
        return (*self.routed.values(), *self.retrained.values())


def populations(request: Request, folder: Path) -> Populations:
    """The populations of a request, with every check that needs no training.

    Raises InputError for whatever is wrong with any of them, and for a model with one region.
    """
    plain, epochs = _plain(request, folder / "none")
    regions, sizes = _regions(
        plain, Protected(words=(ALL,), partition=request.partition, grain=request.grain)
    )
    words = protections([region.name for region in regions])
    routed = {w: _prepared(request, request.protecting(w), folder / f"routed-{_slug(w)}") for w in words}
    return Populations(regions, sizes, epochs, {NONE: plain, **routed}, _retrained(request, regions, folder))


def protections(names: Iterable[str]) -> tuple[str, ...]:
    """The words for all regions, each by itself, every suffix and every prefix, each set once."""
    every = [Region(name, ()) for name in names]
    order = [region.name for region in every]
    single = [(name,) for name in order]
    return tuple(dict.fromkeys((ALL, *(written(order, chosen) for chosen in (*single, *candidates(every))))))


def trained(populations: Populations, jobs: int | None, listener: Listener) -> dict[str, TargetFigures]:
    """The figures of each routed population by its words, trained where models are missing; and of each
    retrained one, by "retrained " and its words.
    """
    total = sum(one.plan.membership.num_models for one in populations.all)
    listener(Step("train", 0, total, "models", 0.0))
    fitted = fit_all(
        [one.plan for one in populations.all],
        [folder_of(one) for one in populations.all],
        jobs,
        lambda p: listener(Step("train", p.models_done, p.models_total, "models", p.seconds)),
    )
    listener(Step("train" if any(one.trained for one in fitted) else "reuse", total, total, "models",
                  fitted[0].seconds))  # fmt: skip
    names = (*populations.routed, *(f"{RETRAINED}{words}" for words in populations.retrained))
    return {
        name: recorded_figures(name, found.signals, one.plan.membership)
        for name, one, found in zip(names, populations.all, fitted, strict=True)
    }


def seconds(populations: Iterable[Prepared]) -> float:
    """What training and measuring these took of a processor; NaN where it is not on record."""
    stores = [(Store.of(one.plan, folder_of(one)), one.plan.membership.num_models) for one in populations]
    return float(np.sum([store.seconds(model) for store, models in stores for model in range(models)]))


def _plain(request: Request, folder: Path) -> tuple[Prepared, tuple[int, ...]]:
    """The population without a defense, which keeps its weights at some epochs; and these."""
    found = _prepared(request, NONE, folder)
    epochs = request.epochs(found.plan.recipe.epochs)
    kept = tuple(epoch for epoch in epochs if epoch)  # the initialization can be had again
    observation = dataclasses.replace(found.plan.observation, weights_at=kept)
    return dataclasses.replace(found, plan=dataclasses.replace(found.plan, observation=observation)), epochs


def _regions(plain: Prepared, protected: Protected) -> tuple[tuple[Region, ...], tuple[int, ...]]:
    """The regions of the model, and how many parameters each has."""
    plan = plain.plan
    module = build(plan.recipe.model, plan.dataset.shape, plan.dataset.num_classes)
    few = torch.from_numpy(plan.dataset.as_floats(slice(2)))
    regions = protected.all_of(module, few)
    if len(regions) == 1:
        raise InputError(
            f"model={plan.recipe.model.name!r} has one region only, {regions[0].name}, so there is nothing "
            "to compare; take a deeper one, for example mlp-128-128-128, or name regions of your own in a "
            "file, regions=FILE.toml"
        )
    counts = {name: value.numel() for name, value in module.named_parameters()}  # a tied one counts once
    return regions, tuple(sum(counts.get(name, 0) for name in region.parameters) for region in regions)


def _retrained(request: Request, regions: tuple[Region, ...], folder: Path) -> dict[str, Prepared]:
    if request.is_private:  # noise in a second phase alone would protect nothing
        return {}
    base = dataclasses.replace(request.base, engine="auto")  # not every engine trains a part again
    anew = dataclasses.replace(request, base=base)
    return {
        name: _prepared(anew, anew.protecting(name, "two_phase"), folder / f"retrained-{_slug(name)}")
        for name in (region.name for region in regions)
    }


def _prepared(request: Request, defense: str, folder: Path) -> Prepared:
    base = dataclasses.replace(
        request.base,
        models=request.base.models or MODELS,
        attack=(ATTACK,),
        checkpoints=2,
        defense=defense,
        out=folder,
    )
    return prepare(base)


def _slug(words: str) -> str:
    return re.sub(r"[^\w.-]+", "-", words)
