"""Distance-to-confident of the models of a finished population, kept in the run folder."""

import time
import zipfile
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float64, Int64

from vestige.audits.step import Listener, Step, silent
from vestige.core import check, files, seeds
from vestige.core.errors import InputError
from vestige.core.record import content_hash
from vestige.population.plan import Plan, Task
from vestige.population.store import Store
from vestige.signals.distance import MOST_CENSORED, distance_to_confident, label_losses, unusable
from vestige.signals.level import Level, Relative
from vestige.signals.walk import Walk
from vestige.training.arithmetic import configure, restored
from vestige.training.engine import Material
from vestige.training.reopened import reopened

FORMAT = 1  # raise when kept distances change meaning, so that old ones are not reused
LEVEL_SHARE = 5  # at most a fifth of the members sets the level, so that the others can be measured


@dataclass(frozen=True, kw_only=True)
class Survey:
    """Whose distances are measured, and how.

    models: at most so many, the first ones. samples: at most so many members and as many non-members of
    each, drawn at random. known: at most so many further members set a relative level; they are not measured.
    boxed: whether a walk without a box of its own stays between the data's lowest and highest value.
    """

    level: Level = field(default_factory=Relative)
    walk: Walk = field(default_factory=Walk)
    models: int = 4
    samples: int = 1000
    known: int = 100
    boxed: bool = True

    def __post_init__(self) -> None:
        for name in ("models", "samples", "known"):
            check.at_least(name, getattr(self, name), 1)


@dataclass(frozen=True, eq=False)
class ModelDistances:
    """What was measured of one model, at some samples of the data set; as it is kept on disk.

    samples: their positions. scores: minus the distance-to-confident, higher = more likely a member.
    losses: in nats, of the same model. censored: whose level was not reached. level: in nats.
    """

    samples: Int64[np.ndarray, "measured"]
    scores: Float64[np.ndarray, "measured"]
    losses: Float64[np.ndarray, "measured"]
    censored: Bool[np.ndarray, "measured"]
    level: Float64[np.ndarray, ""]


@dataclass(frozen=True, eq=False)
class PopulationDistances:
    """The distances of some models as scores, beside their losses at the same samples.

    models: their numbers. member: [targets samples]. clusters: [targets], as of the membership.
    found: per model.
    """

    models: tuple[int, ...]
    member: Bool[np.ndarray, "targets samples"]
    clusters: Int64[np.ndarray, "targets"]
    found: tuple[ModelDistances, ...]

    @cached_property
    def scores(self) -> Float64[np.ndarray, "targets samples"]:
        """Minus the distance-to-confident, higher = more likely a member; NaN where not measured."""
        return self._spread([one.scores for one in self.found])

    @cached_property
    def losses(self) -> Float64[np.ndarray, "targets samples"]:
        """Cross-entropy in nats; NaN where the distance was not measured."""
        return self._spread([one.losses for one in self.found])

    @property
    def censor_rate(self) -> float:
        """The share of walks that never reached the level, over all models."""
        return float(np.concatenate([one.censored for one in self.found]).mean())

    @property
    def note(self) -> str:
        """Why the distances are not usable, and the remedy; "" where they are."""
        return unusable(self.censor_rate) if self.censor_rate > MOST_CENSORED else ""

    def _spread(self, values: list[Float64[np.ndarray, "_"]]) -> Float64[np.ndarray, "targets samples"]:
        spread = np.full(self.member.shape, np.nan)
        for row, one, measured in zip(spread, self.found, values, strict=True):
            row[one.samples] = measured
        return spread


def distances(
    plan: Plan, run_folder: Path, survey: Survey | None = None, *, listener: Listener = silent
) -> PopulationDistances:
    """The distance-to-confident of members and non-members under the first models of a trained population.

    plan: of the population that `run_folder` holds. What is measured is kept as `distances/KEY.npz` there, a
    file for each model, under a key of all it depends on; a model that was measured before costs nothing.

    Raises InputError where a model is not trained, or has fewer than 2 members or no non-member.
    """
    survey = survey or Survey()
    store, models = Store.of(plan, run_folder), tuple(range(min(survey.models, plan.membership.num_models)))
    surveyor = _Surveyor(plan, store, survey, run_folder / "distances", listener)
    found = tuple(surveyor.measured(model, len(models)) for model in models)
    rows = list(models)
    return PopulationDistances(
        models, plan.membership.mask[rows], np.asarray(plan.membership.clusters()[rows], np.int64), found
    )


class _Surveyor:
    """Measures one model after the other, or finds it measured."""

    def __init__(self, plan: Plan, store: Store, survey: Survey, folder: Path, listener: Listener) -> None:
        self.plan, self.store, self.survey, self.folder = plan, store, survey, folder
        self.listener, self.start = listener, time.perf_counter()

    @cached_property
    def material(self) -> Material:
        """The data as tensors; only made where something is to be measured."""
        return Material.of(self.plan.dataset, torch.device(self.plan.device))

    def measured(self, model: int, models: int) -> ModelDistances:
        """What is kept of the model, or else measured and kept now."""
        task = next(task for task in self.plan.tasks if model in task.job.models)
        key = content_hash((FORMAT, task.key, model, replace(self.survey, models=1)))
        path = self.folder / f"{key[:16]}.npz"
        if (found := _kept(path)) is None:
            found = self._measure(task, model, models)
            with files.replacing(path) as temporary, temporary.open("wb") as handle:
                np.savez(handle, **vars(found))
        self._report(model, models, 1, 1)
        return found

    def _measure(self, task: Task, model: int, models: int) -> ModelDistances:
        if (state := self.store.state(task, model)) != "whole":
            raise InputError(
                f"model {model} in {self.store.folder} is {state}; run the audit to train it again"
            )
        known, chosen = self._drawn(model)
        with restored(), torch.random.fork_rng(devices=[]):
            configure(threads=1, device=self.plan.device)
            module = reopened(self.plan.recipe, self.material, self.store.weights(model))
            inputs, targets = self.material.inputs, self.material.targets
            found = distance_to_confident(
                module,
                inputs[chosen],
                targets[chosen],
                self.survey.level,
                self._walk(),
                known_losses=label_losses(module, inputs[known], targets[known]),
                report=partial(self._report, model, models),
            )
        level = np.array(found.level)
        return ModelDistances(chosen, found.scores, found.losses, found.censored, level)

    def _walk(self) -> Walk:
        walk, inputs = self.survey.walk, self.material.inputs
        if walk.box is not None or not self.survey.boxed:
            return walk
        return replace(walk, box=(float(inputs.min()), float(inputs.max())))

    def _drawn(self, model: int) -> tuple[np.ndarray, np.ndarray]:
        """Positions of members that set the level, and of other samples to measure, in rising order."""
        own = self.plan.membership.mask[model]
        random = seeds.generator(self.plan.seed, "distances", model)
        members, others = random.permutation(np.flatnonzero(own)), random.permutation(np.flatnonzero(~own))
        if len(members) < 2 or not len(others):
            raise InputError(
                f"model {model} has {len(members)} members and {len(others)} non-members; it needs 2 and 1"
            )
        known = min(self.survey.known, max(1, len(members) // LEVEL_SHARE))
        measured = members[known : known + self.survey.samples], others[: self.survey.samples]
        return np.sort(members[:known]), np.sort(np.concatenate(measured))

    def _report(self, model: int, models: int, done: int, total: int) -> None:
        seconds = time.perf_counter() - self.start
        self.listener(Step("distance", model + done / total, models, "models", seconds))


def _kept(path: Path) -> ModelDistances | None:
    """What an earlier call kept; None where it is not there or cannot be read."""
    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as arrays:
            return ModelDistances(**arrays)
    except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile):
        return None
