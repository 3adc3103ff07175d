"""Which regions PPTP protects, chosen on reference data: samples that the audit leaves out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from vestige.audits.options import Options
from vestige.audits.preparation import Prepared, prepare
from vestige.audits.step import Listener, Step, silent
from vestige.core import seeds
from vestige.core.errors import InputError
from vestige.data import sources
from vestige.data.dataset import Dataset
from vestige.defenses.pptp import PPTP
from vestige.defenses.writing import BETWEEN, NONE, from_text, parameters_of
from vestige.designs.target_figures import TargetFigures, recorded_figures
from vestige.models.catalog import build
from vestige.models.protected import ALL, candidates, protected, written
from vestige.models.regions import Region
from vestige.population.fit import Progress, fit_all
from vestige.risk.estimate import Estimate
from vestige.training.routing import AUTO

AUTOMATIC = re.compile(rf"(protect\s*=\s*)?{AUTO}")
MODELS = 8  # of each candidate: four pairs of targets
LEAST_MODELS = 4  # the likelihood ratio needs references
FEWEST = 200  # reference samples: 100 members and 100 others of a model


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """Regions that might be protected, in words, and what came of it on the reference data.

    lost: accuracy without a defense less that with it. gained: LiRA's AUC without it less that with it.
    parameters: how many there are in these regions.
    """

    words: str
    lost: Estimate
    gained: Estimate
    parameters: int


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The candidates and the chosen one; qualified is False where no regions kept within the budget of
    accuracy.
    """

    defense: str
    seed: int
    samples: int
    budget: float
    candidates: tuple[Candidate, ...]
    chosen: Candidate
    qualified: bool

    @property
    def note(self) -> str:
        """One sentence on the choice."""
        lost, gained = self.chosen.lost, self.chosen.gained
        on = f"chosen on {self.samples:,} samples that the audit leaves out"
        asked = f"within {self.budget:g} of the accuracy without it"
        if self.chosen.words == NONE:
            why = (
                f"no regions {asked} gain privacy there"
                if self.qualified
                else f"no regions kept {asked}, and all of them together gain no privacy there"
            )
            return f"Seed {self.seed}: protects none, so that pptp is left out, {on} ({why})."
        how = (
            f"the largest privacy gain {asked}"
            if self.qualified
            else f"no regions kept {asked}, so all of them"
        )
        return (
            f"Seed {self.seed}: protects {self.chosen.words}, {on} ({how}: accuracy lost {_shown(lost)}, "
            f"AUC gained {_shown(gained)} there).{self._doubt}"
        )

    @property
    def _doubt(self) -> str:
        """What the intervals leave open; empty where they leave nothing."""
        lost, gained = self.chosen.lost, self.chosen.gained
        said = ""
        if self.qualified and (lost.high is None or lost.high > self.budget):
            said += " By its interval the accuracy lost may be above that."
        if gained.low is None or gained.low <= 0:
            said += " By its interval the gain may be none."
        return said


def undecided(text: str) -> bool:
    """Whether the defense as written leaves the regions to be chosen."""
    return any(isinstance(one, PPTP) and one.protected.words == (AUTO,) for one in from_text(text).defenses)


def decided(text: str, words: str) -> str:
    """The defense as written with these words for its regions; "none" leaves PPTP out."""
    parts = [part.strip() for part in BETWEEN.split(text)]
    kept = [_with_words(part, words) if undecided(part) else part for part in parts]
    return "+".join(part for part in kept if part) or NONE


def require_regions(prepared: Prepared) -> None:
    """Check that the model has regions among which some can be chosen.

    prepared: of a defense that leaves the regions to be chosen, with any of them protected.
    Raises InputError for a model with one region, where there is nothing to choose.
    """
    regions, _ = _regions(prepared, _pptp(prepared.options.defense))
    protected(regions, (regions[0].name,))


def reference_data(options: Options) -> Dataset:
    """Samples of the data set that the audit of these options leaves out, at most as many as it uses.

    Raises InputError where too few are left.
    """
    rest = sources.left_out(options.dataset, options.data_dir, options.samples, options.seed, options.label)
    if rest is None or rest.num_samples < FEWEST:
        raise InputError(
            f"protect='auto' needs reference data, at least {FEWEST} samples that are not audited and no "
            f"more than are; {_remedy(options)}"
        )
    return rest


def _remedy(options: Options) -> str:
    size = sources.load(options.dataset, options.data_dir, label=options.label).num_samples
    if size < 2 * FEWEST:
        return f"{options.dataset} has {size} in all: name regions, for example protect=back"
    audited = "all of them are" if options.samples is None else f"samples={options.samples} are"
    return (
        f"{options.dataset} has {size}, of which {audited} audited: give samples from {FEWEST} to "
        f"{size - FEWEST}, or name regions"
    )


def selected(options: Options, folder: Path, listener: Listener = silent) -> Selection:
    """The regions with the largest privacy gain among those that cost no more accuracy than the budget.

    Every suffix and prefix of the regions, and all of them, is trained and attacked on the reference data of
    the options, with references trained alike; no audited sample has any part in it. No regions at all are a
    candidate too, so that something is protected only where that gains. Ties go to fewer parameters. Where
    no regions keep within the budget, all are protected if that gains; the selection says so.

    Raises InputError without enough reference data.
    """
    data = reference_data(options)
    plain = _prepared(options, NONE, data, folder)
    regions, sizes = _regions(plain, _pptp(options.defense))
    words = [written([r.name for r in regions], chosen) for chosen in candidates(regions)]
    populations = {NONE: plain, **{w: _prepared(options, w, data, folder) for w in (*words, ALL)}}
    found = _figures(populations, options.jobs, listener)
    rows = [_candidate(found[NONE], found[word], _parameters(word, regions, sizes)) for word in populations]
    chosen, qualified = best(rows, _budget(options.defense))
    return Selection(
        defense=options.defense,
        seed=options.seed,
        samples=data.num_samples,
        budget=_budget(options.defense),
        candidates=tuple(rows),
        chosen=chosen,
        qualified=qualified,
    )


def best(rows: Sequence[Candidate], budget: float) -> tuple[Candidate, bool]:
    """The choice, and whether any regions keep within the budget; the last row stands for all regions.

    What was not measured does not qualify.
    """
    known = [row for row in rows if row.lost.value is not None and row.gained.value is not None]
    within = [row for row in known if _value(row.lost) <= budget]
    qualified = any(row.words != NONE for row in within)
    eligible = within if qualified else [row for row in known if row.words in (NONE, ALL)]
    return max(eligible, key=lambda row: (_value(row.gained), -row.parameters), default=rows[-1]), qualified


def _value(estimate: Estimate) -> float:
    return float("nan") if estimate.value is None else estimate.value


def _candidate(none: TargetFigures, found: TargetFigures, parameters: int) -> Candidate:
    return Candidate(
        words=found.name,
        lost=none.above(found, "accuracy"),
        gained=none.above(found, "auc"),
        parameters=parameters,
    )


def _prepared(options: Options, words: str, data: Dataset, folder: Path) -> Prepared:
    own = replace(
        options,
        samples=None,
        models=max(LEAST_MODELS, min(MODELS, options.models or MODELS)),
        seed=seeds.derive(options.seed, "selection"),
        attack=("lira-online-fixed",),
        signals=(),
        checkpoints=2,
        policy=None,
        canaries=0,
        defense=decided(options.defense, words),
        out=folder / words.replace("..", "-to-"),
    )
    return prepare(own, data)


def _figures(
    populations: dict[str, Prepared], jobs: int | None, listener: Listener
) -> dict[str, TargetFigures]:
    total = sum(one.plan.membership.num_models for one in populations.values())

    def report(progress: Progress) -> None:
        listener(Step("choose", progress.models_done, progress.models_total, "models", progress.seconds))

    listener(Step("choose", 0, total, "models", 0.0))
    folders = [one.options.out for one in populations.values() if one.options.out is not None]
    fitted = fit_all([one.plan for one in populations.values()], folders, jobs, report)
    return {
        name: recorded_figures(name, one.signals, prepared.plan.membership)
        for (name, prepared), one in zip(populations.items(), fitted, strict=True)
    }


def _regions(prepared: Prepared, pptp: PPTP) -> tuple[tuple[Region, ...], dict[str, int]]:
    """The regions of the model and how many parameters each has."""
    plan = prepared.plan
    module = build(plan.recipe.model, plan.dataset.shape, plan.dataset.num_classes)
    regions = pptp.protected.all_of(module, torch.from_numpy(plan.dataset.as_floats(slice(2))))
    counts = {name: value.numel() for name, value in module.named_parameters()}
    return regions, {r.name: sum(counts.get(name, 0) for name in r.parameters) for r in regions}


def _parameters(word: str, regions: Sequence[Region], sizes: dict[str, int]) -> int:
    return sum(sizes[region.name] for region in protected(regions, word.split(":")))


def _pptp(text: str) -> PPTP:
    return next(one for one in from_text(text).defenses if isinstance(one, PPTP))


def _budget(text: str) -> float:
    return float(_pptp(text).budget)


def _with_words(part: str, words: str) -> str:
    """One PPTP as written with its regions in words; further parameters keep their places."""
    if words == NONE:
        return ""
    name, _, given = part.partition(":")
    named = f"protect={words}"
    placed = [named if AUTOMATIC.fullmatch(p) else p for p in parameters_of(given)]
    return f"{name}:{'/'.join(placed if named in placed else [*placed, named])}"


def _shown(estimate: Estimate) -> str:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "–" if estimate.value is None else f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"
