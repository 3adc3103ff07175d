"""Everything that can be checked before training, checked: data, model, recipe, coins, attacks, policy."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float

from vestige.attacks import catalog
from vestige.attacks.pool import Pool
from vestige.attacks.protocol import Attack
from vestige.attacks.requirements import require
from vestige.audits.embeddings import Embeddings
from vestige.audits.options import Options
from vestige.audits.presets import checkpoint_epochs, preset_for, recipe_for
from vestige.core.errors import InputError
from vestige.data import corruption, python_source, sources, transforms
from vestige.data.dataset import Dataset
from vestige.data.membership import Membership, independent, paired
from vestige.defenses.defense import Composed
from vestige.defenses.pptp import PPTP
from vestige.defenses.writing import from_text
from vestige.models.catalog import ModelSpec, build, spec_of
from vestige.models.penultimate import penultimate
from vestige.motion.place import chosen_point
from vestige.population.plan import Plan
from vestige.risk.identity import NOT_SUPPLIED
from vestige.risk.operating_point import OperatingPoint
from vestige.risk.region import Regions, regions_from
from vestige.risk.summary import FPRS
from vestige.risk.verdict import Policy, parse_policy
from vestige.signals.measure import Observation, stored
from vestige.training import engines
from vestige.training.centered import head_of
from vestige.training.engine import require_measurable
from vestige.training.recipe import Recipe, has_centers
from vestige.training.reopened import as_trained

OF_A_RECIPE = (
    "model", "epochs", "batch_size", "precision", "optimizer", "lr", "momentum", "weight_decay", "rho",
    "schedule", "label_smoothing", "augmentation",
)  # fmt: skip


Chosen = Bool[np.ndarray, "samples"] | None


@dataclass(frozen=True, eq=False)
class Prepared:
    """An audit that is ready to run; point and regions are those of the plane.

    mislabelled: the samples whose label `label_noise` replaced; None without label noise.
    canaries: the samples that were given a wrong label to stand for the worst case; None without.
    """

    options: Options
    plan: Plan
    attacks: tuple[Attack, ...]
    policy: Policy | None
    point: OperatingPoint
    regions: Regions
    mislabelled: Chosen = None
    canaries: Chosen = None


def prepare(
    options: Options,
    dataset: Any = None,
    model: str | Callable[..., Any] | ModelSpec | None = None,
    recipe: Recipe | None = None,
) -> Prepared:
    """The plan of an audit, with every check that needs no training.

    dataset, model, recipe: objects given from Python; each stands in place of the options of that name.

    Raises InputError for whatever is wrong with any of them, before anything is written.
    """
    if recipe is not None:
        _refuse_both(options, model)
    attacks = named_attacks(options.attack)
    policy = declared_policy(options.policy, options.policy_by, options.policy_reason)
    point, regions = chosen_point(options.operating_point, attacks[0]), regions_from(options.regions)
    original = _dataset(options, dataset)
    preset = preset_for(original)
    data, mislabelled, canaries = _corrupted(original, options)
    if recipe is None:
        recipe = recipe_for(options, preset, spec_of(model or options.model or preset.model))
    defended = from_text(options.defense)
    recipe = defended(recipe)
    device = _device(options.device)
    module = _initialized(recipe, data)
    queries = transforms.queries(options.queries)
    _try_on_samples(data, recipe, queries)
    _require_regions(recipe, defended, module, _few(data))
    num_models = options.models or preset.models
    membership = _coins(options, num_models, data.num_samples)
    observation = Observation(
        checkpoints=checkpoint_epochs(recipe.epochs, options.checkpoints),
        signals=stored((*options.signals, *(name for attack in attacks for name in attack.needs.signals))),
        queries=queries,
    )
    require_measurable(recipe, observation)
    if observation.needs_features and penultimate(module, _few(data)) is None:
        raise InputError("signals='gradient_norm' needs a model that ends in a linear layer")
    choice = engines.choose(recipe, module, num_models, device, options.engine, observation.signals)
    plan = Plan(data, membership, recipe, observation, choice, options.seed, device.type)
    attacks = feasible(attacks, planned_pool(plan), chosen=options.attack is not None)
    return Prepared(options, plan, attacks, policy, point, regions, mislabelled, canaries)


def declared_policy(
    text: str | None, chosen_by: str = NOT_SUPPLIED, reason: str = NOT_SUPPLIED
) -> Policy | None:
    """The policy, if one is declared. Raises InputError for one that no figure of an audit can decide."""
    policy = parse_policy(text, chosen_by, reason) if text else None
    if policy and policy.fpr is not None and policy.fpr not in FPRS:
        known = ", ".join(f"tpr@{fpr:g}" for fpr in FPRS)
        raise InputError(f"policy={text!r} names a rate that is not computed; use one of {known}")
    return policy


def named_attacks(names: tuple[str, ...] | None) -> tuple[Attack, ...]:
    """The attacks of these names, or the default set; the first is the headline.

    One that takes all candidates together never stands alone: attacks on one at a time are put beside it.
    """
    chosen = [catalog.by_name(name) for name in dict.fromkeys(names or catalog.DEFAULT_SET)]
    known = {attack.name for attack in chosen}
    if any(attack.is_transductive for attack in chosen):
        chosen += [catalog.by_name(name) for name in catalog.BESIDE if name not in known]
    return tuple(chosen)


def _refuse_both(options: Options, model: object) -> None:
    """A whole recipe leaves no room for options of a recipe; silence would ignore them."""
    usual = Options()
    given = [name for name in OF_A_RECIPE if getattr(options, name) != getattr(usual, name)]
    if given or model is not None:
        name = given[0] if given else "model"
        raise InputError(f"{name}= is given beside recipe=, which holds it already; set it in the recipe")


def feasible(attacks: tuple[Attack, ...], pool: Pool, *, chosen: bool) -> tuple[Attack, ...]:
    """The attacks that have the references and arrays they need.

    Raises InputError for one that has not if the user chose it, or if it is the headline; others of the
    default set are left out.
    """
    kept: list[Attack] = []
    for position, attack in enumerate(one.resolved(pool) for one in attacks):
        try:
            require(attack, pool, range(pool.num_models))
        except InputError:
            if chosen or position == 0:
                raise
        else:
            kept.append(attack)
    return tuple(kept)


def planned_pool(plan: Plan) -> Pool:
    """What attacks will find once the plan has been carried out."""
    shape = (
        plan.membership.num_models,
        len(plan.observation.checkpoints),
        plan.dataset.num_samples,
        len(plan.observation.queries),
    )
    signals = _Planned(plan.observation.signals, shape)
    data, module = plan.dataset, _initialized(plan.recipe, plan.dataset)
    embeddings = None if penultimate(module, _few(data)) is None else Embeddings(plan, None)
    return Pool(signals, plan.membership, labels=data.targets, features=data.inputs, embeddings=embeddings)


class _Planned:
    """Signals that will be recorded but are not yet: names and shape only."""

    def __init__(self, names: tuple[str, ...], shape: tuple[int, int, int, int]) -> None:
        self.names, self.shape = names, shape

    def row(self, name: str, model: int, checkpoint: int) -> Float[np.ndarray, "samples augmentations"]:
        raise InputError(f"signal={name!r} of model {model} is not recorded yet")


def _dataset(options: Options, given: Any) -> Dataset:
    if given is None or isinstance(given, str):
        source = given or options.dataset
        return sources.load(source, options.data_dir, options.samples, options.seed, options.label)
    data = python_source.from_object(given)
    return data if options.samples is None else sources.subset(data, options.samples, options.seed)


def _corrupted(dataset: Dataset, options: Options) -> tuple[Dataset, Chosen, Chosen]:
    """The data set with the noise and canaries that were asked for, which labels were replaced, and which
    samples are canaries.
    """
    mislabelled = None
    if options.input_noise:
        dataset = corruption.with_input_noise(dataset, options.input_noise, options.seed)
    if options.label_noise:
        dataset, mislabelled = corruption.with_label_noise(dataset, options.label_noise, options.seed)
    canaries = None
    if options.canaries:
        dataset, canaries = corruption.with_canaries(dataset, options.canaries, options.seed)
    return dataset, mislabelled, canaries


def _device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name not in ("cpu", "cuda"):
        raise InputError(f"device={name!r} must be cpu, cuda or auto")
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("device='cuda' is not available to this PyTorch; use --device cpu")
    return torch.device(name)


def _initialized(recipe: Recipe, data: Dataset) -> torch.nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build(recipe.model, data.shape, data.num_classes)


def _try_on_samples(data: Dataset, recipe: Recipe, queries: tuple[transforms.View, ...]) -> None:
    """Apply augmentation and queries to two samples, so that what cannot work says so now."""
    few = _few(data)
    recipe.augmentation(few, torch.Generator().manual_seed(0))
    for query in queries:
        query(few)


def _require_regions(recipe: Recipe, defended: Composed, module: torch.nn.Module, few: torch.Tensor) -> None:
    """Find the protected regions and the head that centers need, so that what is not there says so now."""
    trained = module if recipe.privacy is None else as_trained(recipe, copy.deepcopy(module))
    for defense in defended.defenses:
        if isinstance(defense, PPTP):  # its regions must be there where it comes to no routing, too
            defense.protected.of(trained, few)
    if recipe.routing is not None:
        recipe.routing.protected.require(trained, few)
    if recipe.retraining is not None and recipe.retraining.critical is None:
        recipe.retraining.protected.require(trained, few)
    if has_centers(recipe):
        head_of(module, few)


def _few(data: Dataset) -> torch.Tensor:
    return torch.from_numpy(data.as_floats(slice(2)))


def _coins(options: Options, num_models: int, num_samples: int) -> Membership:
    design = independent if options.design == "independent" else paired
    return design(num_models, num_samples, options.seed)
