"""DP-SGD tuned for use: the most noise that the task still bears."""

import dataclasses
from pathlib import Path

import numpy as np

from vestige.audits.options import Options
from vestige.audits.preparation import Prepared, prepare
from vestige.audits.step import Listener, Step
from vestige.designs.run import folder_of
from vestige.population.fit import fit
from vestige.signals.source import read

NOISES = (4.0, 2.0, 1.0, 0.5, 0.25, 0.1)
DELTA = "1e-5"
MOST_LOST = 0.1  # of the accuracy without a defense; the first of the limits that winners are chosen under
PAIR = 2  # models for each candidate


@dataclasses.dataclass(frozen=True)
class Tuning:
    """The DP-SGD as written that was chosen, and how: a sentence for the page."""

    defense: str
    note: str


def tuned_private(base: Options, seed: int, folder: Path, listener: Listener) -> Tuning:
    """DP-SGD with the most noise that keeps accuracy on non-members within 10 % of that without a defense.

    Most defenses protect the average record; private training with so little noise that it costs hardly any
    use protects the worst one better (Aerni, Zhang and Tramer 2024), so it is what they have to beat.
    One pair of models for each candidate, under a seed that the comparison does not use, so that nothing is
    chosen on what is measured later. Where even the least noise costs more, that is what is taken.
    """
    candidates = {noise: f"dp_sgd:noise={noise:g}/delta={DELTA}" for noise in NOISES}
    names = ("none", *candidates.values())
    trials = {name: _trial(base, name, seed, folder / f"{place:02d}") for place, name in enumerate(names)}
    least = (1 - MOST_LOST) * _accuracy(trials["none"], listener)
    noise, accuracy = NOISES[-1], np.nan
    for noise in NOISES:
        accuracy = _accuracy(trials[candidates[noise]], listener)
        if accuracy >= least:
            break
    note = (
        f"Noise chosen from {', '.join(f'{n:g}' for n in NOISES)}: the largest with which a pair of models "
        f"of another seed reached accuracy {least:.3f}; it reached {accuracy:.3f}."
    )
    return Tuning(candidates[noise], note)


def _trial(base: Options, defense: str, seed: int, folder: Path) -> Prepared:
    plain = dataclasses.replace(base, attack=("loss",), policy=None)
    return prepare(dataclasses.replace(plain, models=PAIR, seed=seed, defense=defense, out=folder))


def _accuracy(trial: Prepared, listener: Listener) -> float:
    """The share of non-members that the trial's models classify rightly; they are trained if need be."""
    folder, plan = folder_of(trial), trial.plan
    listener(Step("tune dp_sgd", 0, PAIR, "models", 0.0))
    found = fit(plan, folder, trial.options.jobs)
    listener(Step("tune dp_sgd", PAIR, PAIR, "models", found.seconds))
    right = np.stack([read(found.signals, "correct", model, -1).mean(1) for model in range(PAIR)])
    return float(right[~plan.membership.mask].mean())
