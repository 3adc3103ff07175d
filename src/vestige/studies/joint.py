"""The joint attack against published ones: the same targets, references and signals, drawn anew."""

from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from vestige.attacks.catalog import by_name
from vestige.attacks.hierarchical import Hierarchical
from vestige.attacks.joint import Joint
from vestige.attacks.protocol import Attack
from vestige.audits.step import Listener, counted, silent
from vestige.core.files import write_text
from vestige.population import executors
from vestige.studies.finding import Finding
from vestige.studies.joint_claims import GOALS, claims, extra_figures, figures, same_seconds
from vestige.studies.joint_population import Trained, trained
from vestige.studies.joint_rates import PUBLISHED, Trial, attacks_of, rates
from vestige.studies.part import Settings, chosen

TITLE = "The joint attack beside published ones"

DRAWS = 5
MANY_DRAWS = 10  # where a ratio is asked for: with five its interval holds less and more than what is asked


@dataclass(frozen=True, kw_only=True)
class Part:
    """A population, the numbers of references to try, and the kernel that suits its samples.

    share: of the candidates that targets train on, where it is not that of the references. draws: of targets
    and references for the main table. is_large: runs only where it is named, because it takes many hours
    without a GPU.
    """

    options: dict[str, Any]
    references: tuple[int, ...]
    kernel: str = "inputs"
    share: float = 0.5
    draws: int = DRAWS
    is_large: bool = False


def parts(settings: Settings) -> dict[str, Part]:
    """The chosen parts by name. Raises InputError for one that does not exist."""
    data = {"data_dir": settings.data_dir, "seed": 1, "momentum": 0.9, "lr": 0.05, "batch_size": 64}
    location = {"dataset": "location30", "samples": 4500, "model": "mlp-128", "epochs": 40, **data}
    fashion = {"dataset": "fashion_mnist", "samples": 6000, "model": "mlp-256-relu", "epochs": 50, **data}
    cifar10 = {
        **data, "dataset": "cifar10", "samples": 4000, "model": "convnet", "epochs": 24, "optimizer": "adam",
        "lr": 1e-3, "batch_size": 128, "schedule": "steps",
    }  # fmt: skip
    regularized = {**cifar10, "defense": "random_crop:4+weight_decay:0.0005"}
    # as published attacks evaluate, but smaller
    wide = {
        **data, "dataset": "cifar10", "samples": 10_000, "model": "wrn28-2", "epochs": 30, "optimizer": "sgd",
        "lr": 0.1, "batch_size": 128, "schedule": "cosine", "precision": "bf16", "augmentation": "flip-crop",
        "weight_decay": 5e-4,
    }  # fmt: skip
    private = {**location, "defense": "dp_sgd:0.5/delta=1e-5"}
    few = settings.models
    every = {
        "location30": Part(
            options={**location, "models": few or 160},
            references=(4, 8, 16, 32, 64, 128),
            draws=MANY_DRAWS,
        ),
        "fashion": Part(
            options={**fashion, "models": few or 112}, references=(4, 8, 16, 32, 64), draws=MANY_DRAWS
        ),
        "cifar10": Part(
            options={**cifar10, "models": few or 48},
            references=(4, 8, 16),
            kernel="embeddings",
            draws=MANY_DRAWS,
        ),
        "cifar10 regularized": Part(
            options={**regularized, "models": few or 48}, references=(4, 16), kernel="embeddings"
        ),
        "location30 private": Part(options={**private, "models": few or 48}, references=(4, 16)),
        "location30 few members": Part(
            options={**location, "models": few or 48, "seed": 2}, references=(4, 16), share=0.2
        ),
        "cifar10 wide": Part(
            options={**wide, "models": few or 32}, references=(4, 16), kernel="embeddings", is_large=True
        ),
    }
    return chosen(every, settings)


def study(settings: Settings, listener: Listener = silent) -> tuple[Finding, ...]:
    """Train and score what is missing, write each part's figures beside it, and give the table."""
    rows: list[Finding] = []
    for name, part in parts(settings).items():
        folder = settings.out / name.replace(" ", "-")
        found = trained(part.options, folder, settings.jobs, listener, part.share)
        tables = _tables(found, part, settings.jobs, listener)
        table = pd.concat(tables, ignore_index=True)
        write_text(folder / "figures.md", f"{figures(table)}{extra_figures(table, found.seconds)}")
        ours = attacks_of(part.kernel)[-1].name
        goals = GOALS if name in ("location30", "fashion", "cifar10") else {}
        rows += claims(name, part.references, ours, table, goals)
        if any("timed" in trial for trial in table.trial):
            rows.append(same_seconds(name, ours, table, found.seconds))
    return tuple(rows)


def _tables(found: Trained, part: Part, jobs: int | None, listener: Listener) -> list[pd.DataFrame]:
    """One table per trial and draw; those that tell seconds one after the other, the others on all cores."""
    every = [(trial, draw) for trial in trials(part) for draw in range(draws(part, trial))]
    several = [(found, trial, draw, part.share != 0.5) for trial, draw in every if not trial.timed]
    scored = executors.each(_rates, several, jobs or executors.default_jobs())
    tables: dict[tuple[Trial, int], pd.DataFrame] = {}
    for (_, trial, draw, _), table in counted(scored, "attack", len(several), "draws", listener):
        if isinstance(table, Exception):
            raise table
        tables[trial, draw] = table
    for trial, draw in every:
        if trial.timed:
            tables[trial, draw] = rates(found, trial, draw)
    return [tables[one] for one in every]


def _rates(work: tuple[Trained, Trial, int, bool]) -> pd.DataFrame:
    return rates(*work)


def draws(part: Part, trial: Trial) -> int:
    """How often a trial is drawn anew: one that tells seconds once, those of the main table most often."""
    if trial.timed:
        return 1
    return part.draws if trial in main_trials(part) else DRAWS


def main_trials(part: Part) -> tuple[Trial, ...]:
    """The main table, by number of references."""
    return tuple(Trial(references=count, attacks=attacks_of(part.kernel)) for count in part.references)


def trials(part: Part) -> tuple[Trial, ...]:
    """The main table, and on the plain populations the nulls and the shares of known candidates."""
    every, main = attacks_of(part.kernel), main_trials(part)
    if part.share != 0.5 or part.is_large or "defense" in part.options:
        return main
    neighbors = Joint(kernel=part.kernel)
    few = (by_name("student-t"), Hierarchical(), neighbors)
    return (
        *main,
        *(Trial(references=count, attacks=ablation(neighbors), bounded=neighbors) for count in (4, 16)),
        Trial(
            references=16,
            attacks=(*(by_name(name) for name in PUBLISHED), every[-2], every[-1]),
            calibrated=True,
        ),
        *(
            Trial(
                references=count, attacks=(by_name(PUBLISHED[0]), by_name("student-t"), every[-1]), timed=True
            )
            for count in part.references
        ),
        Trial(references=8, attacks=(Hierarchical(stacked=True), every[-2], every[-1]), shuffled=True),
        *(Trial(references=8, attacks=few, known=known) for known in (0.5, 0.25, 0.1)),
    )


def ablation(whole: Joint) -> tuple[Attack, ...]:
    """The hierarchical ratio with one part more after the other, then the whole attack without each."""
    expectation = replace(whole, neighbors=False)
    stacked = replace(whole, stacked=True)
    return (
        Hierarchical(),
        expectation,
        replace(whole, expectation=False),
        whole,
        stacked,
        Hierarchical(stacked=True),
        replace(stacked, neighbors=False),
        replace(stacked, expectation=False),
    )
